"""Tests of injected faults."""

import json
import urllib.error

import pytest
from botocore.exceptions import ClientError

PUBLISH = "arn:aws:states:::sns:publish"
CALLS_SNS = """
import boto3
def handler(event, context):
    boto3.client("sns").list_topics()
    return "survived"
"""


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_call_fails_as_often_as_requested_and_then_succeeds(aws):
    aws.faults({"action": "states:ListStateMachines", "error": "ThrottlingException", "times": 2})
    states = aws.client("stepfunctions")
    assert [error_of(states.list_state_machines) for _ in range(2)] == [("ThrottlingException", 400)] * 2
    assert states.list_state_machines()["stateMachines"] == []
    assert aws.fault_counts() == [2]


def test_the_first_calls_pass_when_requested(aws):
    aws.faults({"action": "sqs:ListQueues", "error": "Busy", "after": 1})
    sqs = aws.client("sqs")
    sqs.list_queues()
    assert error_of(sqs.list_queues)[0] == "Busy"


def test_other_calls_of_the_service_do_not_fail(aws):
    aws.faults({"action": "sns:Publish", "error": "InternalError"})
    aws.client("sns").create_topic(Name="news")
    assert aws.fault_counts() == [0]


def test_xml_services_fail_with_xml_errors(aws):
    topic = aws.client("sns").create_topic(Name="news")["TopicArn"]
    aws.client("s3").create_bucket(Bucket="lake")
    aws.faults(
        {"action": "sns:Publish", "error": "InternalError", "status": 500},
        {"action": "s3:PutObject", "error": "SlowDown", "status": 503},
    )
    published = error_of(aws.client("sns").publish, TopicArn=topic, Message="x")
    assert published == ("InternalError", 500)
    assert error_of(aws.client("s3").put_object, Bucket="lake", Key="x", Body=b"x") == ("SlowDown", 503)


def test_a_state_machine_gets_the_error_under_the_services_name(factory):
    topic = factory.aws.client("sns").create_topic(Name="news")["TopicArn"]
    factory.aws.faults(
        {"action": "sns:Publish", "error": "InternalError"},
        {"action": "glue:GetCrawler", "error": "Throttling"},
    )
    task = {"Type": "Task", "End": True}
    publish = {**task, "Resource": PUBLISH, "Arguments": {"TopicArn": topic, "Message": "x"}}
    look = {**task, "Resource": "arn:aws:states:::aws-sdk:glue:getCrawler", "Arguments": {"Name": "none"}}
    assert factory.run({"Publish": publish}, name="one")["error"] == "SNS.InternalErrorException"
    assert factory.run({"Publish": publish}, name="again")["status"] == "SUCCEEDED"
    assert factory.run({"Look": look}, name="two")["error"] == "Glue.ThrottlingException"
    assert factory.aws.fault_counts() == [1, 1]


def test_a_function_killed_during_a_call_runs_again(factory):
    factory.function("victim", CALLS_SNS)
    factory.aws.faults({"action": "sns:ListTopics", "kills": "victim"})
    functions = factory.aws.client("lambda")
    died = functions.invoke(FunctionName="victim")
    assert died["FunctionError"] == "Unhandled"
    assert b"survived" not in died["Payload"].read()
    assert json.load(functions.invoke(FunctionName="victim")["Payload"]) == "survived"


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "sns:Publish"},
        {"action": "sns:Publish", "error": "Busy", "kills": "victim"},
        {"action": "Publish", "error": "Busy"},
        {"action": "sns:Publish", "error": "Busy", "often": 3},
        {"action": "sns:Publish", "error": "Busy", "times": "3"},
    ],
)
def test_an_invalid_fault_is_refused(aws, wrong):
    with pytest.raises(urllib.error.HTTPError):
        aws.faults(wrong)
