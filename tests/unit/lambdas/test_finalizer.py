"""Tests that every ending is recorded once and every failure published, also after faults and races."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from fakes.dynamodb import FakeTable
from fakes.faults import fault
from fakes.s3 import Buckets
from fakes.step_functions import EXECUTIONS_ARN, MACHINE, StepFunctions

from stores.ledger import Ledger
from taxi_etl.documents import AcceptedFile, FileResult, JobResult, Manifest, RejectedFile
from taxi_etl.failures import Failure, FailureCode, FileWarning, WarningCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import timestamp
from taxi_etl.schema import text_columns

Handler = Callable[[Any], Any]
A, B, C = (FileVersion("lake", f"raw/taxi/{letter}.csv", f"v-{letter}", 10, "e", "0A") for letter in "abc")
DOCUMENTS = "runs/etl-pipeline-workflow/nightly"


def put_manifest(s3: Buckets, *files: FileVersion, rejected: FileVersion | None = None) -> None:
    accepted = tuple(AcceptedFile(version, "green", "csv", text_columns(["VendorID"])) for version in files)
    reasons = (Failure(FailureCode.EMPTY, "the file is empty (0 bytes)"),)
    rejected_files = (RejectedFile(rejected, reasons),) if rejected else ()
    text = Manifest("nightly", "lake", "s3", accepted, rejected_files).dumps()
    s3.upload("lake", f"{DOCUMENTS}/manifest.json", text.encode(), "m1")


def put_result(s3: Buckets, *files: FileResult) -> None:
    text = JobResult("nightly", "lake", "jr_1", files, schema_changed=False).dumps()
    s3.upload("lake", f"{DOCUMENTS}/result.json", text.encode(), "r1")


def ended(name: str = "nightly", status: str = "SUCCEEDED", **detail: Any) -> dict[str, Any]:
    return {"detail": {"name": name, "status": status, "executionArn": f"{EXECUTIONS_ARN}:{name}", **detail}}


def item(table: FakeTable, version: FileVersion) -> dict[str, Any]:
    return table.item(f"lake/{version.key}", version.version_id)


def execution(table: FakeTable, name: str = "nightly") -> dict[str, Any]:
    return table.item(f"execution#{name}", "execution")


LOADED_A = FileResult(
    A, FileStatus.LOADED, "green", read=10, written=7, quarantined=3, reasons={"unparseable": 3}
)
UNUSUAL = tuple(FileWarning(code, "see the file") for code in WarningCode)
FAILED_B = FileResult(
    B, FileStatus.FAILED, "green", failure=Failure(FailureCode.UNREADABLE, "page 3 is damaged")
)


def test_each_files_outcome_is_recorded(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    s3: Buckets,
    topic: Any,
    metrics: Callable[[], Any],
) -> None:
    step_functions.end(running(A, B, C), "SUCCEEDED")
    put_manifest(s3, A, B, rejected=C)
    put_result(s3, replace(LOADED_A, warnings=UNUSUAL), FAILED_B)
    assert close(ended()) == {"closed": True}
    assert item(table, A)["status"] == "loaded"
    assert item(table, A)["rows"] == {"read": 10, "written": 7, "quarantined": 3}
    assert item(table, B)["status"] == "failed"
    assert item(table, B)["reasons"] == [{"code": "unreadable", "message": "page 3 is damaged"}]
    assert item(table, C)["status"] == "rejected"
    assert item(table, C)["reasons"] == [{"code": "empty", "message": "the file is empty (0 bytes)"}]
    closed = execution(table)
    assert (closed["status"], closed["outcome"], closed["announced"]) == ("closed", "SUCCEEDED", False)
    assert closed["counts"] == {"files": 3, "loaded": 1, "rejected": 1, "superseded": 0, "failed": 1}
    assert topic.published == []
    assert metrics() == {
        "FilesLoaded": 1,
        "FilesRejected": 1,
        "FilesFailed": 1,
        "RowsWritten": 7,
        "RowsQuarantined": 3,
        "QuarantinePercent": 30,
        "UnusualMonths": 1,
    }


def test_only_the_rows_of_loaded_files_are_counted(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    s3: Buckets,
    metrics: Callable[[], Any],
) -> None:
    step_functions.end(running(A, B), "SUCCEEDED")
    put_manifest(s3, A, B)
    put_result(s3, LOADED_A, replace(FAILED_B, read=100, written=40, quarantined=60))
    close(ended())
    sent = metrics()
    assert (sent["RowsWritten"], sent["RowsQuarantined"], sent["QuarantinePercent"]) == (7, 3, 30)


def test_a_duplicate_ending_changes_nothing(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: FakeTable, topic: Any
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    assert close(ended(status="TIMED_OUT")) == {"closed": True}
    before = {key: dict(value) for key, value in table.items.items()}
    assert close(ended(status="TIMED_OUT")) == {"closed": False}
    assert table.items == before
    assert len(topic.published) == 1


def test_an_ending_that_the_workflow_could_not_publish_is_published(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    s3: Buckets,
    topic: Any,
    sample: Callable[[str], Any],
) -> None:
    step_functions.end(running(A, B, C), "TIMED_OUT")
    put_manifest(s3, A, B, rejected=C)
    put_result(s3, LOADED_A)
    close(sample("execution_timed_out"))
    (published,) = topic.published
    assert published["TopicArn"] == "arn:aws:sns:eu-west-1:123456789012:etl-pipeline-notifications"
    assert published["Subject"] == "Taxi ETL FAILED: 3 files"
    assert published["MessageAttributes"] == {
        "status": {"DataType": "String", "StringValue": "FAILED"},
        "dataset": {"DataType": "String.Array", "StringValue": '["green"]'},
    }
    assert published["MessageStructure"] == "json"
    message = json.loads(json.loads(published["Message"])["default"])
    assert message["message"].startswith(
        "The execution exceeded its time limit and was stopped. Files: 1 loaded, 1 rejected, 1 failed."
    )
    assert (message["bucket"], message["key"]) == ("lake", None)
    assert message["error"] == {
        "Error": "TIMED_OUT",
        "Cause": "The execution exceeded its time limit and was stopped",
    }
    assert message["timestamp"] == "2024-06-01T12:00:00.000Z"
    assert message["workflowExecutionId"] == f"{EXECUTIONS_ARN}:nightly"
    assert [(file["key"], file["status"]) for file in message["files"]] == [
        ("raw/taxi/b.csv", "failed"),
        ("raw/taxi/c.csv", "rejected"),
        ("raw/taxi/a.csv", "loaded"),
    ]
    assert message["manifest"] == f"s3://lake/{DOCUMENTS}/manifest.json"
    assert message["nextStep"].startswith("See more: `taxi-etl history nightly`.")


@pytest.mark.parametrize(
    ("status", "error", "announced"),
    [
        ("SUCCEEDED", None, False),
        ("FAILED", "ValidationFailed", False),
        ("FAILED", "ExecutionFailed", False),
        ("FAILED", "NotificationFailed", True),
        ("FAILED", "States.Runtime", True),
        ("FAILED", None, True),
        ("TIMED_OUT", "States.Timeout", True),
        ("ABORTED", None, True),
    ],
)
def test_only_endings_that_the_workflow_could_not_publish_are_published(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    topic: Any,
    status: str,
    error: str | None,
    announced: bool,
) -> None:
    step_functions.end(running(A), status, error, "why" if error else None)
    close(ended(status=status))
    assert len(topic.published) == int(announced)
    assert execution(table)["announced"] is announced


def test_the_event_overrules_a_description_that_lags_behind_it(
    close: Handler, running: Callable[..., str], table: FakeTable, topic: Any
) -> None:
    running(A)
    close(ended(status="FAILED", error="ExecutionFailed", cause="The job loaded nothing"))
    assert execution(table)["outcome"] == "FAILED"
    assert item(table, A)["reasons"] == [{"code": "run_failed", "message": "The job loaded nothing"}]
    assert topic.published == []


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_a_running_execution_is_not_closed(
    close: Handler, running: Callable[..., str], table: FakeTable, status: str
) -> None:
    running(A)
    assert close(ended(status=status)) == {"closed": False}
    assert execution(table)["status"] == "running"


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_an_execution_that_was_redriven_since_its_event_is_not_closed(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    status: str,
) -> None:
    step_functions.executions[running(A)].redrives = 1
    step_functions.executions["nightly"].status = status
    assert close(ended(status="FAILED", redriveCount=0)) == {"closed": False}
    assert execution(table)["status"] == "running"
    assert close(ended(status="FAILED", redriveCount=1)) == {"closed": True}


def test_an_event_of_an_unknown_execution_is_a_fault(close: Handler) -> None:
    with pytest.raises(LookupError, match="has no execution nightly"):
        close(ended())


def test_a_batch_over_which_the_job_died_is_marked_for_a_replay_file_by_file(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: FakeTable, s3: Buckets
) -> None:
    step_functions.end(running(A, B), "FAILED", "ExecutionFailed", "Java heap space")
    put_manifest(s3, A, B)
    close(ended(status="FAILED"))
    assert (item(table, A)["status"], item(table, A)["alone"]) == ("failed", True)


# Executions without a claim


def start_in_console(step_functions: StepFunctions, text: str) -> None:
    step_functions.start_execution(stateMachineArn=MACHINE, name="nightly", input=text)


def test_an_execution_without_a_claim_is_adopted_with_its_files(
    close: Handler, step_functions: StepFunctions, table: FakeTable, s3: Buckets
) -> None:
    start_in_console(step_functions, '{"bucket": "lake", "key": "raw/taxi/a.csv"}')
    step_functions.end("nightly", "SUCCEEDED")
    put_manifest(s3, A)
    put_result(s3, LOADED_A)
    assert close(ended()) == {"closed": True}
    assert (item(table, A)["status"], item(table, A)["execution"]) == ("loaded", "nightly")
    closed = execution(table)
    assert (closed["status"], closed["trigger"], closed["files"]) == ("closed", "manual", 1)
    assert closed["startedAt"] == "2024-06-01T12:00:00.000Z"
    assert close(ended()) == {"closed": False}


def test_an_adopted_execution_leaves_files_to_the_execution_that_claimed_them(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: FakeTable, s3: Buckets
) -> None:
    running(A, name="other")
    start_in_console(step_functions, '{"bucket": "lake", "key": "raw/taxi/a.csv"}')
    step_functions.end("nightly", "SUCCEEDED")
    put_manifest(s3, A)
    put_result(s3, LOADED_A)
    close(ended())
    assert (item(table, A)["status"], item(table, A)["execution"]) == ("running", "other")


def test_a_shorthand_input_that_was_never_validated_is_published_without_a_file_record(
    close: Handler, step_functions: StepFunctions, table: FakeTable, topic: Any
) -> None:
    start_in_console(step_functions, '{"bucket": "lake", "key": "raw/taxi/a.csv"}')
    step_functions.end("nightly", "ABORTED")
    close(ended(status="ABORTED"))
    assert list(table.items) == [("execution#nightly", "execution")]
    message = json.loads(json.loads(topic.published[0]["Message"])["default"])
    assert (message["key"], message["files"][0]["status"]) == ("raw/taxi/a.csv", "failed")
    assert topic.published[0]["MessageAttributes"]["dataset"]["StringValue"] == '["unknown"]'


@pytest.mark.parametrize("text", ["{}", "[1]", '"text"', "not JSON"])
def test_an_execution_with_an_unparseable_input_is_published_and_closed(
    close: Handler, step_functions: StepFunctions, table: FakeTable, topic: Any, text: str
) -> None:
    start_in_console(step_functions, text)
    step_functions.end("nightly", "FAILED", "States.Runtime", "no bucket")
    assert close(ended(status="FAILED")) == {"closed": True}
    message = json.loads(json.loads(topic.published[0]["Message"])["default"])
    assert (message["files"], message["error"]) == ([], {"Error": "States.Runtime", "Cause": "no bucket"})
    assert execution(table)["status"] == "closed"


# Concurrent finalizers, and faults between the steps


def test_a_finalizer_leaves_an_execution_to_the_holder_of_its_lease(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    ledger: Ledger,
    topic: Any,
    clock: Any,
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    assert ledger.acquire_lease("nightly", timestamp(clock()), until="2024-06-01T12:01:00.000Z")
    assert close(ended(status="TIMED_OUT")) == {"closed": False}
    assert topic.published == []
    clock.forward(seconds=61)  # the lease has expired
    assert close(ended(status="TIMED_OUT")) == {"closed": True}
    assert len(topic.published) == 1


@pytest.mark.parametrize(
    "error", [fault("InternalError"), ReadTimeoutError(endpoint_url="https://aws.example")]
)
def test_a_failed_publish_is_made_up_for_by_the_next_finalizer_without_waiting(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    topic: Any,
    error: Exception,
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    topic.faults.append(error)
    with pytest.raises(type(error)):
        close(ended(status="TIMED_OUT"))
    assert execution(table)["status"] == "running"
    assert close(ended(status="TIMED_OUT")) == {"closed": True}
    assert len(topic.published) == 1


@pytest.mark.parametrize("failing_call", [2, 3])
def test_a_failed_write_loses_no_outcome(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    topic: Any,
    failing_call: int,
) -> None:
    step_functions.end(running(A, B), "TIMED_OUT")
    original = table.update_item
    count = 0

    def update_item(**arguments: Any) -> dict[str, Any]:
        nonlocal count
        count += 1
        if count == failing_call:
            raise fault("InternalServerError")
        return original(**arguments)

    table.update_item = update_item  # type: ignore[method-assign]
    with pytest.raises(ClientError):
        close(ended(status="TIMED_OUT"))
    assert topic.published == []
    assert close(ended(status="TIMED_OUT")) == {"closed": True}
    assert (item(table, A)["status"], item(table, B)["status"]) == ("failed", "failed")
    assert len(topic.published) == 1


def test_a_finalizer_that_dies_after_publishing_is_followed_by_a_second_message(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    topic: Any,
    clock: Any,
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    original = table.update_item
    count = 0

    def update_item(**arguments: Any) -> dict[str, Any]:
        nonlocal count
        count += 1
        if count == 3:  # after the lease and one file comes the end of the claim
            raise fault("InternalServerError")
        return original(**arguments)

    table.update_item = update_item  # type: ignore[method-assign]
    with pytest.raises(ClientError):
        close(ended(status="TIMED_OUT"))
    assert close(ended(status="TIMED_OUT")) == {"closed": False}
    clock.forward(seconds=61)
    assert close(ended(status="TIMED_OUT")) == {"closed": True}
    assert len(topic.published) == 2


def test_a_finalizer_that_lost_its_lease_neither_closes_nor_counts(
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    metrics: Callable[[], Any],
) -> None:
    step_functions.end(running(A), "FAILED", "ExecutionFailed", "boom")
    original = table.update_item

    def update_item(**arguments: Any) -> dict[str, Any]:
        answer = original(**arguments)
        execution(table).update(closingUntil="2024-06-01T13:00:00.000Z")
        return answer

    table.update_item = update_item  # type: ignore[method-assign]
    assert close(ended(status="FAILED")) == {"closed": False}
    assert execution(table)["status"] == "running"
    assert metrics() == {}


def test_a_late_ending_leaves_a_replayed_file_alone(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: FakeTable
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    item(table, A).update(execution="nightly-2", status="running")
    close(ended(status="TIMED_OUT"))
    assert (item(table, A)["status"], item(table, A)["execution"]) == ("running", "nightly-2")


def test_a_redriven_execution_is_closed_again_with_its_new_ending(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    s3: Buckets,
    metrics: Callable[[], Any],
) -> None:
    step_functions.end(running(A), "FAILED", "ExecutionFailed", "boom")
    close(ended(status="FAILED"))
    step_functions.executions["nightly"].redrives = 1
    step_functions.end("nightly", "SUCCEEDED")
    put_manifest(s3, A)
    put_result(s3, LOADED_A)
    metrics()
    assert close(ended()) == {"closed": True}
    assert (item(table, A)["status"], execution(table)["outcome"]) == ("loaded", "SUCCEEDED")
    assert metrics()["FilesLoaded"] == 1
    assert close(ended()) == {"closed": False}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"schemaVersion": "1"}', b'{"bucket": 5, "accepted": 7}']
)
def test_an_unparseable_document_fails_the_files_and_not_the_finalizer(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: FakeTable,
    s3: Buckets,
    damage: bytes,
) -> None:
    step_functions.end(running(A), "SUCCEEDED")
    put_manifest(s3, A)
    s3.upload("lake", f"{DOCUMENTS}/result.json", damage, "r1")
    assert close(ended()) == {"closed": True}
    assert item(table, A)["reasons"][0]["code"] == "run_incomplete"


def test_a_failed_read_of_a_document_is_a_fault(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: FakeTable, s3: Buckets
) -> None:
    step_functions.end(running(A), "SUCCEEDED")
    s3.fail("get_object", fault("AccessDenied"))
    with pytest.raises(ClientError, match="AccessDenied"):
        close(ended())
    assert execution(table)["status"] == "running"
