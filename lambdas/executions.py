"""Executions of the state machine: start, describe and list them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from stores.errors import error_code
from taxi_etl.ledger import timestamp
from taxi_etl.names import execution_arn

RUNNING_STATUSES = frozenset({"RUNNING", "PENDING_REDRIVE"})
TRACE_VARIABLE = "_X_AMZN_TRACE_ID"
"""The variable in which Lambda states the trace of an invocation."""
TRACE_MAX = 256
"""The longest trace header that StartExecution takes."""
LISTED_MAX = 1000
"""The largest page of ListExecutions."""


@dataclass(frozen=True)
class Description:
    """An execution as Step Functions describes it.

    `input` is JSON text, `started` a ledger timestamp, `redrives` how often it was redriven.
    """

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
        """Whether the execution has stopped."""
        return self.status not in RUNNING_STATUSES


@dataclass(frozen=True)
class EndedExecution:
    """An ended execution in the list of executions."""

    name: str
    redrives: int


class Executions:
    """The executions of one state machine."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def arn(self, name: str) -> str:
        """Return the ARN of the execution of that name, whether it exists or not."""
        return execution_arn(self._state_machine_arn, name)

    def start(self, name: str, text: str) -> str:
        """Start an execution with the input `text` and return its ARN; starting it again changes nothing.

        A claim is only ever started with its own name and input, so an execution that exists already is the
        intended one. The function's trace continues in the execution.
        """
        trace = os.environ.get(TRACE_VARIABLE, "")
        try:
            answer = self._client.start_execution(
                stateMachineArn=self._state_machine_arn,
                name=name,
                input=text,
                **({"traceHeader": trace} if 0 < len(trace) <= TRACE_MAX else {}),
            )
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise
            return self.arn(name)
        return str(answer["executionArn"])

    def describe(self, name: str) -> Description | None:
        """Describe an execution; None when Step Functions does not have it, or deleted its record."""
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
            started=timestamp(answer["startDate"]),
            error=answer.get("error") or "",
            cause=answer.get("cause") or "",
            redrives=int(answer.get("redriveCount", 0)),
        )

    def describe_ended(self, detail: Mapping[str, Any]) -> Description | None:
        """Describe the execution of a status-change event; None when it is running.

        Raises LookupError when Step Functions does not have the execution.
        """
        if detail["status"] in RUNNING_STATUSES:
            return None
        description = self.describe(detail["name"])
        if description is None:
            raise LookupError(f"Step Functions has no execution {detail['name']}, whose ending it reported")
        if description.ended:
            return description
        if description.redrives > detail.get("redriveCount", 0):
            # It was redriven after this event; the ending of the redrive will send its own event.
            return None
        # DescribeExecution is eventually consistent and may lag behind the event.
        error, cause = detail.get("error") or "", detail.get("cause") or ""
        return replace(description, status=detail["status"], error=error, cause=cause)

    def ended_between(self, since: datetime, until: datetime) -> list[EndedExecution]:
        """List the executions that ended in `[since, until)`, among the `LISTED_MAX` that started last."""
        answer = self._client.list_executions(stateMachineArn=self._state_machine_arn, maxResults=LISTED_MAX)
        return [
            EndedExecution(entry["name"], int(entry.get("redriveCount", 0)))
            for entry in answer["executions"]
            if entry["status"] not in RUNNING_STATUSES and since <= entry["stopDate"] < until
        ]
