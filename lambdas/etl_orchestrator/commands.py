"""What may an operator ask for? The commands of `taxi-etl`: every start goes through the same door as events.

    {"command": "start", "bucket", "files": [...], "trigger": "manual" | "backfill"}
    {"command": "replay", "bucket", "files": [...]}   {"command": "replay", "execution": NAME}
    {"command": "replay_held"}

Each answers `{"executions": [{"name", "arn", "files", "state"}]}`; `replay_held` adds `more`, true when it
stopped early for want of time and should be asked again.
"""

import json
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from lambdas.etl_orchestrator.dispatch import Dispatched, Dispatcher
from lambdas.observability import count
from taxi_etl import ledger
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import CURRENT_VERSION, Trigger, parse_files, parse_input
from taxi_etl.ledger import FileRecord
from taxi_etl.metrics import Metric

STARTING = (Trigger.MANUAL, Trigger.BACKFILL)
HELD_CHUNK = 500
"""How many held files are started between two looks at the clock."""
TIME_TO_STOP = 15_000
"""Milliseconds before the timeout at which `replay_held` begins nothing new."""


class CommandError(ValueError):
    """A command that makes no sense, or did not start all it should; the message says what to do."""


def run(command: Mapping[str, Any], dispatcher: Dispatcher, remaining: Callable[[], int]) -> dict[str, Any]:
    """Do what a command says; `remaining` tells the milliseconds left.

    Raises CommandError, and InvalidInputError for lists of files that are none.
    """
    name = command.get("command")
    if name == "start":
        trigger = command.get("trigger", Trigger.MANUAL)
        if trigger not in STARTING:
            raise CommandError(f'"trigger" of a start must be one of {", ".join(STARTING)}, not {trigger!r}')
        return _answer(_dispatch(dispatcher, _named_files(command), Trigger(trigger)))
    if name == "replay":
        files = (
            _files_of(dispatcher, command["execution"]) if "execution" in command else _named_files(command)
        )
        return _answer(_dispatch(dispatcher, files, Trigger.REPLAY))
    if name == "replay_held":
        return _replay_held(dispatcher, remaining)
    raise CommandError(f'"command" must be start, replay or replay_held, not {name!r}')


def _named_files(command: Mapping[str, Any]) -> tuple[FileVersion, ...]:
    bucket = command.get("bucket")
    if not isinstance(bucket, str) or not bucket:
        raise CommandError('"bucket" is missing')
    versions = parse_files(bucket, command.get("files"))
    unnamed = next((version for version in versions if version.version_id == CURRENT_VERSION), None)
    if unnamed:
        raise CommandError(
            f"{unnamed.uri} has no versionId; the bucket must be versioned, and each file named so"
        )
    return versions


def _files_of(dispatcher: Dispatcher, execution: str) -> tuple[FileVersion, ...]:
    """The files of an execution: those it was started with, and those validation completed."""
    record = dispatcher.table.execution(execution)
    if record is None:
        raise CommandError(
            f"no execution {execution!r} is on record; replay its files by bucket and key instead"
        )
    named = parse_input(json.loads(record.input)).files
    owned = [
        FileRecord.from_item(item).version
        for item in dispatcher.table.query(ledger.files_of(execution))
        if item["sk"] != ledger.EXECUTION_SORT_KEY
    ]
    versions = {each.identity: each for each in (*owned, *named) if each.version_id != CURRENT_VERSION}
    if not versions:
        raise CommandError(f"execution {execution!r} got no file on record; start its files anew")
    return tuple(versions.values())


def _replay_held(dispatcher: Dispatcher, remaining: Callable[[], int]) -> dict[str, Any]:
    items = dispatcher.table.query(ledger.held_files())
    found: list[Dispatched] = []
    while chunk := [FileRecord.from_item(item).version for item in islice(items, HELD_CHUNK)]:
        found += _dispatch(dispatcher, chunk, Trigger.REPLAY)
        if remaining() < TIME_TO_STOP:
            return {**_answer(found), "more": True}
    return {**_answer(found), "more": False}


def _dispatch(dispatcher: Dispatcher, files: Any, trigger: Trigger) -> list[Dispatched]:
    report = dispatcher.dispatch(files, trigger)
    count(Metric.EXECUTIONS_STARTED, report.started())
    if report.failed:
        raise CommandError(
            f"{len(report.failed)} files could not be started, the function's log says why; "
            "give the same command again: what did start will not start twice"
        )
    return list(report.executions.values())


def _answer(executions: list[Dispatched]) -> dict[str, Any]:
    return {"executions": [each.to_json() for each in executions]}
