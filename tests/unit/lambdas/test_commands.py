"""Tests of the orchestrator's commands: start, replay and replay_held."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fakes.dynamodb import FakeTable
from fakes.faults import fault
from fakes.step_functions import EXECUTIONS_ARN, StepFunctions

from lambdas.etl_orchestrator.commands import StartError
from stores.ledger import Ledger
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion, execution_name
from taxi_etl.inputs import ExecutionInput, Trigger
from taxi_etl.ledger import Claim

Handler = Callable[[Any], Any]
CloseClaim = Callable[..., None]
NOW, LATER = "2024-06-01T12:00:00.000Z", "2024-06-01T12:01:00.000Z"
A, B, C = (FileVersion("lake", f"raw/taxi/{letter}.csv", f"v-{letter}", 10, "e", "0A") for letter in "abc")


def entries(*versions: FileVersion) -> list[dict[str, Any]]:
    return [version.to_json() for version in versions]


def start(*versions: FileVersion, **more: Any) -> dict[str, Any]:
    return {"command": "start", "bucket": "lake", "files": entries(*versions), **more}


def replay(*versions: FileVersion) -> dict[str, Any]:
    return {"command": "replay", "bucket": "lake", "files": entries(*versions)}


def replay_execution(name: str) -> dict[str, Any]:
    return {"command": "replay", "execution": name}


def result(name: str, files: int, state: str) -> dict[str, Any]:
    return {"name": name, "arn": f"{EXECUTIONS_ARN}:{name}", "files": files, "state": state}


def reload_name(*files: FileVersion, attempt: int = 2) -> str:
    """Return the name of an execution that reloads files at noon."""
    return execution_name(files, attempt, NOW)


@pytest.mark.parametrize(("more", "trigger"), [({}, "manual"), ({"trigger": "backfill"}, "backfill")])
def test_a_start_returns_the_started_execution(
    orchestrate: Handler,
    step_functions: StepFunctions,
    metrics: Callable[[], Any],
    more: dict[str, str],
    trigger: str,
) -> None:
    name = reload_name(A, B, attempt=1) if more else execution_name([A, B])
    assert orchestrate(start(A, B, **more)) == {"executions": [result(name, 2, "started")]}
    assert json.loads(step_functions.executions[name].input)["trigger"] == trigger
    assert metrics() == {"ExecutionsStarted": 1}


def test_a_repeated_start_returns_running_and_then_closed(
    orchestrate: Handler, step_functions: StepFunctions, close_claim: CloseClaim
) -> None:
    name = execution_name([A, B])
    orchestrate(start(A, B))
    assert orchestrate(start(A)) == {"executions": [result(name, 2, "running")]}
    close_claim(name, A, B)
    assert orchestrate(start(A)) == {"executions": [result(name, 1, "closed")]}
    assert list(step_functions.executions) == [name]


def test_a_replay_of_closed_files_starts_them_under_a_new_name(
    orchestrate: Handler, step_functions: StepFunctions, close_claim: CloseClaim
) -> None:
    first, second = execution_name([A, B]), reload_name(A, B)
    orchestrate(start(A, B))
    close_claim(first, A, B)
    assert orchestrate(replay(A, B)) == {"executions": [result(second, 2, "started")]}
    assert json.loads(step_functions.executions[second].input)["trigger"] == "replay"
    assert second == f"{first}-2-20240601120000000"
    close_claim(second, A, B)
    assert orchestrate(replay(A, B))["executions"][0]["name"] == reload_name(A, B, attempt=3)


def test_a_replay_of_running_files_starts_nothing(
    orchestrate: Handler, step_functions: StepFunctions
) -> None:
    orchestrate(start(A))
    assert orchestrate(replay(A)) == {"executions": [result(execution_name([A]), 1, "running")]}
    assert len(step_functions.executions) == 1


def test_a_replay_of_unknown_files_is_their_first_load(orchestrate: Handler) -> None:
    assert orchestrate(replay(A)) == {"executions": [result(reload_name(A, attempt=1), 1, "started")]}


@pytest.mark.parametrize("command", [replay(A, B), start(A, B, trigger="backfill")])
def test_with_a_new_ledger_files_load_again_although_step_functions_remembers_their_executions(
    *,
    orchestrate: Handler,
    step_functions: StepFunctions,
    table: FakeTable,
    close_claim: CloseClaim,
    clock: Any,
    command: dict[str, Any],
) -> None:
    old = [execution_name([A, B]), reload_name(A, B)]
    orchestrate(start(A, B))
    close_claim(old[0], A, B)
    orchestrate(replay(A, B))
    step_functions.end(old[1], "SUCCEEDED")
    table.items.clear()
    clock.forward(days=1)
    (started,) = orchestrate(command)["executions"]
    assert started["state"] == "started"
    assert [*step_functions.executions] == [*old, started["name"]]


def test_the_attempt_of_a_replay_is_one_above_the_highest_of_its_files(
    orchestrate: Handler, close_claim: CloseClaim
) -> None:
    orchestrate(start(A))
    close_claim(execution_name([A]), A)
    orchestrate(replay(A))
    close_claim(reload_name(A), A)
    orchestrate(start(B))
    close_claim(execution_name([B]), B)
    assert orchestrate(replay(A, B))["executions"][0]["name"] == reload_name(A, B, attempt=3)


def test_a_replay_by_execution_reloads_all_its_files(orchestrate: Handler, close_claim: CloseClaim) -> None:
    name = execution_name([A, B])
    orchestrate(start(A, B))
    close_claim(name, A, B)
    assert orchestrate(replay_execution(name)) == {"executions": [result(reload_name(A, B), 2, "started")]}


def test_a_replay_by_execution_includes_files_that_another_replay_owns_now(
    orchestrate: Handler, close_claim: CloseClaim
) -> None:
    name = execution_name([A, B])
    orchestrate(start(A, B))
    close_claim(name, A, B)
    orchestrate(replay(A))
    close_claim(reload_name(A), A)
    expected = result(reload_name(A, B, attempt=3), 2, "started")
    assert orchestrate(replay_execution(name)) == {"executions": [expected]}


def test_files_over_which_a_job_died_are_replayed_one_by_one(
    orchestrate: Handler, close_claim: CloseClaim
) -> None:
    name = execution_name([A, B, C])
    orchestrate(start(A, B, C))
    close_claim(name, A, B, C, alone=True)
    executions = orchestrate(replay_execution(name))["executions"]
    assert sorted((each["name"], each["files"]) for each in executions) == sorted(
        (reload_name(version), 1) for version in (A, B, C)
    )
    close_claim(reload_name(A), A)
    close_claim(reload_name(B), B)
    assert len(orchestrate(replay(A, B))["executions"]) == 1


ADOPTED = {"input": '{"bucket": "lake", "key": "raw/taxi/a.csv"}', "files": 1, "bucket": "lake"}
"""The attributes of an execution that was started in the console, without a version ID."""


def test_a_replay_of_an_adopted_execution_reloads_the_versions_that_validation_found(
    orchestrate: Handler, ledger: Ledger
) -> None:
    lease = ledger.acquire_lease("manual", NOW, LATER, adopted=ADOPTED)
    assert lease
    ledger.close_file(A, "manual", {"status": FileStatus.FAILED}, NOW, adopted_since=NOW)
    ledger.close_execution(lease, {"redrives": 0}, NOW)
    expected = result(reload_name(A), 1, "started")
    assert orchestrate(replay_execution("manual")) == {"executions": [expected]}


def test_a_replay_of_an_adopted_execution_without_validated_files_is_refused(
    orchestrate: Handler, ledger: Ledger
) -> None:
    ledger.acquire_lease("manual", NOW, LATER, adopted=ADOPTED)
    answer = orchestrate(replay_execution("manual"))
    assert answer == {
        "refused": "the ledger has no file version of execution 'manual'; start its files again"
    }


def test_held_files_are_started_in_batches(
    orchestrate: Handler, step_functions: StepFunctions, ledger: Ledger
) -> None:
    for version in (A, C, B):
        ledger.hold(version, NOW)
    name = reload_name(A, B, C, attempt=1)
    assert orchestrate({"command": "replay_held"}) == {
        "executions": [result(name, 3, "started")],
        "more": False,
    }
    assert orchestrate({"command": "replay_held"}) == {"executions": [], "more": False}
    assert len(step_functions.executions) == 1


def test_many_held_files_are_started_until_the_time_is_short(
    orchestrate: Handler, step_functions: StepFunctions, ledger: Ledger, table: FakeTable, context: Any
) -> None:
    table.page_size = 100
    for number in range(600):
        ledger.hold(FileVersion("lake", f"raw/taxi/{number:04}.csv", "v"), NOW)
    context.remaining = 14_999
    answer = orchestrate({"command": "replay_held"})
    assert (len(answer["executions"]), answer["more"]) == (6, True)  # 500 files: five times 99, and 5
    context.remaining = 15_000
    answer = orchestrate({"command": "replay_held"})
    assert (len(answer["executions"]), answer["more"]) == (2, False)
    assert sum(len(json.loads(run.input)["files"]) for run in step_functions.executions.values()) == 600


def test_a_command_that_could_not_start_all_files_fails_and_can_be_repeated(
    orchestrate: Handler, step_functions: StepFunctions
) -> None:
    step_functions.fail("start_execution", fault("ThrottlingException"))
    with pytest.raises(StartError, match="2 files could not be started"):
        orchestrate(start(A, B))
    assert orchestrate(start(A, B)) == {"executions": [result(execution_name([A, B]), 2, "running")]}


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ({}, '"command" must be start, replay or replay_held, not None'),
        ({"command": "stop"}, "not 'stop'"),
        ({"command": "start", "files": entries(A)}, '"bucket" is missing'),
        ({"command": "start", "bucket": 5, "files": entries(A)}, '"bucket" is missing'),
        ({"command": "start", "bucket": "lake"}, '"files" must be a list'),
        ({"command": "start", "bucket": "lake", "files": []}, "at least one file"),
        (start(FileVersion("lake", "raw/taxi/a.csv", "")), "s3://lake/raw/taxi/a.csv has no versionId"),
        (start(A, trigger="s3"), "must be one of manual, backfill, not 's3'"),
        (replay_execution("unknown"), "the ledger has no execution 'unknown'"),
    ],
)
def test_an_invalid_command_is_refused_with_the_reason_and_is_no_error_of_the_function(
    orchestrate: Handler, step_functions: StepFunctions, command: dict[str, Any], problem: str
) -> None:
    answer = orchestrate(command)
    assert list(answer) == ["refused"]
    assert problem in answer["refused"]
    assert step_functions.executions == {}


def test_the_input_of_a_claim_names_the_claimed_files(ledger: Ledger) -> None:
    text = ExecutionInput("lake", (A,), Trigger.S3).dumps()
    ledger.claim(Claim("one", text, "s3", (A,)), NOW)
    record = ledger.execution("one")
    assert record is not None
    assert json.loads(record.input)["files"] == [A.to_json()]


@pytest.mark.parametrize("make", [start, replay])
def test_the_engine_of_a_command_goes_into_the_input(
    orchestrate: Handler, step_functions: StepFunctions, make: Callable[..., dict[str, Any]]
) -> None:
    (started,) = orchestrate({**make(A), "engine": "glue"})["executions"]

    assert json.loads(step_functions.executions[started["name"]].input)["engine"] == "glue"


def test_held_files_take_the_engine_of_the_command(
    orchestrate: Handler, step_functions: StepFunctions, ledger: Ledger
) -> None:
    ledger.hold(A, NOW)

    (started,) = orchestrate({"command": "replay_held", "engine": "glue"})["executions"]

    assert json.loads(step_functions.executions[started["name"]].input)["engine"] == "glue"


def test_a_command_without_an_engine_leaves_it_out_of_the_input(
    orchestrate: Handler, step_functions: StepFunctions
) -> None:
    (started,) = orchestrate(start(A))["executions"]

    assert "engine" not in json.loads(step_functions.executions[started["name"]].input)


@pytest.mark.parametrize(
    ("engine", "why"),
    [
        ("auto", "this app is deployed with engine = glue and has no function for small batches"),
        ("spark", "\"engine\" must be one of glue, auto, not 'spark'"),
    ],
)
def test_an_engine_that_the_app_does_not_have_is_refused(
    orchestrate: Handler, step_functions: StepFunctions, engine: str, why: str
) -> None:
    assert why in orchestrate({**start(A), "engine": engine})["refused"]
    assert step_functions.executions == {}


def test_an_app_with_both_engines_accepts_auto(orchestrate: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "auto")

    (started,) = orchestrate({**start(A), "engine": "auto"})["executions"]

    assert started["state"] == "started"
