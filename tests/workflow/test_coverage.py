"""Was every state and every transition of the state machine executed, and would the report say so if not?"""

import copy
from typing import Any

import pytest

from tests.workflow import coverage
from tests.workflow.error_scenarios import SETBACKS
from tests.workflow.path_scenarios import JOURNEYS
from tests.workflow.scenarios import ON_SCHEMA_CHANGE

SCENARIOS = [scenario for scenario in (*JOURNEYS, *SETBACKS) if scenario.policy == ON_SCHEMA_CHANGE]


@pytest.fixture(scope="module")
def covered(runs: Any, executable: Any) -> tuple[Any, list[Any]]:
    """Production's definition, and the runs of every scenario on it."""
    return executable(), runs.all(SCENARIOS)


def test_every_state_and_transition_was_executed(covered: Any, request: pytest.FixtureRequest) -> None:
    definition, runs = covered
    wanted, found = coverage.to_take(definition), coverage.taken(definition, runs)
    report = coverage.report(wanted, found)
    request.config.stash[coverage.REPORT] = [f"{len(runs)} executions", *report]

    assert found - wanted == set(), "an execution took what the definition does not have"
    assert wanted - found == set(), "not executed:\n" + "\n".join(report)


def test_what_the_design_counts_is_what_is_covered(covered: Any) -> None:
    definition, _ = covered
    kinds = [line.split()[0] for line in coverage.to_take(definition)]

    assert {kind: kinds.count(kind) for kind in sorted(set(kinds))} == {
        "catch": 11,
        "choice": 18,
        "end": 2,
        "next": 11,
        "retry": 41,
        "state": 22,
    }


def test_an_unused_state_transition_or_retry_is_reported(covered: Any) -> None:
    definition, runs = covered
    wider = copy.deepcopy(definition)
    states = wider["States"]
    states["Idle"] = {"Type": "Pass", "Next": "NothingToDo"}
    states["CheckValidation"]["Choices"].append({"Condition": "{% false %}", "Next": "NotifyRejectedFiles"})
    states["ReadJobResult"]["Retry"][0]["ErrorEquals"].append("S3.Odd")
    states["ReadJobResult"]["Catch"].append({"ErrorEquals": ["States.Odd"], "Next": "NothingToDo"})

    assert coverage.to_take(wider) - coverage.taken(definition, runs) == {
        "state Idle",
        "next Idle -> NothingToDo",
        "choice CheckValidation rule 4 -> NotifyRejectedFiles",
        "retry ReadJobResult row 1 S3.Odd",
        "catch ReadJobResult entry 2 -> NothingToDo",
    }


def test_without_the_scenarios_that_prove_it_a_transition_is_missing(covered: Any) -> None:
    definition, runs = covered
    quiet = [run for run in runs if "NotificationFailed" not in run.path and not run.retries]
    missing = coverage.to_take(definition) - coverage.taken(definition, quiet)

    assert "state NotificationFailed" in missing
    assert sum(line.startswith("catch Notify") for line in missing) == 5
    assert sum(line.startswith("retry ") for line in missing) == 41
    assert not [line for line in missing if line.startswith("choice ")]
