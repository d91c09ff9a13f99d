"""Commands that `taxi-etl` sends to etl-orchestrator; they start files the same way as S3 events do.

    {"command": "start", "bucket", "files": [...], "trigger": "manual" | "backfill"}
    {"command": "replay", "bucket", "files": [...]}   {"command": "replay", "execution": NAME}
    {"command": "replay_held"}

Each may have an `engine`, which goes into the inputs of the new executions (`taxi_etl.inputs`).
Each returns `{"executions": [{"name", "arn", "files", "state"}]}`. `replay_held` adds `more`, which is true
when it stopped before the timeout and must be sent again. A command that cannot be run as it is returns
`{"refused": REASON}`: a mistake of the caller must not raise the alarm for errors of the function.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from lambdas.etl_orchestrator.dispatch import DispatchedExecution, Dispatcher
from lambdas.observability import count, logger
from taxi_etl.engines import EngineChoice
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import (
    CURRENT_VERSION,
    InvalidInputError,
    Trigger,
    effective_engine,
    parse_engine,
    parse_files,
    parse_input,
)
from taxi_etl.metrics import Metric

START_TRIGGERS = (Trigger.MANUAL, Trigger.BACKFILL)
HELD_CHUNK = 500
"""How many held files are started before the remaining time is checked again."""
STOP_BEFORE_TIMEOUT_MS = 15_000
"""Milliseconds before the timeout at which `replay_held` stops."""


class RefusedCommandError(ValueError):
    """A command that is invalid; the message names the next step."""


class StartError(RuntimeError):
    """A command that did not start all of its files; the message names the next step."""


def run(
    command: Mapping[str, Any],
    dispatcher: Dispatcher,
    remaining_ms: Callable[[], int],
    deployed_engine: EngineChoice,
) -> dict[str, Any]:
    """Run a command and return its result, or why it is refused. Raises StartError, and AWS faults."""
    try:
        engine = parse_engine(command.get("engine"))
        effective_engine(engine, deployed_engine)
        return _run(command, engine, dispatcher, remaining_ms)
    except (RefusedCommandError, InvalidInputError) as error:
        logger.warning("command refused", reason=str(error))
        return {"refused": str(error)}


def _run(
    command: Mapping[str, Any],
    engine: EngineChoice | None,
    dispatcher: Dispatcher,
    remaining_ms: Callable[[], int],
) -> dict[str, Any]:
    match command.get("command"):
        case "start":
            return _start(command, engine, dispatcher)
        case "replay":
            return _replay(command, engine, dispatcher)
        case "replay_held":
            return _replay_held(engine, dispatcher, remaining_ms)
        case name:
            raise RefusedCommandError(f'"command" must be start, replay or replay_held, not {name!r}')


def _start(command: Mapping[str, Any], engine: EngineChoice | None, dispatcher: Dispatcher) -> dict[str, Any]:
    trigger = command.get("trigger", Trigger.MANUAL)
    if trigger not in START_TRIGGERS:
        raise RefusedCommandError(
            f'"trigger" of a start must be one of {", ".join(START_TRIGGERS)}, not {trigger!r}'
        )
    return _result(_dispatch(dispatcher, _named_files(command), Trigger(trigger), engine))


def _replay(
    command: Mapping[str, Any], engine: EngineChoice | None, dispatcher: Dispatcher
) -> dict[str, Any]:
    by_name = "execution" in command
    files = _files_of(dispatcher, command["execution"]) if by_name else _named_files(command)
    return _result(_dispatch(dispatcher, files, Trigger.REPLAY, engine))


def _replay_held(
    engine: EngineChoice | None, dispatcher: Dispatcher, remaining_ms: Callable[[], int]
) -> dict[str, Any]:
    held = dispatcher.ledger.held_files()
    executions: list[DispatchedExecution] = []
    while chunk := [record.version for record in islice(held, HELD_CHUNK)]:
        executions += _dispatch(dispatcher, chunk, Trigger.REPLAY, engine)
        if remaining_ms() < STOP_BEFORE_TIMEOUT_MS:
            return {**_result(executions), "more": True}
    return {**_result(executions), "more": False}


def _named_files(command: Mapping[str, Any]) -> tuple[FileVersion, ...]:
    bucket = command.get("bucket")
    if not isinstance(bucket, str) or not bucket:
        raise RefusedCommandError('"bucket" is missing')
    versions = parse_files(bucket, command.get("files"))
    for version in versions:
        if version.version_id == CURRENT_VERSION:
            raise RefusedCommandError(
                f"{version.uri} has no versionId; name a version of each file, in a versioned bucket"
            )
    return versions


def _files_of(dispatcher: Dispatcher, execution: str) -> tuple[FileVersion, ...]:
    """Return the files of an execution: those in its input, and those that validation completed."""
    record = dispatcher.ledger.execution(execution)
    if record is None:
        raise RefusedCommandError(
            f"the ledger has no execution {execution!r}; replay its files by bucket and key instead"
        )
    named = parse_input(json.loads(record.input)).files
    owned = [file.version for file in dispatcher.ledger.files_of(execution)]
    versions = {
        version.identity: version for version in (*owned, *named) if version.version_id != CURRENT_VERSION
    }
    if not versions:
        raise RefusedCommandError(
            f"the ledger has no file version of execution {execution!r}; start its files again"
        )
    return tuple(versions.values())


def _dispatch(
    dispatcher: Dispatcher, files: Iterable[FileVersion], trigger: Trigger, engine: EngineChoice | None
) -> list[DispatchedExecution]:
    report = dispatcher.dispatch(files, trigger, engine)
    count(Metric.EXECUTIONS_STARTED, report.started())
    if report.failed:
        raise StartError(
            f"{len(report.failed)} files could not be started, see the function's log for the reason; "
            "repeat the command: files that did start are not started twice"
        )
    return list(report.executions.values())


def _result(executions: Iterable[DispatchedExecution]) -> dict[str, Any]:
    return {"executions": [execution.to_json() for execution in executions]}
