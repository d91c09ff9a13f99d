"""How are executions of the state machine started and looked up?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas.clients import error_code
from taxi_etl.ledger import stamp

RUNNING = frozenset({"RUNNING", "PENDING_REDRIVE"})
LISTED_MAX = 1000
"""How many executions one look at the list takes: a page at its largest, those that began last."""


@dataclass(frozen=True)
class Description:
    """An execution as Step Functions describes it; `input` is its text, `started` a ledger stamp,
    `redrives` how often it was sent on its way again."""

    arn: str
    name: str
    status: str
    input: str
    started: str
    error: str = ""
    cause: str = ""
    redrives: int = 0

    @property
    def ended(self) -> bool:
        """Whether the execution will do nothing more by itself."""
        return self.status not in RUNNING


@dataclass(frozen=True)
class Ended:
    """An execution that ended, as the list of executions shows it."""

    name: str
    redrives: int


class Executions:
    """The executions of one state machine."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        """The executions of the machine with this ARN."""
        self._client = client
        self._machine = state_machine_arn

    def arn(self, name: str) -> str:
        """The ARN of the execution of that name, whether there is one or not."""
        return f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"

    def start(self, name: str, text: str) -> str:
        """Start an execution and return its ARN; one that exists already is as good as a new one.

        Names are made from what is to be loaded, and a claim is only started with its own name and input.
        """
        try:
            answer = self._client.start_execution(stateMachineArn=self._machine, name=name, input=text)
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise
            return self.arn(name)
        return str(answer["executionArn"])

    def describe(self, name: str) -> Description | None:
        """An execution, or None when Step Functions knows none of that name (it forgets after 90 days)."""
        try:
            answer = self._client.describe_execution(executionArn=self.arn(name))
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return None
            raise
        return Description(
            arn=answer["executionArn"],
            name=answer["name"],
            status=answer["status"],
            input=answer.get("input", "{}"),
            started=stamp(answer["startDate"]),
            error=answer.get("error") or "",
            cause=answer.get("cause") or "",
            redrives=int(answer.get("redriveCount", 0)),
        )

    def ended_between(self, since: datetime, until: datetime) -> list[Ended]:
        """The executions that ended in that time, out of the `LISTED_MAX` that began last."""
        answer = self._client.list_executions(stateMachineArn=self._machine, maxResults=LISTED_MAX)
        return [
            Ended(entry["name"], int(entry.get("redriveCount", 0)))
            for entry in answer["executions"]
            if entry["status"] not in RUNNING and since <= entry["stopDate"] < until
        ]
