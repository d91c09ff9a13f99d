"""The history of an execution from Step Functions: its states with times, and its job run."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import Deployment
from ops.errors import CliError
from ops.session import Session
from taxi_etl import names
from taxi_etl.engines import Engine
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import InvalidInputError, parse_input

SMALL_BATCH_STATE = "RunSmallBatch"
JOB_STATE = "RunGlueETLJob"
CRAWL_STATE = "RunCrawlerUpdate"
ENGINES = {SMALL_BATCH_STATE: Engine.DUCKDB, JOB_STATE: Engine.GLUE}
"""The states that start an engine."""
USUAL_OF = 20
"""How many executions decide what duration is usual."""
FAILURES = ("Failed", "TimedOut", "Aborted")


@dataclass(frozen=True)
class Step:
    """One visit of a state; `left` is None until it ends, `attempts` counts the attempts of a task."""

    state: str
    entered: datetime
    left: datetime | None = None
    attempts: int = 0
    error: str = ""
    cause: str = ""

    @property
    def seconds(self) -> float | None:
        """The duration of the visit, None until it ends."""
        return (self.left - self.entered).total_seconds() if self.left else None

    @property
    def started_crawl(self) -> bool:
        """Whether the visit started a crawl."""
        return self.state == CRAWL_STATE and not self.error

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document of the visit."""
        return {
            "state": self.state,
            "entered": self.entered,
            "left": self.left,
            "seconds": self.seconds,
            "attempts": self.attempts,
            "error": self.error,
            "cause": self.cause,
        }


@dataclass(frozen=True)
class Execution:
    """An execution as Step Functions describes it."""

    name: str
    arn: str
    status: str
    started: datetime
    stopped: datetime | None
    input: str
    error: str = ""
    cause: str = ""

    @property
    def seconds(self) -> float | None:
        """The duration of the execution, None until it ends."""
        return (self.stopped - self.started).total_seconds() if self.stopped else None


def execution_arn(deployment: Deployment, name: str) -> str:
    """Return the ARN of an execution of the workflow, given its name or ARN."""
    if name.startswith("arn:"):
        return name
    return names.execution_arn(deployment.state_machine_arn, name)


def describe(session: Session, deployment: Deployment, name: str) -> Execution:
    """Return the execution with this name or ARN. Raises CliError if it does not exist."""
    execution = find(session, deployment, name)
    if execution is None:
        raise CliError(
            f"execution {name!r} does not exist", f"list the recent ones: {session.target.command('list')}"
        )
    return execution


def find(session: Session, deployment: Deployment, name: str) -> Execution | None:
    """Return the execution with this name or ARN, None if it does not exist."""
    try:
        found = session.client("stepfunctions").describe_execution(
            executionArn=execution_arn(deployment, name)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "InvalidArn"):
            raise
        return None
    return Execution(
        name=found["name"],
        arn=found["executionArn"],
        status=found["status"],
        started=found["startDate"],
        stopped=found.get("stopDate"),
        input=found.get("input", "{}"),
        error=found.get("error", ""),
        cause=readable(found.get("cause", "")),
    )


def events(session: Session, arn: str) -> list[dict[str, Any]]:
    """Return the events of the execution's history, oldest first."""
    pages = session.client("stepfunctions").get_paginator("get_execution_history")
    return [event for page in pages.paginate(executionArn=arn) for event in page["events"]]


def input_files(text: str) -> tuple[FileVersion, ...]:
    """Return the files in an execution's input, none for a manual start whose input cannot be parsed."""
    try:
        return parse_input(json.loads(text)).files
    except (InvalidInputError, ValueError):
        return ()


def steps(history: Iterable[dict[str, Any]]) -> list[Step]:
    """Return the visits of states in order; the workflow has no parallel branches."""
    visits: list[Step] = []
    for event in history:
        kind, details = event["type"], _details(event)
        if kind.endswith("StateEntered"):
            visits.append(Step(details["name"], event["timestamp"]))
        elif not visits or visits[-1].left:
            continue
        elif kind.endswith("StateExited"):
            visits[-1] = replace(visits[-1], left=event["timestamp"])
        elif kind.endswith("Scheduled"):
            visits[-1] = replace(visits[-1], attempts=visits[-1].attempts + 1)
        elif kind.startswith("Execution"):
            error, cause = details.get("error", ""), readable(details.get("cause", ""))
            visits[-1] = replace(visits[-1], left=event["timestamp"], error=error, cause=cause)
        elif kind.endswith(FAILURES):
            cause = readable(details.get("cause", ""))
            visits[-1] = replace(visits[-1], error=details.get("error", ""), cause=cause)
    return visits


def job_run_id(history: Iterable[dict[str, Any]]) -> str:
    """Return the ID of the Glue job run that the execution started, empty if it started none."""
    for document in _answers(history):
        found = document.get("JobRunId") or (document.get("Id") if "JobRunState" in document else None)
        if found:
            return str(found)
    return ""


def job_run(history: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return Glue's description of the ended job run, empty if the execution saw no job run end."""
    return next((document for document in _answers(history) if "JobRunState" in document), {})


def small_batch_cost(history: Iterable[dict[str, Any]]) -> float | None:
    """Return the cost in US dollars that the function for small batches reported, None without one."""
    costs = (payload.get("costUsd") for payload in _payloads(history))
    return next((float(cost) for cost in costs if cost is not None), None)


def usual_seconds(session: Session, deployment: Deployment) -> float | None:
    """Return the median duration of the last successful executions, None if it cannot be known."""
    try:
        answer = session.client("stepfunctions").list_executions(
            stateMachineArn=deployment.state_machine_arn, statusFilter="SUCCEEDED", maxResults=USUAL_OF
        )
    except ClientError:
        return None
    durations = [(each["stopDate"] - each["startDate"]).total_seconds() for each in answer["executions"]]
    return median(durations) if durations else None


def engine_of(steps: Iterable[Step]) -> Engine | None:
    """Return the engine that an execution started last; None if it has started none."""
    started = [ENGINES[step.state] for step in steps if step.state in ENGINES]
    return started[-1] if started else None


def fallback_reason(history: Iterable[dict[str, Any]], steps: Sequence[Step]) -> str:
    """Return why the function for small batches did not load the files and the Glue job was started.

    Empty if the function loaded them or was not invoked.
    """
    if engine_of(steps) is not Engine.GLUE:
        return ""
    for step in steps:
        if step.state == SMALL_BATCH_STATE and step.error:
            return f"{step.error}: {step.cause}"
    reasons = [each["declined"] for each in _payloads(history) if "declined" in each]
    return str(reasons[0]) if reasons else ""


def readable(cause: str) -> str:
    """Return the message in a cause, which for tasks is the service's answer as JSON text."""
    document = _parsed(cause)
    for name in ("ErrorMessage", "errorMessage", "message"):
        if document.get(name):
            return str(document[name])
    return cause


def _answers(history: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the answers of tasks: their outputs, and the causes of their failures."""
    for event in history:
        details = _details(event)
        yield from (_parsed(details.get(name)) for name in ("output", "cause"))


def _payloads(history: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the documents that invoked functions returned."""
    payloads = (document.get("Payload") for document in _answers(history))
    yield from (payload for payload in payloads if isinstance(payload, dict))


def _parsed(text: str | None) -> dict[str, Any]:
    try:
        document = json.loads(text or "")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _details(event: dict[str, Any]) -> dict[str, Any]:
    return next((value for name, value in event.items() if name.endswith("EventDetails")), {})
