"""Is every ending written down once and told at least once, whoever else is at work or fails?"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fakes.dynamodb import Table
from fakes.faults import fault
from fakes.s3 import Buckets
from fakes.step_functions import EXECUTION, MACHINE, StepFunctions

from lambdas.ledger_table import LedgerTable
from taxi_etl import ledger
from taxi_etl.documents import AcceptedFile, FileResult, JobResult, LoadStatus, Manifest, RejectedFile
from taxi_etl.failures import Code, Rejection
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import ExecutionInput, Trigger
from taxi_etl.ledger import Claim

Handler = Callable[[Any], Any]
CLAIMED = "2024-06-01T11:00:00.000Z"
A, B, C, D = (
    FileVersion("lake", f"raw/taxi/{letter}.csv", f"v-{letter}", 10, "e", "0A") for letter in "abcd"
)
RUN = "runs/etl-pipeline-workflow/nightly"


@pytest.fixture
def running(table: Table, step_functions: StepFunctions) -> Callable[..., str]:
    """Claim files for an execution and start it."""

    def begin(*files: FileVersion, name: str = "nightly", started: bool = True) -> str:
        text = ExecutionInput("lake", files, Trigger.S3).dumps()
        adapter = LedgerTable(table, "ledger")
        assert adapter.transact(ledger.claim(Claim(name, text, "s3", files), CLAIMED))
        if started:
            step_functions.start_execution(stateMachineArn=MACHINE, name=name, input=text)
            assert adapter.transact(ledger.mark_running(name, f"{EXECUTION}:{name}", files, CLAIMED))
        return name

    return begin


def leave_manifest(s3: Buckets, *files: FileVersion, rejected: FileVersion | None = None) -> None:
    accepted = tuple(AcceptedFile(version, "green", "csv", (("VendorID", "text"),)) for version in files)
    reasons = (Rejection(Code.EMPTY, "the object holds no bytes"),)
    left_out = (RejectedFile(rejected, reasons),) if rejected else ()
    text = Manifest("nightly", "lake", "s3", accepted, left_out).dumps()
    s3.upload("lake", f"{RUN}/manifest.json", text.encode(), "m1")


def leave_result(s3: Buckets, *files: FileResult) -> None:
    text = JobResult("nightly", "lake", "jr_1", files, schema_changed=False).dumps()
    s3.upload("lake", f"{RUN}/result.json", text.encode(), "r1")


def ended(name: str = "nightly", status: str = "SUCCEEDED", **detail: Any) -> dict[str, Any]:
    return {"detail": {"name": name, "status": status, "executionArn": f"{EXECUTION}:{name}", **detail}}


def item(table: Table, version: FileVersion) -> dict[str, Any]:
    return table.item(f"lake/{version.key}", version.version_id)


def execution(table: Table, name: str = "nightly") -> dict[str, Any]:
    return table.item(f"execution#{name}", "execution")


LOADED_A = FileResult(
    A, LoadStatus.LOADED, "green", read=10, written=7, quarantined=3, reasons={"unparseable": 3}
)
FAILED_B = FileResult(
    B, LoadStatus.FAILED, "green", error_code="unreadable", error_message="page 3 is damaged"
)


def test_each_files_outcome_is_written_down(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: Table,
    s3: Buckets,
    topic: Any,
    metrics: Callable[[], Any],
) -> None:
    step_functions.end(running(A, B, C), "SUCCEEDED")
    leave_manifest(s3, A, B, rejected=C)
    leave_result(s3, LOADED_A, FAILED_B)
    assert close(ended()) == {"closed": True}
    assert item(table, A)["status"] == "loaded"
    assert item(table, A)["rows"] == {"read": 10, "written": 7, "quarantined": 3}
    assert item(table, B)["status"] == "failed"
    assert item(table, B)["reasons"] == [{"code": "unreadable", "message": "page 3 is damaged"}]
    assert item(table, C)["status"] == "rejected"
    assert item(table, C)["reasons"] == [{"code": "empty", "message": "the object holds no bytes"}]
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
    }


def test_the_same_ending_again_changes_nothing(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: Table, topic: Any
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    assert close(ended(status="TIMED_OUT")) == {"closed": True}
    before = {key: dict(value) for key, value in table.items.items()}
    assert close(ended(status="TIMED_OUT")) == {"closed": False}
    assert table.items == before
    assert len(topic.published) == 1


def test_an_ending_nobody_could_announce_is_announced(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    s3: Buckets,
    topic: Any,
    sample: Callable[[str], Any],
) -> None:
    step_functions.end(running(A, B, C), "TIMED_OUT")
    leave_manifest(s3, A, B, rejected=C)
    leave_result(s3, LOADED_A)
    close(sample("execution_timed_out"))
    (published,) = topic.published
    assert published["TopicArn"] == "arn:aws:sns:eu-west-1:123456789012:etl-pipeline-notifications"
    assert published["Subject"] == "Taxi ETL FAILED: 3 files"
    assert published["MessageAttributes"] == {
        "status": {"DataType": "String", "StringValue": "FAILED"},
        "dataset": {"DataType": "String.Array", "StringValue": '["green"]'},
    }
    message = json.loads(published["Message"])
    assert message["message"].startswith(
        "The execution took longer than it may and was ended. Files: 1 loaded, 1 rejected, 1 failed."
    )
    assert (message["bucket"], message["key"]) == ("lake", None)
    assert message["error"] == {
        "Error": "TIMED_OUT",
        "Cause": "The execution took longer than it may and was ended",
    }
    assert message["timestamp"] == "2024-06-01T12:00:00.000Z"
    assert message["workflowExecutionId"] == f"{EXECUTION}:nightly"
    assert [(file["key"], file["status"]) for file in message["files"]] == [
        ("raw/taxi/b.csv", "failed"),
        ("raw/taxi/c.csv", "rejected"),
        ("raw/taxi/a.csv", "loaded"),
    ]
    assert message["manifest"] == f"s3://lake/{RUN}/manifest.json"
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
def test_only_what_the_machine_could_not_announce_is_announced(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: Table,
    topic: Any,
    status: str,
    error: str | None,
    announced: bool,
) -> None:
    step_functions.end(running(A), status, error, "why" if error else None)
    close(ended(status=status))
    assert len(topic.published) == int(announced)
    assert execution(table)["announced"] is announced


def test_a_description_that_lags_behind_the_event_is_not_believed(
    close: Handler, running: Callable[..., str], table: Table, topic: Any
) -> None:
    running(A)
    close(ended(status="FAILED", error="ExecutionFailed", cause="The job loaded nothing"))
    assert execution(table)["outcome"] == "FAILED"
    assert item(table, A)["reasons"] == [{"code": "run_failed", "message": "The job loaded nothing"}]
    assert topic.published == []


def test_a_start_is_no_ending(close: Handler, running: Callable[..., str], table: Table) -> None:
    running(A)
    assert close(ended(status="RUNNING")) == {"closed": False}
    assert execution(table)["status"] == "running"


def test_an_execution_that_nobody_knows_is_a_fault(close: Handler) -> None:
    with pytest.raises(LookupError, match="does not know execution nightly"):
        close(ended())


def test_a_batch_over_which_the_job_died_is_marked_for_a_replay_file_by_file(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: Table, s3: Buckets
) -> None:
    step_functions.end(running(A, B), "FAILED", "ExecutionFailed", "Java heap space")
    leave_manifest(s3, A, B)
    close(ended(status="FAILED"))
    assert (item(table, A)["status"], item(table, A)["alone"]) == ("failed", True)


# Started by hand


def start_by_hand(step_functions: StepFunctions, text: str) -> None:
    step_functions.start_execution(stateMachineArn=MACHINE, name="nightly", input=text)


def test_an_execution_started_by_hand_is_put_on_record_with_its_files(
    close: Handler, step_functions: StepFunctions, table: Table, s3: Buckets
) -> None:
    start_by_hand(step_functions, '{"bucket": "lake", "key": "raw/taxi/a.csv"}')
    step_functions.end("nightly", "SUCCEEDED")
    leave_manifest(s3, A)
    leave_result(s3, LOADED_A)
    assert close(ended()) == {"closed": True}
    assert (item(table, A)["status"], item(table, A)["execution"]) == ("loaded", "nightly")
    closed = execution(table)
    assert (closed["status"], closed["trigger"], closed["files"]) == ("closed", "manual", 1)
    assert closed["startedAt"] == "2024-06-01T12:00:00.000Z"
    assert close(ended()) == {"closed": False}


def test_a_file_that_another_execution_claimed_is_left_to_it(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: Table, s3: Buckets
) -> None:
    running(A, name="other")
    start_by_hand(step_functions, '{"bucket": "lake", "key": "raw/taxi/a.csv"}')
    step_functions.end("nightly", "SUCCEEDED")
    leave_manifest(s3, A)
    leave_result(s3, LOADED_A)
    close(ended())
    assert (item(table, A)["status"], item(table, A)["execution"]) == ("running", "other")


def test_a_shorthand_that_was_never_validated_is_told_though_it_has_no_record(
    close: Handler, step_functions: StepFunctions, table: Table, topic: Any
) -> None:
    start_by_hand(step_functions, '{"bucket": "lake", "key": "raw/taxi/a.csv"}')
    step_functions.end("nightly", "ABORTED")
    close(ended(status="ABORTED"))
    assert list(table.items) == [("execution#nightly", "execution")]
    message = json.loads(topic.published[0]["Message"])
    assert (message["key"], message["files"][0]["status"]) == ("raw/taxi/a.csv", "failed")
    assert topic.published[0]["MessageAttributes"]["dataset"]["StringValue"] == '["unknown"]'


@pytest.mark.parametrize("text", ["{}", "[1]", '"text"', "not JSON"])
def test_an_input_that_is_none_ends_aloud_too(
    close: Handler, step_functions: StepFunctions, table: Table, topic: Any, text: str
) -> None:
    start_by_hand(step_functions, text)
    step_functions.end("nightly", "FAILED", "States.Runtime", "no bucket")
    assert close(ended(status="FAILED")) == {"closed": True}
    message = json.loads(topic.published[0]["Message"])
    assert (message["files"], message["error"]) == ([], {"Error": "States.Runtime", "Cause": "no bucket"})
    assert execution(table)["status"] == "closed"


# Two at once, and failures half-way


def test_while_one_closer_is_at_work_another_leaves(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: Table,
    topic: Any,
    clock: Any,
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    adapter = LedgerTable(table, "ledger")
    adapter.update(ledger.acquire_lease("nightly", ledger.stamp(clock()), until="2024-06-01T12:01:00.000Z"))
    assert close(ended(status="TIMED_OUT")) == {"closed": False}
    assert topic.published == []
    clock.forward(seconds=61)  # the other has died: its invocation cannot live that long
    assert close(ended(status="TIMED_OUT")) == {"closed": True}
    assert len(topic.published) == 1


def test_a_publish_that_fails_is_made_up_for_by_the_next_closer_at_once(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: Table, topic: Any
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    topic.faults.append(fault("InternalError"))
    with pytest.raises(ClientError, match="InternalError"):
        close(ended(status="TIMED_OUT"))
    assert execution(table)["status"] == "running"
    assert close(ended(status="TIMED_OUT")) == {"closed": True}
    assert len(topic.published) == 1


@pytest.mark.parametrize("failing_call", [2, 3])
def test_a_write_that_fails_loses_no_outcome(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: Table,
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


def test_a_closer_that_dies_after_publishing_is_followed_by_a_second_message_rather_than_none(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: Table,
    topic: Any,
    clock: Any,
) -> None:
    step_functions.end(running(A), "TIMED_OUT")
    original = table.update_item
    count = 0

    def update_item(**arguments: Any) -> dict[str, Any]:
        nonlocal count
        count += 1
        if count == 3:  # begin, one file, and then the end
            raise fault("InternalServerError")
        return original(**arguments)

    table.update_item = update_item  # type: ignore[method-assign]
    with pytest.raises(ClientError):
        close(ended(status="TIMED_OUT"))
    assert close(ended(status="TIMED_OUT")) == {"closed": False}
    clock.forward(seconds=61)
    assert close(ended(status="TIMED_OUT")) == {"closed": True}
    assert len(topic.published) == 2


def test_a_closer_that_outlived_its_time_leaves_the_end_and_the_counts_to_its_successor(
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: Table,
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
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: Table
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
    table: Table,
    s3: Buckets,
    metrics: Callable[[], Any],
) -> None:
    step_functions.end(running(A), "FAILED", "ExecutionFailed", "boom")
    close(ended(status="FAILED"))
    step_functions.runs["nightly"].redrives = 1
    step_functions.end("nightly", "SUCCEEDED")
    leave_manifest(s3, A)
    leave_result(s3, LOADED_A)
    metrics()
    assert close(ended()) == {"closed": True}
    assert (item(table, A)["status"], execution(table)["outcome"]) == ("loaded", "SUCCEEDED")
    assert metrics()["FilesLoaded"] == 1
    assert close(ended()) == {"closed": False}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"schemaVersion": "1"}', b'{"bucket": 5, "accepted": 7}']
)
def test_a_document_that_cannot_be_read_fails_the_files_and_not_the_closer(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: Table,
    s3: Buckets,
    damage: bytes,
) -> None:
    step_functions.end(running(A), "SUCCEEDED")
    leave_manifest(s3, A)
    s3.upload("lake", f"{RUN}/result.json", damage, "r1")
    assert close(ended()) == {"closed": True}
    assert item(table, A)["reasons"][0]["code"] == "run_incomplete"


def test_documents_that_cannot_be_fetched_are_a_fault(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: Table, s3: Buckets
) -> None:
    step_functions.end(running(A), "SUCCEEDED")
    s3.fail("get_object", fault("AccessDenied"))
    with pytest.raises(ClientError, match="AccessDenied"):
        close(ended())
    assert execution(table)["status"] == "running"


# The sweep


def test_the_sweep_starts_what_never_started_and_closes_what_ended_and_leaves_what_runs(
    *,
    close: Handler,
    running: Callable[..., str],
    step_functions: StepFunctions,
    table: Table,
    topic: Any,
    metrics: Callable[[], Any],
    sample: Callable[[str], Any],
) -> None:
    never = running(A, name="never", started=False)
    step_functions.end(running(B, name="over"), "TIMED_OUT")
    running(C, name="busy")
    assert close(sample("sweep")) == {"started": 1, "closed": 1, "running": 1, "failed": 0}
    assert step_functions.runs[never].input == execution(table, never)["input"]
    assert execution(table, "over")["status"] == "closed"
    assert execution(table, "busy")["status"] == "running"
    assert len(topic.published) == 1
    assert metrics() == {
        "ClaimsRolledForward": 1,
        "ClaimsSweptUp": 1,
        "FilesFailed": 1,
        "HoursSinceLastFile": 0,
    }
    assert close({"sweep": True}) == {"started": 0, "closed": 0, "running": 2, "failed": 0}


@pytest.mark.parametrize(("minutes", "found"), [(14, 0), (16, 1)])
def test_young_claims_are_left_alone(
    close: Handler, running: Callable[..., str], clock: Any, minutes: int, found: int
) -> None:
    running(A, started=False)
    clock.now = clock.now.replace(hour=11, minute=minutes)
    assert close({"sweep": True})["started"] == found


def test_one_claim_that_makes_trouble_does_not_keep_the_others_waiting(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, table: Table
) -> None:
    running(A, name="first", started=False)
    running(B, name="second", started=False)
    step_functions.fail("describe_execution", fault("ThrottlingException"))
    with pytest.raises(RuntimeError, match="1 executions could not be looked into"):
        close({"sweep": True})
    assert list(step_functions.runs) == ["second"]


def started_in_the_console(step_functions: StepFunctions, name: str = "by-hand") -> str:
    """An execution past the ledger, which ended at noon."""
    text = json.dumps({"bucket": "lake", "key": A.key})
    step_functions.start_execution(stateMachineArn=MACHINE, name=name, input=text)
    step_functions.end(name, "ABORTED")
    return name


@pytest.mark.parametrize(("minutes", "found"), [(14, 0), (16, 1), (24 * 60, 1), (24 * 60 + 1, 0)])
def test_an_ending_past_the_ledger_is_looked_for_after_its_event_and_for_a_day(
    close: Handler, step_functions: StepFunctions, clock: Any, minutes: int, found: int
) -> None:
    started_in_the_console(step_functions)
    clock.forward(minutes=minutes)
    assert close({"sweep": True})["closed"] == found
    assert close({"sweep": True})["closed"] == 0


def test_a_list_of_executions_that_cannot_be_had_keeps_no_claim_waiting(
    close: Handler, running: Callable[..., str], step_functions: StepFunctions, clock: Any
) -> None:
    running(A, name="never", started=False)
    step_functions.fail("list_executions", fault("ThrottlingException"))
    with pytest.raises(RuntimeError, match="1 executions could not be looked into"):
        close({"sweep": True})
    assert list(step_functions.runs) == ["never"]


def test_a_sweep_stops_in_time(close: Handler, running: Callable[..., str], context: Any) -> None:
    running(A, started=False)
    context.remaining = 9_999
    assert close({"sweep": True}) == {"started": 0, "closed": 0, "running": 0, "failed": 0}
    context.remaining = 10_000
    assert close({"sweep": True})["started"] == 1
