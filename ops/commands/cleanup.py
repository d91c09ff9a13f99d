"""The command `cleanup`: stop what runs too long, and remove what failed deployments left behind.

Finding and removing are separate: each item carries the call that removes it. Nothing that holds data is an
item. The parts of a stack are items only if the stack does not exist.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from ops import deployment, leftovers
from ops.commands.context import app_of, exit_unless
from ops.deployment import Deployment
from ops.errors import CliError
from ops.output import now, table
from ops.session import Session

STOPPED = "StoppedByCleanup"
"""The error of a stopped execution; the finalizer reports it like any failure."""
_ACTIVE_JOB_RUNS = ("STARTING", "RUNNING", "WAITING")


def cleanup(
    context: typer.Context,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Stop and remove; default: only list.")] = False,
    older_than_hours: Annotated[
        float, typer.Option(min=0, help="Stop executions and job runs that started longer ago than this.")
    ] = 24,
    runs_older_than_days: Annotated[
        float | None, typer.Option(min=0, hidden=True, help="Deprecated, without effect.")
    ] = None,
) -> None:
    """Stop executions and job runs that run too long; remove what failed deployments left behind."""
    app = app_of(context)
    if runs_older_than_days is not None:
        app.output.note(
            "--runs-older-than-days has no effect: a lifecycle rule of the bucket expires old documents"
        )
    items, kept = _leftovers(app.session)
    if leftovers.is_deployed(app.session):
        deployed, moment = deployment.discover(app.session), now()
        items += stuck_runs(app.session, deployed, moment - timedelta(hours=older_than_hours), moment)
    results = [(item, _remove(item) if yes else "") for item in items]
    app.output.result(
        {
            "done": yes,
            "items": [{**item.to_json(), "problem": problem or None} for item, problem in results],
            "kept": [each.to_json() for each in kept],
        },
        table(
            *("kind", "name", "reason", "result" if yes else ""),
            rows=(
                (item.kind, item.name, item.reason, problem or ("done" if yes else "with --yes"))
                for item, problem in results
            ),
        )
        if items
        else "there is nothing to clean up",
    )
    for each in kept:
        app.output.note(f"kept {each.kind} {each.name}: {each.reason}")
    if items and not yes:
        command = app.target.command("cleanup", "--older-than-hours", f"{older_than_hours:g}", "--yes")
        app.output.note(f"nothing was stopped or removed; to do it: {command}")
    exit_unless(not any(problem for _, problem in results))


@dataclass(frozen=True)
class Item:
    """Something to stop or remove: what it is, why, and the call that does it."""

    kind: str
    name: str
    reason: str
    remove: Callable[[], Any] = field(compare=False, repr=False)

    def to_json(self) -> dict[str, str]:
        """Return the JSON document of the item."""
        return {"kind": self.kind, "name": self.name, "why": self.reason}


def stuck_runs(session: Session, deployed: Deployment, before: datetime, now: datetime) -> Iterator[Item]:
    """Yield the executions and the job runs that started before a moment and have not ended.

    Job runs are listed too because stopping an execution stops its job run on a best-effort basis only (Step
    Functions Developer Guide, "Run a Job").
    """
    for execution in _running_executions(session, deployed):
        if execution["startDate"] < before:
            age = _age(now - execution["startDate"])
            stop = _execution_stopper(session, execution, age)
            yield Item("execution", execution["name"], f"running for {age}", stop)
    for run in _active_job_runs(session, deployed):
        if run["StartedOn"] < before:
            reason = f"{run['JobRunState']} for {_age(now - run['StartedOn'])}"
            yield Item("job run", run["Id"], reason, _job_run_stopper(session, run))


def _leftovers(session: Session) -> tuple[list[Item], list[leftovers.Kept]]:
    """Return what failed or deleted stacks left behind: items to remove, and parts to keep."""
    items = [
        Item("stack", stack.name, stack.reason, stack.remove) for stack in leftovers.broken_stacks(session)
    ]
    kept = list(leftovers.half_deleted_stacks(session))
    for left in leftovers.orphans(session):
        if left.content:
            reason = (
                f"it holds {left.content} and its stack does not exist; empty it yourself, or adopt it with "
                "cdk import"
            )
            kept.append(leftovers.Kept(left.kind, left.name, reason))
        else:
            items.append(Item(left.kind, left.name, "it is empty and its stack does not exist", left.remove))
    return items, kept


def _remove(item: Item) -> str:
    """Remove an item; return the error as text, empty on success, so that the other items still go."""
    try:
        item.remove()
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error'].get('Message', '')}"
    except CliError as error:
        return error.message
    return ""


def _running_executions(session: Session, deployed: Deployment) -> Iterator[dict[str, Any]]:
    pages = session.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=deployed.state_machine_arn, statusFilter="RUNNING"):
        yield from page["executions"]


def _active_job_runs(session: Session, deployed: Deployment) -> Iterator[dict[str, Any]]:
    pages = session.client("glue").get_paginator("get_job_runs").paginate(JobName=deployed.glue_job_name)
    for page in pages:
        for run in page["JobRuns"]:
            if run["JobRunState"] in _ACTIVE_JOB_RUNS:
                yield {**run, "JobName": deployed.glue_job_name}


def _execution_stopper(session: Session, execution: dict[str, Any], age: str) -> Callable[[], Any]:
    cause = f"taxi-etl cleanup stopped it after {age}"
    arn = execution["executionArn"]
    return lambda: session.client("stepfunctions").stop_execution(
        executionArn=arn, error=STOPPED, cause=cause
    )


def _job_run_stopper(session: Session, run: dict[str, Any]) -> Callable[[], Any]:
    def stop() -> None:
        glue = session.client("glue")
        answer = glue.batch_stop_job_run(JobName=run["JobName"], JobRunIds=[run["Id"]])
        for error in answer.get("Errors", []):
            state = glue.get_job_run(JobName=run["JobName"], RunId=run["Id"])["JobRun"]["JobRunState"]
            if state not in _ACTIVE_JOB_RUNS:
                return  # stopping its execution just before stopped it too
            raise CliError(f"the job run was not stopped: {error.get('ErrorDetail', {})}")

    return stop


def _age(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.0f} days"
