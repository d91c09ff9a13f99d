"""Tests of the report on one execution: states, phases, quarantined rows, costs."""

import json
from dataclasses import replace

import pytest

from ops.history import Execution
from ops.report.documents import ExampleRow, to_json
from ops.report.execution import execution_report, headline
from ops.session import Target
from tests.fixtures.report_documents import (
    ARN,
    BEGIN,
    JOB_RUN,
    NAME,
    ROWS,
    SCHEDULED,
    YELLOW,
    at,
    execution_facts,
    sample_execution,
    visit,
)

PROD = Target("prod")


def test_the_states_are_those_entered_with_their_visits_and_the_branches_not_taken():
    states = {state.name: state for state in sample_execution().states}
    assert list(states) == [
        *("ValidateInput", "CheckValidation", "NotifyRejectedFiles", "RunGlueETLJob", "CheckGlueJobStatus"),
        *("ReadJobResult", "EvaluateResult", "IsCatalogUpdateNeeded", "RunCrawlerUpdate", "WaitForCrawler"),
        *("CheckCrawlerStatus", "IsCrawlerRunning", "NotifyPartialSuccess"),
    ]
    job, wait, choice = (states[name] for name in ("RunGlueETLJob", "WaitForCrawler", "CheckValidation"))
    assert (job.action, job.visits, job.attempts, job.seconds) == ("glue:startJobRun.sync", 1, 2, 180.3)
    assert (wait.type, wait.visits, wait.seconds) == ("Wait", 2, 60.0)
    assert states["CheckCrawlerStatus"].attempts == 2, "one in each of two visits"
    assert choice.not_taken == ("NotifyValidationFailure", "NothingToDo", "RunGlueETLJob")
    assert states["IsCrawlerRunning"].not_taken == (
        "HandleCrawlerFailure",
        "RunCrawlerUpdate",
        "NotifySuccess",
    ), "WaitForCrawler was entered once from here"


def test_the_other_states_are_listed():
    report = sample_execution()
    assert set(report.states_not_entered) == {
        *("ExecutionFailed", "HandleCrawlerFailure", "NothingToDo", "NotificationFailed", "NotifyFailure"),
        *("NotifyGlueJobFailure", "NotifySuccess", "NotifyValidationFailure", "ValidationFailed"),
    }


def test_the_timeline_begins_with_the_upload_and_divides_the_jobs_state():
    assert [
        (phase.name, (phase.started - BEGIN).total_seconds(), phase.seconds)
        for phase in sample_execution().timeline
    ] == [
        ("Event queue", -118.0, 118.0),
        ("Validation", 0.0, 3.4),
        ("Notification", 3.4, 0.3),
        ("Glue queue and start", 3.7, 38.3),  # until 142 s before the end of the state
        ("Job run", 42.0, 142.0),
        ("Crawl", 184.2, 60.7),  # with both waits
        ("Notification", 244.9, 0.4),
    ]


def test_a_job_run_is_not_longer_than_its_state():
    done = {"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": json.dumps(JOB_RUN)}}
    events = visit("RunGlueETLJob", 0, 100, SCHEDULED, done)
    report = execution_report(replace(execution_facts(), events=events, queued=at(0)), PROD)
    assert [(phase.name, phase.seconds) for phase in report.timeline] == [
        ("Glue queue and start", 0.0),
        ("Job run", 100.0),  # Glue said 142
    ]


def test_a_running_execution_has_an_open_phase_and_state():
    events = [*visit("ValidateInput", 0, 3, SCHEDULED), *visit("RunGlueETLJob", 3, 0)[:1]]
    running = Execution(NAME, ARN, "RUNNING", BEGIN, None, "{}")
    facts = replace(
        execution_facts(), execution=running, events=events, queued=None, result=None, now=at(50), rows=()
    )
    report = execution_report(facts, PROD)
    assert report.seconds == 50.0
    assert [(phase.name, phase.ended, phase.seconds) for phase in report.timeline] == [
        ("Validation", at(3), 3.0),
        ("Job run", None, 47.0),
    ]
    assert [(state.name, state.seconds) for state in report.states] == [
        ("ValidateInput", 3.0),
        ("RunGlueETLJob", None),
    ]
    assert report.next_step == ""


