"""Can a function be held to its role?"""

import json

from tests.local_aws.conftest import ROLE

LISTING = """
import boto3
def handler(event, context):
    return boto3.client("s3").list_objects_v2(Bucket=event["bucket"])["KeyCount"]
"""


def ask(workshop, bucket):
    answer = workshop.aws.client("lambda").invoke(
        FunctionName="listing", Payload=json.dumps({"bucket": bucket})
    )
    body = json.load(answer["Payload"])
    return body["errorMessage"] if "FunctionError" in answer else body


def test_with_roles_enforced_a_function_may_do_what_its_role_allows_and_no_more(workshop):
    for bucket in ("ours", "theirs"):
        workshop.aws.client("s3").create_bucket(Bucket=bucket)
    allowed = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::ours"}
    workshop.aws.client("iam").put_role_policy(
        RoleName=ROLE.rpartition("/")[2],
        PolicyName="list",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    workshop.aws.settings(enforce_roles=True)
    workshop.function("listing", LISTING)
    assert ask(workshop, "ours") == 0
    assert "AccessDenied" in ask(workshop, "theirs")
