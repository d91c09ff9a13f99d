"""Fixtures of the local AWS's tests: one running account and a factory of resources in it."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.local_account import Aws, aws, eventually, local_account

__all__ = ["aws", "local_account"]

ROLE = "arn:aws:iam::000000000000:role/anything"
CALLER = """
import boto3
from botocore.exceptions import ClientError
def handler(event, context):
    try:
        getattr(boto3.client(event["service"]), event["operation"])(**event["arguments"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""
"""


class ResourceFactory:
    """Creates functions, state machines and queues with defaults for tests."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        aws.client("iam").create_role(RoleName="anything", AssumeRolePolicyDocument="{}")

    def function(self, name: str, code: str, **options: Any) -> str:
        """Create a Python function of one module with a `handler`, and return its ARN."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("module.py", code)
        return self.aws.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="module.handler",
            Code={"ZipFile": content.getvalue()},
            **{"Timeout": 20, **options},
        )["FunctionArn"]

    def allow(self, *permissions: tuple[str, str], **condition: Any) -> None:
        """Enforce roles, and restrict the role to these pairs of action and resource."""
        statements = [
            {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}
            for action, resource in permissions
        ]
        self.aws.client("iam").put_role_policy(
            RoleName=ROLE.rpartition("/")[2],
            PolicyName="permissions",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        )
        self.aws.settings(enforce_roles=True)

    def caller(self) -> Callable[..., str]:
        """Create a Lambda function that calls AWS with its role, and return a callable that invokes it.

        `call("s3", "list_buckets")` returns the error's code, empty on success.
        """
        self.function("caller", CALLER)

        def call(service: str, operation: str, **arguments: Any) -> str:
            request = {"service": service, "operation": operation, "arguments": arguments}
            answer = self.aws.client("lambda").invoke(FunctionName="caller", Payload=json.dumps(request))
            assert "FunctionError" not in answer, answer["Payload"].read()
            return str(json.load(answer["Payload"]))

        return call

    def machine(self, states: dict[str, Any], name: str = "machine", **options: Any) -> str:
        """Create a JSONata state machine that starts at the first of `states`, and return its ARN."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **options}
        return self.aws.client("stepfunctions").create_state_machine(
            name=name, roleArn=ROLE, definition=json.dumps(definition)
        )["stateMachineArn"]

    def start(self, machine: str, document: Any = None, **options: Any) -> str:
        """Start an execution and return its ARN."""
        return self.aws.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(document or {}), **options
        )["executionArn"]

    def outcome(self, execution: str, seconds: float = 30) -> dict[str, Any]:
        """Wait for the execution to end and return DescribeExecution's response."""
        states = self.aws.client("stepfunctions")
        return eventually(
            lambda: states.describe_execution(executionArn=execution),
            lambda execution: execution["status"] != "RUNNING",
            seconds,
        )

    def run(self, states: dict[str, Any], document: Any = None, **options: Any) -> dict[str, Any]:
        """Create a state machine, run it once and return the ended execution."""
        return self.outcome(self.start(self.machine(states, **options), document))

    def history(self, execution: str) -> list[dict[str, Any]]:
        """Return the execution's events."""
        return self.aws.client("stepfunctions").get_execution_history(executionArn=execution)["events"]

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """Create an SQS queue and return its URL and ARN."""
        sqs = self.aws.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, got["Attributes"]["QueueArn"]

    def messages(self, url: str) -> list[dict[str, Any]]:
        """Receive the visible messages of a queue."""
        return (
            self.aws.client("sqs")
            .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            .get("Messages", [])
        )


@pytest.fixture
def factory(aws: Aws) -> ResourceFactory:
    """A factory of resources in the empty account."""
    return ResourceFactory(aws)
