"""Do the operator's commands go through the same door as events, and answer what became of them?"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fakes.dynamodb import Table
from fakes.faults import fault
from fakes.step_functions import EXECUTION, StepFunctions

from lambdas.ledger_table import LedgerTable
from taxi_etl import ledger
from taxi_etl.identity import FileVersion, execution_name
from taxi_etl.inputs import ExecutionInput, Trigger
from taxi_etl.ledger import Claim, FileStatus

Handler = Callable[[Any], Any]
NOW, LATER = "2024-06-01T12:00:00.000Z", "2024-06-01T12:01:00.000Z"
A, B, C = (FileVersion("lake", f"raw/taxi/{letter}.csv", f"v-{letter}", 10, "e", "0A") for letter in "abc")


def entries(*versions: FileVersion) -> list[dict[str, Any]]:
    return [version.to_json() for version in versions]


def start(*versions: FileVersion, **more: Any) -> dict[str, Any]:
    return {"command": "start", "bucket": "lake", "files": entries(*versions), **more}


def replay(*versions: FileVersion) -> dict[str, Any]:
    return {"command": "replay", "bucket": "lake", "files": entries(*versions)}


def answer(name: str, files: int, state: str) -> dict[str, Any]:
    return {"name": name, "arn": f"{EXECUTION}:{name}", "files": files, "state": state}


def again(files: list[FileVersion], attempt: int = 2) -> str:
    """The name that an execution has which people asked for at noon."""
    return execution_name(files, attempt, NOW)


def close(
    table: Table, step_functions: StepFunctions, name: str, *files: FileVersion, **outcome: Any
) -> None:
    """Let an execution end, and close it as the closer would."""
    step_functions.end(name, "SUCCEEDED")
    adapter = LedgerTable(table, "ledger")
    for version in files:
        assert adapter.update(ledger.close_file(version, name, {"status": FileStatus.FAILED, **outcome}, NOW))
    assert adapter.update(ledger.acquire_lease(name, NOW, LATER))
    assert adapter.update(ledger.close_execution_item(name, LATER, {"redrives": 0}, NOW))


@pytest.mark.parametrize(("more", "trigger"), [({}, "manual"), ({"trigger": "backfill"}, "backfill")])
def test_a_start_answers_the_execution_it_started(
    orchestrate: Handler,
    step_functions: StepFunctions,
    metrics: Callable[[], Any],
    more: dict[str, str],
    trigger: str,
) -> None:
    name = again([A, B], 1) if more else execution_name([A, B])
    assert orchestrate(start(A, B, **more)) == {"executions": [answer(name, 2, "started")]}
    assert json.loads(step_functions.runs[name].input)["trigger"] == trigger
    assert metrics() == {"ExecutionsStarted": 1}


def test_a_start_of_what_runs_answers_running_and_of_what_is_done_closed(
    orchestrate: Handler, step_functions: StepFunctions, table: Table
) -> None:
    name = execution_name([A, B])
    orchestrate(start(A, B))
    assert orchestrate(start(A)) == {"executions": [answer(name, 2, "running")]}
    close(table, step_functions, name, A, B)
    assert orchestrate(start(A)) == {"executions": [answer(name, 1, "closed")]}
    assert list(step_functions.runs) == [name]


def test_a_replay_starts_what_is_done_once_more_under_a_new_name(
    orchestrate: Handler, step_functions: StepFunctions, table: Table
) -> None:
    first, second = execution_name([A, B]), again([A, B])
    orchestrate(start(A, B))
    close(table, step_functions, first, A, B)
    assert orchestrate(replay(A, B)) == {"executions": [answer(second, 2, "started")]}
    assert json.loads(step_functions.runs[second].input)["trigger"] == "replay"
    assert second == f"{first}-2-20240601120000000"
    close(table, step_functions, second, A, B)
    assert orchestrate(replay(A, B))["executions"][0]["name"] == again([A, B], 3)


def test_a_replay_of_what_still_runs_starts_nothing(
    orchestrate: Handler, step_functions: StepFunctions
) -> None:
    orchestrate(start(A))
    assert orchestrate(replay(A)) == {"executions": [answer(execution_name([A]), 1, "running")]}
    assert len(step_functions.runs) == 1


def test_a_replay_of_files_never_seen_is_their_first_load(orchestrate: Handler) -> None:
    assert orchestrate(replay(A)) == {"executions": [answer(again([A], 1), 1, "started")]}


@pytest.mark.parametrize("ask", [lambda: replay(A, B), lambda: start(A, B, trigger="backfill")])
def test_with_a_new_ledger_files_load_again_though_their_old_executions_are_remembered(
    orchestrate: Handler,
    step_functions: StepFunctions,
    table: Table,
    clock: Any,
    ask: Callable[[], dict[str, Any]],
) -> None:
    old = [execution_name([A, B]), again([A, B])]
    orchestrate(start(A, B))
    close(table, step_functions, old[0], A, B)
    orchestrate(replay(A, B))
    step_functions.end(old[1], "SUCCEEDED")
    table.items.clear()
    clock.forward(days=1)
    (started,) = orchestrate(ask())["executions"]
    assert started["state"] == "started"
    assert [*step_functions.runs] == [*old, started["name"]]


def test_the_attempt_of_a_replay_is_above_that_of_all_its_files(
    orchestrate: Handler, step_functions: StepFunctions, table: Table
) -> None:
    orchestrate(start(A))
    close(table, step_functions, execution_name([A]), A)
    orchestrate(replay(A))
    close(table, step_functions, again([A]), A)
    orchestrate(start(B))
    close(table, step_functions, execution_name([B]), B)
    assert orchestrate(replay(A, B))["executions"][0]["name"] == again([A, B], 3)


def test_a_replay_by_execution_takes_all_its_files(
    orchestrate: Handler, step_functions: StepFunctions, table: Table
) -> None:
    name = execution_name([A, B])
    orchestrate(start(A, B))
    close(table, step_functions, name, A, B)
    answered = orchestrate({"command": "replay", "execution": name})
    assert answered == {"executions": [answer(again([A, B]), 2, "started")]}


def test_files_over_which_a_job_died_are_replayed_one_by_one(
    orchestrate: Handler, step_functions: StepFunctions, table: Table
) -> None:
    name = execution_name([A, B, C])
    orchestrate(start(A, B, C))
    close(table, step_functions, name, A, B, C, alone=True)
    answered = orchestrate({"command": "replay", "execution": name})["executions"]
    assert sorted((each["name"], each["files"]) for each in answered) == sorted(
        (again([version]), 1) for version in (A, B, C)
    )
    close(table, step_functions, again([A]), A)
    close(table, step_functions, again([B]), B)
    assert len(orchestrate(replay(A, B))["executions"]) == 1


def test_a_replay_of_an_execution_started_by_hand_takes_the_versions_it_found(
    orchestrate: Handler, table: Table, step_functions: StepFunctions
) -> None:
    adapter = LedgerTable(table, "ledger")
    adopted = {"input": '{"bucket": "lake", "key": "raw/taxi/a.csv"}', "files": 1, "bucket": "lake"}
    adapter.update(ledger.acquire_lease("byhand", NOW, LATER, adopted=adopted))
    adapter.update(ledger.close_file(A, "byhand", {"status": FileStatus.FAILED}, NOW, adopted_since=NOW))
    adapter.update(ledger.close_execution_item("byhand", LATER, {"redrives": 0}, NOW))
    answered = orchestrate({"command": "replay", "execution": "byhand"})
    assert answered == {"executions": [answer(again([A]), 1, "started")]}


def test_a_replay_of_an_execution_that_never_knew_its_version_is_refused(
    orchestrate: Handler, table: Table
) -> None:
    adopted = {"input": '{"bucket": "lake", "key": "raw/taxi/a.csv"}', "files": 1, "bucket": "lake"}
    LedgerTable(table, "ledger").update(ledger.acquire_lease("byhand", NOW, LATER, adopted=adopted))
    with pytest.raises(ValueError, match="'byhand' got no file on record; start its files anew"):
        orchestrate({"command": "replay", "execution": "byhand"})


def hold(table: Table, *versions: FileVersion) -> None:
    for version in versions:
        LedgerTable(table, "ledger").update(ledger.hold(version, NOW))


def test_held_files_are_started_in_batches(
    orchestrate: Handler, step_functions: StepFunctions, table: Table
) -> None:
    hold(table, A, C, B)
    name = again([A, B, C], 1)
    assert orchestrate({"command": "replay_held"}) == {
        "executions": [answer(name, 3, "started")],
        "more": False,
    }
    assert orchestrate({"command": "replay_held"}) == {"executions": [], "more": False}
    assert len(step_functions.runs) == 1


def test_many_held_files_are_started_as_far_as_time_allows(
    orchestrate: Handler, step_functions: StepFunctions, table: Table, context: Any
) -> None:
    table.page_size = 100
    hold(table, *(FileVersion("lake", f"raw/taxi/{number:04}.csv", "v") for number in range(600)))
    context.remaining = 14_999
    answered = orchestrate({"command": "replay_held"})
    assert (len(answered["executions"]), answered["more"]) == (6, True)  # 500 files: five times 99, and 5
    context.remaining = 15_000
    answered = orchestrate({"command": "replay_held"})
    assert (len(answered["executions"]), answered["more"]) == (2, False)
    assert sum(len(json.loads(run.input)["files"]) for run in step_functions.runs.values()) == 600


def test_a_command_that_could_not_start_all_says_so_and_may_be_repeated(
    orchestrate: Handler, step_functions: StepFunctions
) -> None:
    step_functions.fail("start_execution", fault("ThrottlingException"))
    with pytest.raises(ValueError, match="2 files could not be started"):
        orchestrate(start(A, B))
    assert orchestrate(start(A, B)) == {"executions": [answer(execution_name([A, B]), 2, "running")]}


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ({}, '"command" must be start, replay or replay_held, not None'),
        ({"command": "stop"}, "not 'stop'"),
        ({"command": "start", "files": entries(A)}, '"bucket" is missing'),
        ({"command": "start", "bucket": 5, "files": entries(A)}, '"bucket" is missing'),
        ({"command": "start", "bucket": "lake"}, '"files" must be a list'),
        ({"command": "start", "bucket": "lake", "files": []}, "at least one file"),
        (start(FileVersion("lake", "raw/taxi/a.csv", "")), "s3://lake/raw/taxi/a.csv has no versionId"),
        (start(A, trigger="s3"), "must be one of manual, backfill, not 's3'"),
        ({"command": "replay", "execution": "unknown"}, "no execution 'unknown' is on record"),
    ],
)
def test_commands_that_make_no_sense_are_refused_with_the_reason(
    orchestrate: Handler, step_functions: StepFunctions, command: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        orchestrate(command)
    assert step_functions.runs == {}


def test_an_input_written_by_a_claim_reads_as_the_files_that_were_claimed(table: Table) -> None:
    text = ExecutionInput("lake", (A,), Trigger.S3).dumps()
    adapter = LedgerTable(table, "ledger")
    adapter.transact(ledger.claim(Claim("one", text, "s3", (A,)), NOW))
    record = adapter.execution("one")
    assert record is not None
    assert json.loads(record.input)["files"] == [A.to_json()]
