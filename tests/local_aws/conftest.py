"""What do the tests of the local AWS share? One running account, and a few things to make in it."""

import io
import json
import zipfile
from typing import Any

import pytest

from tests.fixtures.local_account import Aws, aws, eventually, local_account

__all__ = ["aws", "local_account"]

ROLE = "arn:aws:iam::000000000000:role/anything"


class Workshop:
    """Makes functions and state machines with as little ado as possible."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        aws.client("iam").create_role(RoleName="anything", AssumeRolePolicyDocument="{}")

    def function(self, name: str, code: str, **options: Any) -> str:
        """A Python function of one module with a `handler`; returns its ARN."""
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

    def machine(self, states: dict[str, Any], name: str = "machine", **options: Any) -> str:
        """A JSONata state machine that starts at the first of `states`; returns its ARN."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **options}
        return self.aws.client("stepfunctions").create_state_machine(
            name=name, roleArn=ROLE, definition=json.dumps(definition)
        )["stateMachineArn"]

    def start(self, machine: str, document: Any = None, **options: Any) -> str:
        """Start an execution; returns its ARN."""
        return self.aws.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(document or {}), **options
        )["executionArn"]

    def outcome(self, execution: str, seconds: float = 30) -> dict[str, Any]:
        """The ended execution as DescribeExecution shows it."""
        states = self.aws.client("stepfunctions")
        return eventually(
            lambda: states.describe_execution(executionArn=execution),
            lambda shown: shown["status"] != "RUNNING",
            seconds,
        )

    def run(self, states: dict[str, Any], document: Any = None, **options: Any) -> dict[str, Any]:
        """Make a machine, run it once and return the ended execution."""
        return self.outcome(self.start(self.machine(states, **options), document))

    def history(self, execution: str) -> list[dict[str, Any]]:
        """The execution's events."""
        return self.aws.client("stepfunctions").get_execution_history(executionArn=execution)["events"]

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """An SQS queue: its URL and ARN."""
        sqs = self.aws.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, got["Attributes"]["QueueArn"]

    def messages(self, url: str) -> list[dict[str, Any]]:
        """What lies in a queue now; takes it out."""
        return (
            self.aws.client("sqs")
            .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            .get("Messages", [])
        )


@pytest.fixture
def workshop(aws: Aws) -> Workshop:
    """Makes things in the empty account."""
    return Workshop(aws)
