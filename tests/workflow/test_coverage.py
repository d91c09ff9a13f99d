"""Tests that the scenarios execute every state and transition of the state machine."""

import copy
from typing import Any

import pytest

from tests.workflow import coverage
from tests.workflow.scenario import GLUE, ON_SCHEMA_CHANGE
from tests.workflow.scenarios import SCENARIOS
from tests.workflow.small_batch_scenarios import SMALL_BATCH_SCENARIOS


@pytest.fixture(scope="module")
def covered(executions: Any, executable: Any) -> tuple[Any, list[Any]]:
    """Production's definition, and the executions of every scenario on it."""
    return executable(), executions.all(
        [each for each in SCENARIOS if (each.policy, each.engine) == (ON_SCHEMA_CHANGE, GLUE)]
    )


def test_every_state_and_transition_was_executed(covered: Any, request: pytest.FixtureRequest) -> None:
    definition, executions = covered
    required = coverage.required_elements(definition)
    executed = coverage.executed_elements(definition, executions)
    report = coverage.report(required, executed)
    request.config.stash[coverage.COVERAGE_REPORT] = [f"{len(executions)} executions", *report]

    assert executed - required == set(), "an execution has elements that the definition does not have"
    assert required - executed == set(), "not executed:\n" + "\n".join(report)


def test_every_state_and_transition_of_small_batches_was_executed(executions: Any, executable: Any) -> None:
    definition = executable(engine="auto")
    executed = coverage.executed_elements(definition, executions.all(list(SMALL_BATCH_SCENARIOS)))
    added = coverage.required_elements(definition) - coverage.required_elements(executable())

    assert executed - coverage.required_elements(definition) == set()
    assert added - executed == set()
    # ChooseEngine, RunSmallBatch and CheckSmallBatch, and two states that lead to them.
    assert sorted(each for each in added if not each.startswith("retry")) == [
        "catch RunSmallBatch entry 1 -> RunGlueETLJob",
        "choice CheckSmallBatch default -> NothingToDo",
        "choice CheckSmallBatch rule 1 -> RunGlueETLJob",
        "choice CheckSmallBatch rule 2 -> RunCrawlerUpdate",
        "choice CheckSmallBatch rule 3 -> NotifySuccess",
        "choice CheckSmallBatch rule 4 -> NotifyPartialSuccess",
        "choice CheckSmallBatch rule 5 -> NotifyGlueJobFailure",
        "choice CheckValidation rule 4 -> RunSmallBatch",
        "choice ChooseEngine default -> RunGlueETLJob",
        "choice ChooseEngine rule 1 -> RunSmallBatch",
        "next NotifyRejectedFiles -> ChooseEngine",
        "next RunSmallBatch -> CheckSmallBatch",
        "state CheckSmallBatch",
        "state ChooseEngine",
        "state RunSmallBatch",
    ]


def test_an_unused_state_transition_or_retry_is_reported(covered: Any) -> None:
    definition, executions = covered
    extended = copy.deepcopy(definition)
    states = extended["States"]
    states["Idle"] = {"Type": "Pass", "Next": "NothingToDo"}
    states["CheckValidation"]["Choices"].append({"Condition": "{% false %}", "Next": "NotifyRejectedFiles"})
    states["ReadJobResult"]["Retry"][0]["ErrorEquals"].append("S3.Odd")
    states["ReadJobResult"]["Catch"].append({"ErrorEquals": ["States.Odd"], "Next": "NothingToDo"})

    assert coverage.required_elements(extended) - coverage.executed_elements(definition, executions) == {
        "state Idle",
        "next Idle -> NothingToDo",
        "choice CheckValidation rule 4 -> NotifyRejectedFiles",
        "retry ReadJobResult row 1 S3.Odd",
        "catch ReadJobResult entry 2 -> NothingToDo",
    }
