"""Lists the executions of the workflow, with what the ledger knows about each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ops import history
from ops.deployment import Deployment
from ops.file_outcomes import ledger
from ops.session import Session
from taxi_etl.ledger import ExecutionRecord


class State(StrEnum):
    """The statuses of executions in Step Functions."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


@dataclass(frozen=True)
class ListedExecution:
    """An execution in the list; `files` and `trigger` come from the ledger."""

    name: str
    arn: str
    status: str
    started: datetime
    stopped: datetime | None
    files: int | None
    trigger: str

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document of the execution."""
        return {
            "name": self.name,
            "arn": self.arn,
            "status": self.status,
            "started": self.started,
            "stopped": self.stopped,
            "seconds": (self.stopped - self.started).total_seconds() if self.stopped else None,
            "files": self.files,
            "trigger": self.trigger,
        }


def executions(
    session: Session,
    deployment: Deployment,
    status: State | None = None,
    since: datetime | None = None,
    file: tuple[str, str] | None = None,
) -> Iterator[ListedExecution]:
    """Yield the executions that match, in the order of AWS: roughly, the newest first.

    `since` is the earliest start, `file` the bucket and the beginning of the key of a file in the input.
    """
    records = ledger(session, deployment)
    pages = session.client("stepfunctions").get_paginator("list_executions")
    status_filter = {"statusFilter": str(status)} if status else {}
    for page in pages.paginate(stateMachineArn=deployment.state_machine_arn, **status_filter):
        for entry in page["executions"]:
            if since and entry["startDate"] < since:
                if entry.get("stopDate", since) < since:
                    return  # all others ended even earlier
                continue
            record = records.execution(entry["name"])
            if file:
                text = record.input if record else history.describe(session, deployment, entry["name"]).input
                if not _has_file(text, *file):
                    continue
            yield _listed(entry, record)


def _has_file(text: str, bucket: str, key: str) -> bool:
    """Return whether an execution's input has a file of the bucket whose key has this prefix."""
    return any(
        version.bucket == bucket and version.key.startswith(key) for version in history.input_files(text)
    )


def _listed(entry: dict[str, Any], record: ExecutionRecord | None) -> ListedExecution:
    return ListedExecution(
        name=entry["name"],
        arn=entry["executionArn"],
        status=entry["status"],
        started=entry["startDate"],
        stopped=entry.get("stopDate"),
        files=record.files if record else None,
        trigger=record.trigger if record else "",
    )
