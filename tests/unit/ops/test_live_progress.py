"""Tests of the live display of `--wait` on a terminal."""

import io
import json

import pytest
from conftest import ARN, NOON, at, file_item
from fake_aws import error
from rich.console import Console

from ops import output
from ops.commands.live_progress import View
from ops.file_outcomes import FileOutcome
from ops.progress import Current, Watch
from taxi_etl.identity import FileVersion
from taxi_etl.names import RAW_PREFIX

KEY = f"{RAW_PREFIX}green_tripdata_2024-01.parquet"
VERSIONS = [FileVersion("lake", f"{RAW_PREFIX}{name}.csv", "v1") for name in "abc"]


def shown(*statuses, usual=None, **current):
    """Return the lines of the display for files with these statuses, two minutes after noon."""
    files = [FileOutcome(version, status) for version, status in zip(VERSIONS, statuses, strict=True)]
    watch = Watch(None, None, VERSIONS, files=files, current=current)
    console = Console(record=True, force_terminal=True, width=100, file=io.StringIO())
    console.print(View(watch, usual, clock=lambda: at(120)).render())
    return console.export_text().splitlines()


def test_it_counts_the_files_that_have_ended_or_are_held():
    assert "2 of 3 files ended" in shown("loaded", "held", "running")[0]


def test_it_shows_the_job_run_and_the_time_against_the_usual():
    execution = Current("RunGlueETLJob", at(0), "RUNNING")
    [line] = shown("running", "running", "running", usual=95.0, run=execution)[1:]
    assert " ".join(line.split()) == "run RunGlueETLJob, job run RUNNING, 2 min 00 s (usually 1 min 35 s)"


def test_without_a_job_run_or_earlier_executions_it_shows_state_and_time():
    [line] = shown("running", "running", "running", run=Current("ValidateInput", at(30)))[1:]
    assert " ".join(line.split()) == "run ValidateInput, 1 min 30 s"


@pytest.fixture
def terminal(monkeypatch):
    """Standard error is a terminal."""
    plain = output._console
    monkeypatch.setattr(
        output,
        "_console",
        lambda file: plain(file) if file.name == "<stdout>" else Console(file=file, force_terminal=True),
    )


def ended(seconds):
    """Return a successful execution that took these seconds."""
    return {
        "executionArn": f"{ARN}:execution:m:{seconds}",
        "stateMachineArn": f"{ARN}:stateMachine:m",
        "name": str(seconds),
        "status": "SUCCEEDED",
        "startDate": NOON,
        "stopDate": at(seconds),
    }


def entered_job(request):
    """Answer with a history whose job was retried: its second run is running."""
    name = {"name": "RunGlueETLJob"}
    events = [{"type": "TaskStateEntered", "stateEnteredEventDetails": name}]
    for run in ("jr_1", "jr_2"):
        submitted = {"resourceType": "glue", "resource": "startJobRun.sync"}
        submitted["output"] = json.dumps({"JobRunId": run})
        events.append({"type": "TaskSubmitted", "taskSubmittedEventDetails": submitted})
    return {"events": [{"id": number, "timestamp": NOON, **event} for number, event in enumerate(events, 1)]}


def test_on_a_terminal_the_command_reads_the_last_job_run_and_the_median_duration(
    taxi_etl, tmp_path, fast_clock, terminal
):
    path = tmp_path / "green_tripdata_2024-01.parquet"
    path.write_bytes(b"PAR1......")
    polls = iter(["running", "loaded"])
    taxi_etl.aws.answers |= {
        "s3.GetBucketVersioning": {"Status": "Enabled"},
        "s3.PutObject": {"VersionId": "v7"},
        "s3.GetObject": error("NoSuchKey"),
        "dynamodb.BatchGetItem": lambda _: {"Responses": {"ledger": [file_item(KEY, "v7", next(polls))]}},
        "stepfunctions.ListExecutions": {"executions": [ended(9), ended(90), ended(10)]},
        "stepfunctions.GetExecutionHistory": entered_job,
        "glue.GetJobRun": {"JobRun": {"JobRunState": "RUNNING"}},
    }
    result = taxi_etl("upload", str(path), "--wait")
    assert result.exit_code == 0
    assert {request["RunId"] for request in taxi_etl.aws.requests("glue.GetJobRun")} == {"jr_2"}
    assert "(usually 10.0 s)" in result.stderr
    assert "\x1b" in result.stderr
    assert "\x1b" not in result.stdout


def test_with_json_there_is_no_display(taxi_etl, tmp_path, terminal):
    path = tmp_path / "green_tripdata_2024-01.parquet"
    path.write_bytes(b"PAR1......")
    taxi_etl.aws.answers |= {
        "s3.GetBucketVersioning": {"Status": "Enabled"},
        "s3.PutObject": {"VersionId": "v7"},
        "s3.GetObject": error("NoSuchKey"),
        "dynamodb.BatchGetItem": {"Responses": {"ledger": [file_item(KEY, "v7", "loaded")]}},
        "stepfunctions.GetExecutionHistory": error("ExecutionDoesNotExist"),
    }
    assert taxi_etl.json("upload", str(path), "--wait")[0] == 0
    assert not taxi_etl.aws.requests("stepfunctions.ListExecutions")