@pytest.mark.parametrize(
    ("status", "statuses", "text"),
    [
        ("SUCCEEDED", ["loaded"], "1 file loaded"),
        ("SUCCEEDED", ["loaded", "loaded"], "2 files loaded"),
        ("SUCCEEDED", ["loaded", "failed"], "1 of 2 files loaded"),
        ("FAILED", ["failed"], "1 file did not load"),
        ("SUCCEEDED", ["superseded", "superseded"], "2 files did not load"),
        ("RUNNING", ["running", "running"], "Loading 2 files"),
        ("FAILED", [], "No files"),
    ],
)
def test_the_headline_is_the_outcome_of_the_files(status, statuses, text):
    assert headline(status, statuses) == text


def test_quarantine_lists_reasons_with_their_rows_the_most_frequent_first():
    reasons = sample_execution().quarantine
    assert [(each.reason, each.rows, len(each.examples)) for each in reasons] == [
        ("negative_duration", 2870, 2),
        ("pickup_out_of_range", 561, 0),
        ("wrong_field_count", 187, 0),
        ("implausible_distance", 72, 1),
        ("unparseable", 25, 1),
    ]
    assert reasons[3].examples[0].values["trip_distance"] == "-8.7"


def test_at_most_three_examples_of_a_reason_are_shown():
    facts = replace(execution_facts(), rows=[ROWS[0]] * 9)
    assert len(execution_report(facts, PROD).quarantine[0].examples) == 3


def test_a_file_with_too_many_bad_rows_has_its_examples_in_the_result():
    facts = execution_facts()
    bad = replace(
        facts.result.files[2],
        reasons={"unparseable": 9},
        examples=({"reasons": ["unparseable"], "row": {"PULocationID": "zone 4", "SR_Flag": None}},),
    )
    result = replace(facts.result, files=(bad,))
    [reason] = execution_report(replace(facts, result=result, rows=()), PROD).quarantine
    assert reason.examples == (
        ExampleRow(bad.version.key, None, ("unparseable",), {"PULocationID": "zone 4"}),
    )


def test_changed_columns_are_those_of_files_that_have_any():
    changes = sample_execution().columns
    assert [(each.key, each.new, each.missing, each.left_out) for each in changes] == [
        (YELLOW.key, ("airport_zone", "request_source"), (), ()),
        ("raw/taxi/green_tripdata_2026-01.csv", (), ("ehail_fee",), ("route (list<double>)",)),
    ]


def test_costs_are_those_of_the_job_run_and_of_a_crawl():
    report = sample_execution()
    # 426 DPU-seconds at 0.308 USD an hour; ten minutes of 2 DPUs at 0.44 USD an hour
    assert [(cost.part, cost.usd) for cost in report.costs] == [
        ("Job run", 0.0364),
        ("Crawl, at least", 0.1467),
    ]
    assert report.usd == pytest.approx(0.1831)
    assert report.seconds == 245.3


def test_a_crawl_that_did_not_start_costs_nothing():
    failed = {"type": "TaskFailed", "taskFailedEventDetails": {"error": "Glue.AccessDeniedException"}}
    events = visit("RunCrawlerUpdate", 0, 1, SCHEDULED, failed)
    assert execution_report(replace(execution_facts(), events=events), PROD).costs == []


def test_the_cost_of_a_small_batch_is_what_its_function_reported():
    answer = '{"Payload": {"costUsd": 0.000512}}'
    done = {"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": answer}}
    events = visit("RunSmallBatch", 0, 4, SCHEDULED, done)
    report = execution_report(replace(execution_facts(), events=events), PROD)
    assert [(cost.part, cost.usd) for cost in report.costs] == [("Small batch function", 0.000512)]
    assert (report.engine, report.timeline[1].name) == ("duckdb", "Small batch")


def test_a_job_run_without_an_end_has_an_unknown_cost():
    timeout = {"type": "TaskTimedOut", "taskTimedOutEventDetails": {"error": "States.Timeout"}}
    events = visit("RunGlueETLJob", 0, 4, SCHEDULED, timeout)
    report = execution_report(replace(execution_facts(), events=events), PROD)
    assert [(cost.part, cost.usd) for cost in report.costs] == [("Job run", None)]
    assert report.states[0].error == "States.Timeout"


def test_the_next_step_replays_an_execution_with_a_failed_file():
    assert sample_execution().next_step == f"taxi-etl --environment prod replay --execution {NAME}"
    facts = execution_facts()
    loaded = replace(facts, files=facts.files[:2])
    assert execution_report(loaded, PROD).next_step == ""


def test_keys_of_the_json_document_are_in_camel_case():
    document = to_json(sample_execution())
    assert document["statesNotEntered"][0] == "ExecutionFailed"
    assert document["files"][0]["versionId"] == "3HL4kqtJ72697064"
    assert document["states"][0]["entered"] == BEGIN
