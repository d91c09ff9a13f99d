"""Tests of the state machine's expressions: the path scenarios, and causes, inputs and costs of many kinds.

The definition is interpreted in milliseconds. tests/workflow executes the same scenarios on the emulator,
with retries and timeouts.
"""

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.workflow.path_scenarios import PATH_SCENARIOS
from tests.workflow.scenario import (
    JOB_FAILURE_PATH,
    LOAD_ANSWERS,
    ON_SCHEMA_CHANGE,
    ONE_FILE,
    REJECTION_CAUSE,
    TWO_FILES,
    VALIDATION_FAILURE_PATH,
    VALIDATION_PATH,
    Scenario,
)
from tests.workflow.service_answers import Answer, job_run_document, validation_result
from tests.workflow.small_batch_scenarios import AUTO, CHOICES, DECLINES

from .workflow_interpreter import InterpretedExecution, Raised, interpret

ENTERED = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)
UNCATCHABLE = {"States.DataLimitExceeded", "States.Runtime"}
INTERPRETED = [
    scenario
    for scenario in (*PATH_SCENARIOS, *CHOICES, *DECLINES)
    if not scenario.retry_delays and scenario.error not in UNCATCHABLE
]


def resolved(value: Any) -> Any:
    """The answer's value with its times relative to RunCrawlerUpdate filled in."""
    if isinstance(value, list):
        return [resolved(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    if "$entered" not in value:
        return {name: resolved(part) for name, part in value.items()}
    moment = int(ENTERED.timestamp()) + value["plus"]
    if value["as"] == "number":
        return moment
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def interpreted(answer: Answer) -> Any:
    """The scripted answer as the interpreter takes it."""
    if "Throw" in answer:
        return Raised(answer["Throw"]["Error"], answer["Throw"]["Cause"] or None)
    return resolved(answer["Return"])


def execute(
    definition: Mapping[str, Any], answers: Mapping[str, Any], execution_input: Any = ONE_FILE
) -> InterpretedExecution:
    """Interpret the definition; answers may be scripted ones or the interpreter's own."""
    scripted = {
        state: [interpreted(answer) if isinstance(answer, dict) else answer for answer in queue]
        for state, queue in answers.items()
    }
    entered = ENTERED.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return interpret(definition, execution_input, scripted, entered=entered)


@pytest.mark.parametrize("scenario", INTERPRETED, ids=lambda scenario: scenario.name)
def test_the_scenario_ends_as_expected(
    definition: dict[str, Any], auto_definition: dict[str, Any], scenario: Scenario
) -> None:
    if scenario.engine == AUTO:
        definition = auto_definition
    if scenario.policy != ON_SCHEMA_CHANGE:
        definition = with_crawl_policy(definition, scenario.policy)

    execution = execute(definition, scenario.answers, scenario.execution_input)

    assert execution.path == list(scenario.path)
    assert (execution.status, execution.error) == (scenario.status, scenario.error)
    assert scenario.cause in execution.cause
    assert execution.status == "FAILED" or execution.output == scenario.execution_input
    assert len(execution.published) == len(scenario.notifications)
    for published, expected in zip(execution.published, scenario.notifications, strict=True):
        assert published.message["status"] == expected.status
        assert published.message.get("error", {}).get("Error", "") == expected.error
        assert published.message.get("crawlerState", "") == expected.crawler_state
        assert published.message.get("engine", "") == expected.engine
        assert expected.declined in (published.message.get("declined") or "")
        assert [fact for fact in expected.facts if fact not in published.message["message"]] == []


def with_crawl_policy(definition: Mapping[str, Any], policy: str) -> dict[str, Any]:
    """The definition as another crawl policy renders it."""
    from stacks.settings import CrawlPolicy
    from stacks.workflow.conditions import CRAWL_NEEDED

    changed = copy.deepcopy(dict(definition))
    rule = changed["States"]["IsCatalogUpdateNeeded"]["Choices"][0]
    rule["Condition"] = CRAWL_NEEDED[CrawlPolicy(policy)]
    return changed


@pytest.mark.parametrize(
    ("facts", "usd"),
    [
        ({"DPUSeconds": 3600.0}, 0.308),  # one DPU for an hour
        ({"ExecutionTime": 5, "MaxCapacity": 2.0}, 0.0103),  # billed as a minute: 120 DPU seconds
        ({"ExecutionTime": 0, "MaxCapacity": 2.0}, 0),  # stopped in the queue
        ({"ExecutionTime": 5}, None),
    ],
)
def test_the_cost_comes_from_dpu_seconds_or_else_from_time_and_capacity(
    definition: dict[str, Any], facts: dict[str, float], usd: float | None
) -> None:
    job_run = {"Id": "jr_1", "JobRunState": "SUCCEEDED", **facts}

    execution = execute(definition, {**LOAD_ANSWERS, "RunGlueETLJob": [{"Return": job_run}]})

    assert execution.published[0].message["jobCostUsd"] == usd


LONG_KEY = f"raw/taxi/{'x' * 396}.csv"


@pytest.mark.parametrize(
    ("given", "label", "key", "files"),
    [
        ({"bucket": "lake", "key": "raw/taxi/a.csv"}, "a.csv", "raw/taxi/a.csv", [{"key": "raw/taxi/a.csv"}]),
        (TWO_FILES, "2 files", None, [{"key": "raw/taxi/a.csv"}, {"key": "raw/taxi/b.csv"}]),
        ({}, "0 files", None, []),
        ("nonsense", "0 files", None, []),
        ({"bucket": "lake", "files": []}, "0 files", None, []),
        ({"key": 7}, "7", "7", [{"key": "7"}]),
        ({"key": "raw/taxi/größe.csv"}, "gr??e.csv", "raw/taxi/größe.csv", [{"key": "raw/taxi/größe.csv"}]),
        (
            {"key": LONG_KEY},
            f"{'x' * 28}...{'x' * 25}.csv",
            LONG_KEY,
            [{"key": f"raw/taxi/{'x' * 141}…{'x' * 145}.csv"}],
        ),
    ],
)
def test_a_validation_error_is_published_whatever_the_input_is(
    definition: dict[str, Any], given: Any, label: str, key: str | None, files: list[Any]
) -> None:
    execution = execute(definition, {"ValidateInput": [Raised("InvalidInputError", "no")]}, given)

    assert execution.path == ["ValidateInput", *VALIDATION_FAILURE_PATH]
    (published,) = execution.published
    assert published.subject == f"Taxi ETL VALIDATION_FAILED: {label}"
    assert published.message["key"] == key
    assert published.message["files"] == files


def test_a_shortened_key_is_cut_as_python_cuts_it(definition: dict[str, Any]) -> None:
    from taxi_etl.documents import shorten
    from taxi_etl.notifications import label

    execution = execute(definition, {"ValidateInput": [Raised("Boom")]}, {"key": LONG_KEY})

    assert execution.published[0].message["files"] == [{"key": shorten(LONG_KEY)}]
    assert execution.published[0].subject.endswith(f": {label([LONG_KEY])}")


def test_a_validation_error_lists_at_most_twenty_files(definition: dict[str, Any]) -> None:
    many = {"bucket": "lake", "files": [{"key": f"raw/taxi/{number}.csv"} for number in range(99)]}

    execution = execute(definition, {"ValidateInput": [Raised("Boom")]}, many)

    assert len(execution.published[0].message["files"]) == 20
    assert execution.published[0].message["filesOmitted"] == 79


@pytest.mark.parametrize(
    ("raised", "cause"),
    [
        (Raised("States.TaskFailed", '{"JobRunState": "TIMEOUT"}'), "The job run ended TIMEOUT"),
        (Raised("States.Timeout"), "it did not end within its time limit"),
        (Raised("Glue.Odd"), "AWS named no cause"),
        (Raised("Glue.Odd", "{half a document"), "{half a document"),
        (Raised("Glue.Odd", "{braces} around {no JSON}"), "{braces} around {no JSON}"),
        (Raised("Glue.Odd", "a" * 2500 + "z" * 2500), "a" * 1000 + "…" + "z" * 999),
    ],
)
def test_a_cause_is_one_short_readable_text(definition: dict[str, Any], raised: Raised, cause: str) -> None:
    execution = execute(definition, {**LOAD_ANSWERS, "RunGlueETLJob": [raised]})

    assert execution.path == [*VALIDATION_PATH, "RunGlueETLJob", *JOB_FAILURE_PATH]
    assert execution.published[0].message["error"] == {"Error": raised.error, "Cause": cause}


def test_a_failed_job_run_is_kept_from_the_caught_error(definition: dict[str, Any]) -> None:
    failed = Raised("States.TaskFailed", json.dumps(job_run_document("FAILED", "OutOfMemoryError")))

    execution = execute(definition, {**LOAD_ANSWERS, "RunGlueETLJob": [failed]})

    assert execution.variables["jobRun"] == {
        "Id": "jr_0123456789abcdef",
        "JobRunState": "FAILED",
        "ExecutionTime": 90,
        "MaxCapacity": 3.0,
        "ErrorMessage": "OutOfMemoryError",
    }


@pytest.mark.parametrize(
    ("state", "answers", "lost"),
    [
        (
            "NotifyValidationFailure",
            {"ValidateInput": [validation_result(valid=0, rejected=1)]},
            f"; the notification was about: {REJECTION_CAUSE}",
        ),
        (
            "NotifyFailure",
            {**LOAD_ANSWERS, "RunGlueETLJob": [Raised("States.TaskFailed")]},
            "; the notification was about: AWS named no cause",
        ),
        ("NotifySuccess", LOAD_ANSWERS, ""),
    ],
)
@pytest.mark.parametrize("cause", ["Invalid parameter: Subject", None])
def test_an_unpublished_notification_fails_the_execution_with_what_it_was_to_say(
    definition: dict[str, Any], state: str, answers: dict[str, Any], lost: str, cause: str | None
) -> None:
    execution = execute(definition, {**answers, state: [Raised("SNS.InvalidParameterException", cause)]})

    assert execution.path[-2:] == [state, "NotificationFailed"]
    assert execution.cause == (cause or "AWS named no cause") + lost
