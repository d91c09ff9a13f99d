"""The command `list`: the recent executions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

import typer

from ops import completion, history
from ops.commands.context import app_of
from ops.commands.options import bucket_and_key
from ops.deployment import Deployment
from ops.file_outcomes import ledger
from ops.moments import parse_since
from ops.output import duration, local_time, now, table
from ops.session import Session
from taxi_etl.ledger import ExecutionRecord


class State(StrEnum):
    """The statuses of executions in Step Functions."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


def list_executions(
    context: typer.Context,
    *,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Number of executions.")] = 20,
    status: Annotated[State | None, typer.Option(case_sensitive=False, help="Only this status.")] = None,
    since: Annotated[
        str, typer.Option(help="Only those started since then, such as 45m, 12h, 7d, or the date 2024-06-01.")
    ] = "",
    file: Annotated[
        str,
        typer.Option(
            help="Only those of this file or key prefix, as object key or s3://BUCKET/KEY.",
            autocompletion=completion.files,
        ),
    ] = "",
) -> None:
    """List the recent executions, newest first."""
    app = app_of(context)
    after = moment_of(since) if since else None
    bucket_key = bucket_and_key(file, app.deployment.bucket_name) if file else None
    matches = islice(executions(app.session, app.deployment, status, after, bucket_key), count)
    # AWS sorts ended executions by the time when they ended, not by their start.
    found = sorted(matches, key=lambda each: each.started, reverse=True)
    app.output.result(
        {"executions": [each.to_json() for each in found]},
        table(
            *("execution", "status", "started", "duration", "files", "trigger"),
            rows=(
                (
                    each.name,
                    each.status,
                    local_time(each.started),
                    duration(((each.stopped or now()) - each.started).total_seconds()),
                    each.files,
                    each.trigger,
                )
                for each in found
            ),
        ),
    )
    if found:
        return
    if status or since or file:
        app.output.note(f"no execution matches; list the recent ones: {app.target.command('list')}")
    else:
        app.output.note(f"there are no executions yet; upload a file: {app.target.command('upload', 'FILE')}")


def moment_of(text: str) -> datetime:
    """Parse the option --since. Raises BadParameter, also for a moment in the future."""
    present = now()
    try:
        found = parse_since(text, present)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
    if found > present:
        raise typer.BadParameter(f"{text!r} is in the future", param_hint="--since")
    return found


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
