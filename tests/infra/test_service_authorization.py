"""Tests of every IAM statement with AWS's service authorization reference."""

from typing import Any

import pytest

from .service_authorization import find_faults, statements
from .templates import Stacks

QUEUE = "arn:aws:sqs:us-east-1:111122223333:queue"
GROUP = "arn:aws:logs:us-east-1:111122223333:log-group:/aws-glue/crawlers"
TABLES = "arn:aws:glue:us-east-1:111122223333:table/taxi/*"


@pytest.mark.parametrize("environment", ["dev", "prod", "local", "custom", "auto"])
def test_every_statement_names_existing_actions_on_resources_that_they_take(
    environments: dict[str, Stacks], environment: str
) -> None:
    checked = {path: find_faults(each) for path, each in statements(environments[environment].all())}

    assert {path: faults for path, faults in checked.items() if faults} == {}
    assert len(checked) > 60, "policies were overlooked"


@pytest.mark.parametrize(
    ("action", "resource", "condition", "fault"),
    [
        ("s3:GetObjct", "arn:aws:s3:::lake/raw/*", {}, "s3:GetObjct is not an action"),
        ("s4:GetObject", "arn:aws:s3:::lake/raw/*", {}, "s4:GetObject is not an action"),
        ("s3:Got*", "arn:aws:s3:::lake/raw/*", {}, "s3:Got* is not an action"),
        ("s3:GetObject", "arn:aws:s3:::lake", {}, "s3:GetObject does not take arn:aws:s3:::lake"),
        ("s3:ListBucket", "arn:aws:s3:::lake/*", {}, "s3:ListBucket does not take arn:aws:s3:::lake/*"),
        ("sqs:SendMessage", TABLES, {}, f"sqs:SendMessage does not take {TABLES}"),
        ("glue:StartCrawler", TABLES, {}, f"glue:StartCrawler does not take {TABLES}"),
        ("logs:PutLogEvents", GROUP, {}, f"logs:PutLogEvents does not take {GROUP}"),
        ("xray:PutTraceSegments", QUEUE, {}, f"xray:PutTraceSegments does not take {QUEUE}"),
        (
            "s3:ListBucket",
            "arn:aws:s3:::lake",
            {"StringLike": {"s3:prefx": "raw/*"}},
            "s3:prefx is not a condition key of s3:ListBucket",
        ),
    ],
)
def test_a_mistake_is_found(action: str, resource: str, condition: Any, fault: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}

    assert find_faults(statement) == [fault]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::lake/raw/taxi/*"),
        ("s3:*", "arn:aws:s3:::lake"),
        ("glue:UpdateTable", TABLES),
        ("glue:UpdateTable", "arn:aws:glue:us-east-1:111122223333:catalog"),
        ("logs:CreateLogGroup", f"{GROUP}*"),
        ("logs:PutLogEvents", f"{GROUP}*"),
        ("logs:PutLogEvents", f"{GROUP}:*"),
        ("logs:CreateLogStream", f"{GROUP}:*"),
        ("states:DescribeExecution", "arn:aws:states:us-east-1:111122223333:execution:machine:*"),
        ("xray:PutTraceSegments", "*"),
    ],
)
def test_what_aws_accepts_is_no_fault(action: str, resource: str) -> None:
    condition = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    statement = {"Effect": "Allow", "Action": [action], "Resource": [resource], "Condition": condition}

    assert find_faults(statement) == []
