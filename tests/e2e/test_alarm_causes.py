"""Tests that each alarm of the deployed app fires on its cause and notifies the subscriber.

`test_alarms.py` tests the thresholds of all alarms.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sample_data
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import EXECUTION_SORT_KEY
from taxi_etl.names import RAW_PREFIX
from tests.conftest import ROOT
from tests.e2e.app_controls import loading_with_the_job
from tests.e2e.conftest import App, alarm_messages, eventually, execution_in

DAYS_WITHOUT_FILES = 46
IN_OTHER_TESTS = {
    "CloseDeadLetters": (
        "test_faults_starting.py::test_the_reconciler_closes_an_execution_whose_end_event_was_lost"
    ),
    "EventDeadLetters": (
        "test_faults_starting.py::test_an_unreadable_message_ends_in_the_dead_letter_queue_and_raises_an_alarm"
    ),
    "QuarantineShare": "test_pipeline.py::test_a_quarantine_share_of_a_tenth_raises_an_alarm",
    "UnusualMonths": "test_pipeline.py::test_a_month_with_few_trips_loads_with_a_warning_and_raises_an_alarm",
}
"""Alarms that fire in another test, with the test."""
NOT_REPRODUCIBLE = {
    "ExecutionThrottled": "the emulator's Step Functions does not throttle",
    "ExecutionTime": "an execution would have to take an hour",
    "OldestEvent": "an event would have to wait for half an hour",
}
"""Alarms whose cause the tests cannot produce, with the reason."""


@pytest.fixture(scope="module", autouse=True)
def held_jobs(app: App) -> Iterator[None]:
    """Hold the job runs that load all files, so that executions wait for theirs; release them afterwards."""
    app.aws.settings(hold_job_runs=True)
    with loading_with_the_job(app):
        yield
    app.aws.settings(hold_job_runs=False)


@pytest.fixture(scope="module")
def aborted(app: App, tmp_path_factory: pytest.TempPathFactory) -> FileVersion:
    """A file whose execution was stopped while it waited for the job run."""
    made = sample_data.generate(tmp_path_factory.mktemp("trips"), dataset="fhv", month="2022-01", rows=50)
    (version,) = app.send(made.path)
    stop_execution(app, execution_in(app, "RunGlueETLJob"))
    (outcome,) = app.follow([version])
    assert outcome.status == "failed"
    return version


def executions_failed(app: App, _: FileVersion) -> None:
    """Start an execution for a missing file."""
    start(app, {"bucket": app.deployed.bucket_name, "key": f"{RAW_PREFIX}nowhere.parquet"})


def caused_by_aborted(_app: App, _version: FileVersion) -> None:
    """Do nothing: the fixture `aborted` is the cause."""


def timed_out(app: App, version: FileVersion) -> None:
    """Start an execution that exceeds the machine's timeout, which is set to two seconds."""
    states, machine = app.session.client("stepfunctions"), app.deployed.state_machine_arn
    kept = states.describe_state_machine(stateMachineArn=machine)["definition"]
    with_timeout = json.dumps({**json.loads(kept), "TimeoutSeconds": 2})
    states.update_state_machine(stateMachineArn=machine, definition=with_timeout)
    try:
        arn = start(app, {"bucket": version.bucket, "key": version.key})
        eventually(lambda: status(app, arn) == "TIMED_OUT", "an execution that timed out")
    finally:
        states.update_state_machine(stateMachineArn=machine, definition=kept)


def job_failed(app: App, _: FileVersion) -> None:
    """Start a job run without its arguments."""
    app.aws.settings(hold_job_runs=False)
    app.session.client("glue").start_job_run(JobName=app.deployed.glue_job_name)


