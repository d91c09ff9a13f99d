"""The command `list`: the recent executions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from ops.commands.context import app_of
from ops.deployment import Deployment
from ops.file_outcomes import ledger
from ops.output import duration, local_time, now, table
from ops.session import Session


def list_executions(
    context: typer.Context,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Number of executions.")] = 20,
    status: Annotated[
        str, typer.Option(help="Only this status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.")
    ] = "",
) -> None:
    """List the recent executions, newest first."""
    app = app_of(context)
    found = recent_executions(app.session, app.deployment, count, status.upper())
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
    if not found:
        app.output.note(f"there are no executions yet; upload a file: {app.target.command('upload', 'FILE')}")


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


def recent_executions(
    session: Session, deployment: Deployment, count: int, status: str = ""
) -> list[ListedExecution]:
    """Return the newest executions, the latest start first; with `status`, only those in this status."""
    pages = session.client("stepfunctions").get_paginator("list_executions")
    status_filter = {"statusFilter": status} if status else {}
    answer = pages.paginate(
        stateMachineArn=deployment.state_machine_arn, PaginationConfig={"MaxItems": count}, **status_filter
    )
    found = [_listed(session, deployment, entry) for page in answer for entry in page["executions"]]
    # AWS sorts the executions that have ended by their end, not by their start.
    return sorted(found, key=lambda each: each.started, reverse=True)


def _listed(session: Session, deployment: Deployment, entry: dict[str, Any]) -> ListedExecution:
    record = ledger(session, deployment).execution(entry["name"])
    return ListedExecution(
        name=entry["name"],
        arn=entry["executionArn"],
        status=entry["status"],
        started=entry["startDate"],
        stopped=entry.get("stopDate"),
        files=record.files if record else None,
        trigger=record.trigger if record else "",
    )
