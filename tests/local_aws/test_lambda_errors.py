"""Tests that a function's exception reaches the caller with its class."""

import json

RAISING = """
class FileVanished(Exception):
    pass
def handler(event, context):
    raise FileVanished("no such\\nfile")
"""


def caught(factory, function: str, error: str) -> dict[str, str]:
    """Invoke a function from a state machine that catches this error, and return what it caught."""
    outcome = factory.run(
        {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": function, "Payload": {}},
                "Catch": [{"ErrorEquals": [error], "Output": "{% $states.errorOutput %}", "Next": "Done"}],
                "End": True,
            },
            "Done": {"Type": "Succeed"},
        }
    )
    return json.loads(outcome["output"])


def test_step_functions_sees_the_class_and_can_catch_it(factory):
    output = caught(factory, factory.function("raising", RAISING), "FileVanished")
    assert output["Error"] == "FileVanished"
    cause = json.loads(output["Cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("FileVanished", "no such\nfile")
    assert "raise FileVanished" in cause["stackTrace"][-1]


def test_step_functions_sees_a_throttled_task_as_such(factory):
    function = factory.function("throttled", RAISING)
    factory.aws.client("lambda").put_function_concurrency(
        FunctionName=function, ReservedConcurrentExecutions=0
    )
    error = "Lambda.TooManyRequestsException"
    assert caught(factory, function, error)["Error"] == error


def test_invoke_reports_the_class(factory):
    factory.function("raising", RAISING)
    answer = factory.aws.client("lambda").invoke(FunctionName="raising")
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorType"] == "FileVanished"


def test_a_function_finds_boto3_but_nothing_of_this_project(factory):
    factory.function(
        "importing",
        """
import importlib.util
def handler(event, context):
    return [name for name in event["names"] if importlib.util.find_spec(name)]
""",
    )
    names = ["boto3", "taxi_etl", "local_aws", "pyarrow", "pyspark", "aws_lambda_powertools"]
    answer = factory.aws.client("lambda").invoke(
        FunctionName="importing", Payload=json.dumps({"names": names})
    )
    assert json.load(answer["Payload"]) == ["boto3"]