def no_new_files(app: App, _: FileVersion) -> None:
    """Backdate all files of the ledger, run the reconciler, and restore the dates."""
    ledger, table = app.session.client("dynamodb"), app.deployed.ledger_table_name
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=DAYS_WITHOUT_FILES)
    old = {"S": long_ago.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    pages = ledger.get_paginator("scan").paginate(TableName=table)
    items = [item for page in pages for item in page["Items"]]
    records = [item for item in items if "updatedAt" in item and item["sk"]["S"] != EXECUTION_SORT_KEY]
    changed = [({"pk": item["pk"], "sk": item["sk"]}, item["updatedAt"]) for item in records]
    for key, _date in changed:
        put_date(ledger, table, key, old)
    try:
        invoke(app, app.deployed.close_function_name, {"sweep": True})
    finally:
        for key, date in changed:
            put_date(ledger, table, key, date)


def failing(function: str, event: dict[str, Any]) -> Callable[[App, FileVersion], None]:
    """Return a cause that invokes a function with an invalid event."""

    def cause(app: App, _: FileVersion) -> None:
        answer = invoke(app, getattr(app.deployed, f"{function}_function_name"), event)
        assert answer["FunctionError"] == "Unhandled"

    return cause


def throttled(function: str) -> Callable[[App, FileVersion], None]:
    """Return a cause that invokes a function without any concurrency."""

    def cause(app: App, _: FileVersion) -> None:
        # a client without retries
        functions, name = app.aws.client("lambda"), getattr(app.deployed, f"{function}_function_name")
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        try:
            with pytest.raises(functions.exceptions.TooManyRequestsException):
                functions.invoke(FunctionName=name, Payload=b"{}")
        finally:
            functions.delete_function_concurrency(FunctionName=name)

    return cause


CAUSES: dict[str, Callable[[App, FileVersion], None]] = {
    "ExecutionsFailed": executions_failed,
    "ExecutionsAborted": caused_by_aborted,
    "FilesFailed": caused_by_aborted,
    "ExecutionsTimedOut": timed_out,
    "OrchestratorErrors": failing("orchestrator", {"Records": [{}]}),
    "ValidateErrors": failing("validate", {}),
    "CloseErrors": failing("close", {}),
    "SmallBatchErrors": failing("small_batch", {}),
    "OrchestratorThrottles": throttled("orchestrator"),
    "ValidateThrottles": throttled("validate"),
    "CloseThrottles": throttled("close"),
    "Silence": no_new_files,
    "JobFailures": job_failed,
}


def test_every_deployed_alarm_has_a_cause_or_a_reason_for_none(app: App) -> None:
    alarms = {name.removeprefix("etl-pipeline-").removesuffix("-local") for name in app.deployed.alarm_names}

    assert sorted([*CAUSES, *IN_OTHER_TESTS, *NOT_REPRODUCIBLE]) == sorted(alarms)
    for proof in IN_OTHER_TESTS.values():
        file, test = proof.split("::")
        assert f"def {test}(" in (ROOT / "tests" / "e2e" / file).read_text()


@pytest.mark.parametrize("name", CAUSES)
def test_an_alarm_fires_on_its_cause_and_notifies_the_subscriber(
    app: App, aborted: FileVersion, name: str
) -> None:
    CAUSES[name](app, aborted)

    eventually(lambda: bool(alarm_messages(app, name)), f"a message of the alarm {name}")
    (state,) = {message["NewStateValue"] for message in alarm_messages(app, name)}
    assert state == "ALARM"
    assert "docs/runbook.md#" in alarm_messages(app, name)[0]["AlarmDescription"]


@pytest.mark.parametrize("name", NOT_REPRODUCIBLE)
def test_an_alarm_without_a_reproducible_cause_receives_its_metric(
    app: App, aborted: FileVersion, name: str
) -> None:
    cloudwatch = app.session.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[f"etl-pipeline-{name}-local"])["MetricAlarms"]
    now = dt.datetime.now(dt.UTC)
    points = cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=now - dt.timedelta(hours=1),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=["SampleCount"],
    )["Datapoints"]

    assert sum(point["SampleCount"] for point in points) > 0
    assert alarm["StateValue"] == "OK"


def start(app: App, given: dict[str, Any]) -> str:
    """Start an execution and return its ARN."""
    answer = app.session.client("stepfunctions").start_execution(
        stateMachineArn=app.deployed.state_machine_arn, input=json.dumps(given)
    )
    return str(answer["executionArn"])


def status(app: App, arn: str) -> str:
    """Return the status of an execution."""
    return str(app.session.client("stepfunctions").describe_execution(executionArn=arn)["status"])


def stop_execution(app: App, arn: str) -> None:
    """Stop an execution."""
    app.session.client("stepfunctions").stop_execution(executionArn=arn)


def invoke(app: App, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Invoke a function and return the response."""
    answer: dict[str, Any] = app.session.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps(event).encode()
    )
    return answer


def put_date(ledger: Any, table: str, key: dict[str, Any], date: dict[str, str]) -> None:
    """Set the time of a ledger record's last change."""
    ledger.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET updatedAt = :date",
        ExpressionAttributeValues={":date": date},
    )
