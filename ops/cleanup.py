"""What may go? Executions that run for too long, documents of old runs, and what a failed deployment left.

Looking and acting are apart: the functions here find items, and each item knows how to remove itself. Nothing
that holds data is ever among them, and a stack's parts only when the stack is not there at all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ops import leftovers
from ops.deployment import Deployment
from ops.errors import CliError
from ops.file_outcomes import ledger
from ops.session import Session
from taxi_etl.ledger import timestamp
from taxi_etl.names import RUNS_PREFIX, STATE_MACHINE

STOPPED = "StoppedByCleanup"
"""The error of executions that were stopped; the closer tells of them as of any failure."""
DELETE_MAX = 1000
"""Objects in one DeleteObjects."""
_ACTIVE_JOB_RUNS = ("STARTING", "RUNNING", "WAITING")


@dataclass(frozen=True)
class Item:
    """Something that may go: what it is, why, and how to remove it."""

    kind: str
    name: str
    why: str
    remove: Callable[[], Any] = field(compare=False, repr=False)

    def to_json(self) -> dict[str, str]:
        """What `--json` prints about it."""
        return {"kind": self.kind, "name": self.name, "why": self.why}


def stale_executions(
    session: Session, deployment: Deployment, before: datetime, now: datetime
) -> Iterator[Item]:
    """Running executions that started before a moment, and job runs that did.

    Stopping an execution stops its job run on a best-effort basis only (Step Functions developer guide, Run a
    Job).
    """
    for found in _running(session, deployment):
        if found["startDate"] < before:
            age = _age(now - found["startDate"])
            yield Item("execution", found["name"], f"runs for {age}", _stopper(session, found, age))
    for run in _job_runs(session, deployment):
        if run["StartedOn"] < before:
            age = _age(now - run["StartedOn"])
            yield Item("job run", run["Id"], f"is {run['JobRunState']} for {age}", _ender(session, run))


def old_runs(session: Session, deployment: Deployment, before: datetime, now: datetime) -> Iterator[Item]:
    """The documents of each execution whose newest one was written before a moment, and that is closed."""
    prefix = f"{RUNS_PREFIX}{STATE_MACHINE}/"
    pages = session.client("s3").get_paginator("list_objects_v2")
    documents: dict[str, list[dict[str, Any]]] = {}
    for page in pages.paginate(Bucket=deployment.bucket_name, Prefix=prefix):
        for entry in page.get("Contents", []):
            execution = entry["Key"].removeprefix(prefix).partition("/")[0]
            documents.setdefault(execution, []).append(entry)
    old = {
        name: entries
        for name, entries in documents.items()
        if max(entry["LastModified"] for entry in entries) < before
    }
    running = _open_executions(session, deployment, now) if old else set()
    for name, entries in old.items():
        if name not in running:
            newest = max(entry["LastModified"] for entry in entries)
            why = f"{len(entries)} documents, the newest of {newest:%Y-%m-%d}"
            keys = [entry["Key"] for entry in entries]
            yield Item("run documents", name, why, _deleter(session, deployment.bucket_name, keys))


def failed_deployment(session: Session) -> tuple[list[Item], list[leftovers.Kept]]:
    """What a failed deployment, or destroyed stacks, left; and what of it stays since it holds data."""
    items = [Item("stack", stack.name, stack.why, stack.remove) for stack in leftovers.broken_stacks(session)]
    kept = list(leftovers.half_deleted_stacks(session))
    for left in leftovers.orphans(session):
        if left.holds:
            why = f"it holds {left.holds}, and its stack is gone; empty it yourself, or adopt it: cdk import"
            kept.append(leftovers.Kept(left.kind, left.name, why))
        else:
            items.append(Item(left.kind, left.name, "it is empty, and its stack is gone", left.remove))
    return items, kept


def _running(session: Session, deployment: Deployment) -> Iterator[dict[str, Any]]:
    pages = session.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=deployment.state_machine_arn, statusFilter="RUNNING"):
        yield from page["executions"]


def _job_runs(session: Session, deployment: Deployment) -> Iterator[dict[str, Any]]:
    pages = session.client("glue").get_paginator("get_job_runs").paginate(JobName=deployment.glue_job_name)
    for page in pages:
        for run in page["JobRuns"]:
            if run["JobRunState"] in _ACTIVE_JOB_RUNS:
                yield {**run, "JobName": deployment.glue_job_name}


def _open_executions(session: Session, deployment: Deployment, now: datetime) -> set[str]:
    """The executions that run, and those whose claims are open: their documents are still wanted."""
    open_claims = ledger(session, deployment).open_executions(timestamp(now))
    claimed = {record.name for record in open_claims}
    return claimed | {found["name"] for found in _running(session, deployment)}


def _stopper(session: Session, execution: dict[str, Any], age: str) -> Callable[[], Any]:
    cause = f"taxi-etl cleanup stopped it after {age}"
    arn = execution["executionArn"]
    return lambda: session.client("stepfunctions").stop_execution(
        executionArn=arn, error=STOPPED, cause=cause
    )


def _ender(session: Session, run: dict[str, Any]) -> Callable[[], Any]:
    def end() -> None:
        glue = session.client("glue")
        answer = glue.batch_stop_job_run(JobName=run["JobName"], JobRunIds=[run["Id"]])
        for error in answer.get("Errors", []):
            now = glue.get_job_run(JobName=run["JobName"], RunId=run["Id"])["JobRun"]["JobRunState"]
            if now not in _ACTIVE_JOB_RUNS:
                return  # its execution, stopped just before, took it along
            raise CliError(f"the job run was not stopped: {error.get('ErrorDetail', {})}")

    return end


def _deleter(session: Session, bucket: str, keys: list[str]) -> Callable[[], Any]:
    def delete() -> None:
        for first in range(0, len(keys), DELETE_MAX):
            batch = [{"Key": key} for key in keys[first : first + DELETE_MAX]]
            answer = session.client("s3").delete_objects(
                Bucket=bucket, Delete={"Objects": batch, "Quiet": True}
            )
            for error in answer.get("Errors", []):
                raise CliError(f"{error.get('Key')}: {error.get('Code')}: {error.get('Message')}")

    return delete


def _age(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.0f} days"
