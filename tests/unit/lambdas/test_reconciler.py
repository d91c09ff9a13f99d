"""Tests of the scheduled reconciler: it starts, closes or adopts what events did not report."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from fakes.dynamodb import FakeTable
from fakes.faults import fault
from fakes.step_functions import MACHINE, StepFunctions

from taxi_etl.identity import FileVersion

Handler = Callable[[Any], Any]
SCHEDULE = {"sweep": True}
A, B, C = (FileVersion("lake", f"raw/taxi/{letter}.csv", f"v-{letter}", 10, "e", "0A") for letter in "abc")
FAULTS = [
    fault("ThrottlingException"),
    ReadTimeoutError(endpoint_url="https://aws.example"),
    EndpointConnectionError(endpoint_url="https://aws.example"),
]


def status(table: FakeTable, name: str) -> str:
    found: str = table.item(f"execution#{name}", "execution")["status"]
    return found


def test_unstarted_claims_are_started_and_ended_executions_closed_and_running_ones_left_alone(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    topic: Any,
    metrics: Callable[[], Any],
    sample: Callable[[str], Any],
) -> None:
    unstarted = running(A, name="unstarted", started=False)
    step_functions.end(running(B, name="ended"), "TIMED_OUT")
    running(C, name="running")
    assert close(sample("sweep")) == {"started": 1, "closed": 1, "running": 1, "failed": 0}
    claim = table.item("execution#unstarted", "execution")
    assert step_functions.executions[unstarted].input == claim["input"]
    assert status(table, "ended") == "closed"
    assert status(table, "running") == "running"
    assert len(topic.published) == 1
    assert metrics() == {
        "ClaimsRolledForward": 1,
        "ClaimsSweptUp": 1,
        "FilesFailed": 1,
        "HoursSinceLastFile": 0,
    }
    assert close(SCHEDULE) == {"started": 0, "closed": 0, "running": 2, "failed": 0}


def test_an_execution_that_is_pending_a_redrive_counts_as_running(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: FakeTable
) -> None:
    step_functions.executions[running(A)].status = "PENDING_REDRIVE"
    assert close(SCHEDULE) == {"started": 0, "closed": 0, "running": 1, "failed": 0}
    assert status(table, "nightly") == "running"


@pytest.mark.parametrize(("minutes", "started"), [(14, 0), (16, 1)])
def test_young_claims_are_left_alone(
    close: Handler, running: Callable[..., str], clock: Any, minutes: int, started: int
) -> None:
    running(A, started=False)
    clock.now = clock.now.replace(hour=11, minute=minutes)
    assert close(SCHEDULE)["started"] == started


@pytest.mark.parametrize("error", FAULTS)
def test_a_claim_that_fails_does_not_stop_the_others(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, error: Exception
) -> None:
    running(A, name="first", started=False)
    running(B, name="second", started=False)
    step_functions.fail("describe_execution", error)
    with pytest.raises(RuntimeError, match="cannot reconcile 1 executions"):
        close(SCHEDULE)
    assert list(step_functions.executions) == ["second"]


def test_an_open_claim_that_fails_is_not_adopted_in_the_same_run(
    *, close: Handler, running: Callable[..., str], step_functions: StepFunctions, topic: Any, clock: Any
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    clock.forward(minutes=20)
    topic.faults.append(fault("InternalError"))
    with pytest.raises(RuntimeError, match="cannot reconcile 1 executions"):
        close(SCHEDULE)
    assert topic.published == []
    assert close(SCHEDULE)["closed"] == 1


def test_an_execution_that_another_finalizer_is_closing_is_not_counted(
    *, close: Handler, running: Callable[..., str], step_functions: StepFunctions, ledger: Any, clock: Any
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    clock.forward(minutes=20)
    assert ledger.acquire_lease("nightly", "2024-06-01T12:19:00.000Z", until="2024-06-01T12:21:00.000Z")
    assert close(SCHEDULE) == {"started": 0, "closed": 0, "running": 0, "failed": 0}


# Executions without an open claim


def end_in_console(step_functions: StepFunctions, name: str = "manual") -> str:
    """Start an execution without a claim, and end it at noon."""
    text = json.dumps({"bucket": "lake", "key": A.key})
    step_functions.start_execution(stateMachineArn=MACHINE, name=name, input=text)
    step_functions.end(name, "ABORTED")
    return name


@pytest.mark.parametrize(("minutes", "closed"), [(14, 0), (16, 1), (24 * 60, 1), (24 * 60 + 1, 0)])
def test_an_ended_execution_without_a_claim_is_adopted_within_a_day(
    close: Handler, step_functions: StepFunctions, clock: Any, minutes: int, closed: int
) -> None:
    end_in_console(step_functions)
    clock.forward(minutes=minutes)
    assert close(SCHEDULE)["closed"] == closed
    assert close(SCHEDULE)["closed"] == 0


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_an_execution_without_a_claim_is_not_adopted_while_it_runs(
    close: Handler, step_functions: StepFunctions, table: FakeTable, clock: Any, status: str
) -> None:
    step_functions.executions[end_in_console(step_functions)].status = status
    clock.forward(minutes=20)
    assert close(SCHEDULE)["closed"] == 0
    assert ("execution#manual", "execution") not in table.items


def test_an_ended_execution_that_was_redriven_since_it_was_listed_is_not_adopted(
    *,
    close: Handler,
    step_functions: StepFunctions,
    table: FakeTable,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = end_in_console(step_functions)
    page = step_functions.list_executions(stateMachineArn=MACHINE)
    monkeypatch.setattr(step_functions, "list_executions", lambda **_: page)
    step_functions.redrive(name)
    clock.forward(minutes=20)
    assert close(SCHEDULE)["closed"] == 0
    assert ("execution#manual", "execution") not in table.items


def test_more_ended_executions_are_adopted_than_step_functions_lists_by_default(
    close: Handler, step_functions: StepFunctions, clock: Any
) -> None:
    for number in range(101):
        end_in_console(step_functions, f"manual-{number}")
    clock.forward(minutes=20)
    assert close(SCHEDULE)["closed"] == 101


def test_a_closed_execution_is_closed_again_only_after_a_redrive(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    clock: Any,
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    clock.forward(minutes=20)
    assert close(SCHEDULE)["closed"] == 1
    described = len(step_functions.arguments("describe_execution"))
    assert close(SCHEDULE)["closed"] == 0
    assert len(step_functions.arguments("describe_execution")) == described
    step_functions.redrive("nightly")
    step_functions.end("nightly", "ABORTED")
    assert close(SCHEDULE)["closed"] == 1
    assert table.item("execution#nightly", "execution")["outcome"] == "ABORTED"


@pytest.mark.parametrize("error", FAULTS)
def test_a_failed_list_of_executions_does_not_stop_the_open_claims(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, error: Exception
) -> None:
    running(A, name="unstarted", started=False)
    step_functions.fail("list_executions", error)
    with pytest.raises(RuntimeError, match="cannot reconcile 1 executions"):
        close(SCHEDULE)
    assert list(step_functions.executions) == ["unstarted"]


def test_the_reconciler_stops_before_the_timeout(
    close: Handler, running: Callable[..., str], context: Any
) -> None:
    running(A, started=False)
    context.remaining = 9_999
    assert close(SCHEDULE) == {"started": 0, "closed": 0, "running": 0, "failed": 0}
    context.remaining = 10_000
    assert close(SCHEDULE)["started"] == 1
