"""Tests that every announced file is put into exactly one execution, also after faults and duplicates."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from fakes.dynamodb import FakeTable
from fakes.faults import fault
from fakes.step_functions import StepFunctions

from lambdas.etl_orchestrator.dispatch import Dispatcher
from lambdas.executions import Executions
from stores.ledger import Ledger
from taxi_etl.batches import BatchLimits
from taxi_etl.identity import FileVersion, execution_name
from taxi_etl.inputs import ExecutionInput, Trigger
from taxi_etl.ledger import Claim

Handler = Callable[[Any], Any]
CloseClaim = Callable[..., None]
NOW = "2024-06-01T12:00:00.000Z"
A, B, C = (FileVersion("lake", f"raw/taxi/{letter}.csv", f"v-{letter}", 10, "e", "0A") for letter in "abc")
NOTHING_FAILED = {"batchItemFailures": []}
HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
COLLISION = fault("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])
NO_ANSWER = ReadTimeoutError(endpoint_url="https://aws.example")


def message(*versions: FileVersion, message_id: str = "") -> dict[str, str]:
    """Return an SQS message that announces these versions; its ID defaults to the first key."""
    records = [
        {
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": version.bucket},
                "object": {
                    "key": version.key,
                    "versionId": version.version_id,
                    "size": version.size,
                    "eTag": version.etag,
                    "sequencer": version.sequencer,
                },
            },
        }
        for version in versions
    ]
    return {"messageId": message_id or versions[0].key, "body": json.dumps({"Records": records})}


def batch(*messages: dict[str, str]) -> dict[str, Any]:
    return {"Records": list(messages)}


def failed(*message_ids: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}


def status(table: FakeTable, version: FileVersion) -> str:
    found: str = table.item(f"lake/{version.key}", version.version_id)["status"]
    return found


def claim(ledger: Ledger, *files: FileVersion, attempt: int = 1) -> str:
    """Claim files as an orchestrator that died before it started the execution; return its name."""
    name = execution_name(files, attempt)
    text = ExecutionInput("lake", files, Trigger.S3).dumps()
    assert ledger.claim(Claim(name, text, "s3", files, attempt), NOW)
    return name


def test_an_upload_starts_an_execution_with_its_version(
    orchestrate: Handler, sample: Callable[[str], Any], step_functions: StepFunctions, table: FakeTable
) -> None:
    assert orchestrate(sample("sqs_object_created")) == NOTHING_FAILED
    (run,) = step_functions.executions.values()
    assert json.loads(run.input) == {
        "bucket": "123456789012-oubt-datalake",
        "files": [
            {
                "key": "raw/taxi/green_tripdata_2024-01.parquet",
                "size": 1362284,
                "etag": "2f3a6f7be9ad4ee46bd0d3b0cf9e6f1c",
                "versionId": "L4kqtJlcpXroDTDmpUMLUo",
                "sequencer": "0055AED6DCD90281E5",
            }
        ],
        "trigger": "s3",
    }
    pk = "123456789012-oubt-datalake/raw/taxi/green_tripdata_2024-01.parquet"
    item = table.item(pk, "L4kqtJlcpXroDTDmpUMLUo")
    assert (item["status"], item["execution"]) == ("running", run.name)
    execution = table.item(f"execution#{run.name}", "execution")
    assert (execution["status"], execution["input"]) == ("running", run.input)
    assert execution["arn"].endswith(f":execution:etl-pipeline-workflow:{run.name}")


def test_a_burst_shares_one_execution_and_is_counted(
    orchestrate: Handler,
    sample: Callable[[str], Any],
    step_functions: StepFunctions,
    metrics: Callable[[], Any],
) -> None:
    assert orchestrate(sample("sqs_mixed_batch")) == failed("a0000000-0000-4000-8000-000000000004")
    (run,) = step_functions.executions.values()
    assert [file["key"] for file in json.loads(run.input)["files"]] == [
        "raw/taxi/green_tripdata_2024-01.parquet",
        "raw/taxi/green_tripdata_2024-02.parquet",
    ]
    assert metrics() == {
        "FilesReceived": 2,
        "DuplicateEvents": 1,
        "EventsIgnored": 1,
        "ExecutionsStarted": 1,
    }


@pytest.mark.parametrize("name", ["sqs_test_event", "sqs_object_removed"])
def test_a_message_without_a_created_object_is_dropped(
    orchestrate: Handler, sample: Callable[[str], Any], step_functions: StepFunctions, name: str
) -> None:
    assert orchestrate(sample(name)) == NOTHING_FAILED
    assert step_functions.calls == []


@pytest.mark.parametrize("key", ["raw/taxi/_SUCCESS", "raw/taxi/2019/a.csv.filepart"])
def test_a_marker_starts_and_reports_nothing_but_is_counted(
    orchestrate: Handler,
    step_functions: StepFunctions,
    table: FakeTable,
    metrics: Callable[[], Any],
    key: str,
) -> None:
    assert orchestrate(batch(message(FileVersion("lake", key, "v1", 10)))) == NOTHING_FAILED
    assert (step_functions.calls, table.items) == ([], {})
    assert metrics() == {"EventsIgnored": 1}


def test_a_duplicate_event_changes_nothing(
    orchestrate: Handler, step_functions: StepFunctions, table: FakeTable, metrics: Callable[[], Any]
) -> None:
    orchestrate(batch(message(A)))
    before = dict(table.items)
    metrics()
    assert orchestrate(batch(message(A))) == NOTHING_FAILED
    assert table.items == before
    assert len(step_functions.executions) == 1
    assert metrics() == {"FilesReceived": 1, "DuplicateEvents": 1}


def test_an_event_of_a_closed_file_starts_nothing(
    orchestrate: Handler, step_functions: StepFunctions, ledger: Ledger, close_claim: CloseClaim
) -> None:
    close_claim(claim(ledger, A), A)
    assert orchestrate(batch(message(A))) == NOTHING_FAILED
    assert step_functions.executions == {}


def test_two_versions_of_a_key_are_two_files_in_any_order_of_arrival(
    orchestrate: Handler, step_functions: StepFunctions
) -> None:
    newer = FileVersion("lake", A.key, "v-newer", 10, "e", "0B")
    orchestrate(batch(message(newer)))
    orchestrate(batch(message(A)))
    versions = [json.loads(run.input)["files"][0]["versionId"] for run in step_functions.executions.values()]
    assert versions == ["v-newer", "v-a"]


def test_an_unstarted_claim_is_started_with_its_own_name_and_input(
    *,
    orchestrate: Handler,
    step_functions: StepFunctions,
    table: FakeTable,
    ledger: Ledger,
    metrics: Callable[[], Any],
) -> None:
    name = claim(ledger, A, B)
    assert orchestrate(batch(message(A))) == NOTHING_FAILED
    assert list(step_functions.executions) == [name]
    assert step_functions.executions[name].input == ExecutionInput("lake", (A, B), Trigger.S3).dumps()
    assert (status(table, A), status(table, B)) == ("running", "running")
    assert metrics() == {"FilesReceived": 1, "DuplicateEvents": 1}


def test_an_open_claim_found_through_several_files_is_started_again_once(
    orchestrate: Handler, step_functions: StepFunctions, ledger: Ledger
) -> None:
    claim(ledger, A, B)
    orchestrate(batch(message(A), message(B)))
    assert len(step_functions.arguments("start_execution")) == 1


@pytest.mark.parametrize(
    ("header", "passed"),
    [("", None), (HEADER, HEADER), ("x" * 256, "x" * 256), ("x" * 257, None)],
    ids=["untraced", "traced", "longest", "too long"],
)
def test_an_execution_continues_the_trace_of_the_orchestrator(
    orchestrate: Handler,
    step_functions: StepFunctions,
    monkeypatch: pytest.MonkeyPatch,
    header: str,
    passed: str | None,
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    orchestrate(batch(message(A)))
    [started] = step_functions.arguments("start_execution")
    assert started.get("traceHeader") == passed


def test_a_running_execution_is_not_marked_running_again(orchestrate: Handler, table: FakeTable) -> None:
    orchestrate(batch(message(A)))
    written = len(table.arguments("transact_write_items"))
    orchestrate(batch(message(A)))
    assert len(table.arguments("transact_write_items")) == written


def test_an_event_of_an_ended_execution_that_is_not_closed_yet_is_dropped(
    orchestrate: Handler, step_functions: StepFunctions
) -> None:
    orchestrate(batch(message(A)))
    (name,) = step_functions.executions
    step_functions.end(name, "SUCCEEDED")
    assert orchestrate(batch(message(A))) == NOTHING_FAILED
    assert len(step_functions.executions) == 1


def test_only_the_new_files_of_a_batch_are_started(
    orchestrate: Handler, step_functions: StepFunctions, ledger: Ledger, close_claim: CloseClaim
) -> None:
    started = claim(ledger, A)
    close_claim(claim(ledger, B), B)
    assert orchestrate(batch(message(A), message(B), message(C))) == NOTHING_FAILED
    assert sorted(step_functions.executions) == sorted([started, execution_name([C])])


class ContestedTable(FakeTable):
    """A table in which a concurrent orchestrator claims files between the reads and the first claim."""

    def __init__(self, *files: FileVersion) -> None:
        super().__init__()
        self.unclaimed, self.execution = files, ""

    def transact_write_items(self, **arguments: Any) -> dict[str, Any]:
        if self.unclaimed:
            files, self.unclaimed = self.unclaimed, ()
            self.execution = claim(Ledger(self, "ledger"), *files)
        return super().transact_write_items(**arguments)


def dispatcher(table: FakeTable, step_functions: StepFunctions) -> Dispatcher:
    executions = Executions(
        step_functions, "arn:aws:states:eu-west-1:123456789012:stateMachine:etl-pipeline-workflow"
    )
    return Dispatcher(Ledger(table, "ledger"), executions, BatchLimits(99, 10**12))


def test_of_two_orchestrators_one_claims_the_file_and_the_other_rolls_it_forward(
    step_functions: StepFunctions,
) -> None:
    contested = ContestedTable(A)
    report = dispatcher(contested, step_functions).dispatch([A, B], Trigger.S3)
    assert report.failed == set()
    assert sorted(step_functions.executions) == sorted([contested.execution, execution_name([B])])
    assert {name: each.state for name, each in report.executions.items()} == {
        contested.execution: "running",
        execution_name([B]): "started",
    }


def test_two_orchestrators_with_the_same_batch_start_the_same_execution(
    step_functions: StepFunctions,
) -> None:
    report = dispatcher(ContestedTable(A, B), step_functions).dispatch([A, B], Trigger.S3)
    assert (report.failed, list(step_functions.executions)) == (set(), [execution_name([A, B])])


def test_a_claim_that_keeps_colliding_is_left_to_another_delivery(
    orchestrate: Handler, table: FakeTable, step_functions: StepFunctions
) -> None:
    table.fail("transact_write_items", *[COLLISION] * 6)
    assert orchestrate(batch(message(A))) == failed(A.key)
    assert step_functions.executions == {}
    assert orchestrate(batch(message(A))) == NOTHING_FAILED
    assert len(step_functions.executions) == 1


def test_a_claim_that_collides_is_retried_with_growing_pauses(
    orchestrate: Handler, table: FakeTable, step_functions: StepFunctions, pauses: list[float]
) -> None:
    table.fail("transact_write_items", *[COLLISION] * 5)
    assert orchestrate(batch(message(A))) == NOTHING_FAILED
    assert len(step_functions.executions) == 1
    assert len(pauses) == 5
    assert all(pause <= limit for pause, limit in zip(pauses, (0.05, 0.1, 0.2, 0.4, 0.8), strict=True))


@pytest.mark.parametrize("error", [fault("ThrottlingException"), NO_ANSWER])
def test_a_failed_start_is_repaired_by_the_next_delivery(
    orchestrate: Handler, table: FakeTable, step_functions: StepFunctions, error: Exception
) -> None:
    step_functions.fail("start_execution", error)
    assert orchestrate(batch(message(A))) == failed(A.key)
    assert status(table, A) == "received"
    assert orchestrate(batch(message(A))) == NOTHING_FAILED
    assert list(step_functions.executions) == [execution_name([A])]
    assert status(table, A) == "running"


@pytest.mark.parametrize(
    "error", [fault("InternalServerError"), EndpointConnectionError(endpoint_url="https://aws.example")]
)
def test_a_failed_claim_fails_the_messages_of_its_batch(
    orchestrate: Handler, table: FakeTable, step_functions: StepFunctions, error: Exception
) -> None:
    table.fail("transact_write_items", error)
    assert orchestrate(batch(message(A))) == failed(A.key)
    assert step_functions.executions == {}


@pytest.mark.parametrize("error", [fault("ThrottlingException"), NO_ANSWER])
def test_a_failed_roll_forward_fails_its_messages_only(
    orchestrate: Handler, ledger: Ledger, step_functions: StepFunctions, error: Exception
) -> None:
    claim(ledger, A)
    step_functions.fail("start_execution", error)
    assert orchestrate(batch(message(A), message(B))) == failed(A.key)
    assert list(step_functions.executions) == [execution_name([B])]


def test_a_failed_roll_forward_does_not_fail_the_closed_files_of_the_execution(
    orchestrate: Handler, ledger: Ledger, step_functions: StepFunctions
) -> None:
    name = claim(ledger, A, B)
    ledger.close_file(A, name, {"status": "loaded"}, NOW)
    step_functions.fail("start_execution", fault("ThrottlingException"))
    assert orchestrate(batch(message(A), message(B))) == failed(B.key)


def test_only_the_messages_of_the_failed_batch_fail(
    orchestrate: Handler, step_functions: StepFunctions
) -> None:
    other = FileVersion("other", "raw/taxi/z.csv", "v-z")
    step_functions.fail("start_execution", fault("InternalServerError"))
    answer = orchestrate(
        batch(message(A), message(B, other, message_id="both"), message(other, message_id="z"))
    )
    # The batch of bucket `lake` was first and failed; the batch of `other` was started.
    assert answer == failed(A.key, "both")
    assert list(step_functions.executions) == [execution_name([other])]


def test_an_open_file_of_a_closed_or_missing_execution_fails_its_message(
    orchestrate: Handler, table: FakeTable, ledger: Ledger, step_functions: StepFunctions
) -> None:
    name = claim(ledger, A)
    table.item(f"execution#{name}", "execution")["status"] = "closed"
    assert orchestrate(batch(message(A))) == failed(A.key)
    del table.items[(f"execution#{name}", "execution")]
    assert orchestrate(batch(message(A))) == failed(A.key)
    assert step_functions.executions == {}


@pytest.mark.parametrize("error", [fault("ThrottlingException"), NO_ANSWER])
def test_a_start_that_cannot_be_marked_is_not_a_failure(
    orchestrate: Handler, table: FakeTable, step_functions: StepFunctions, error: Exception
) -> None:
    original = table.transact_write_items

    def transact_write_items(**arguments: Any) -> dict[str, Any]:
        if len(table.arguments("transact_write_items")) == 1:
            raise error
        return original(**arguments)

    table.transact_write_items = transact_write_items  # type: ignore[method-assign]
    assert orchestrate(batch(message(A))) == NOTHING_FAILED
    assert (status(table, A), len(step_functions.executions)) == ("received", 1)


def test_a_ledger_that_cannot_be_read_fails_the_whole_batch(orchestrate: Handler, table: FakeTable) -> None:
    table.fail("batch_get_item", fault("ProvisionedThroughputExceededException"))
    with pytest.raises(Exception, match="ProvisionedThroughputExceededException"):
        orchestrate(batch(message(A)))


# Orchestration switched off


@pytest.fixture
def orchestrate_off(orchestrate: Handler, monkeypatch: pytest.MonkeyPatch) -> Handler:
    """Call etl-orchestrator with orchestration switched off."""
    monkeypatch.setenv("ENABLE_ORCHESTRATION", "false")
    return orchestrate


def test_files_are_held_while_orchestration_is_off(
    orchestrate_off: Handler, table: FakeTable, step_functions: StepFunctions, metrics: Callable[[], Any]
) -> None:
    assert orchestrate_off(batch(message(A), message(B), message(A, message_id="again"))) == NOTHING_FAILED
    assert (status(table, A), status(table, B)) == ("held", "held")
    assert step_functions.calls == []
    assert metrics() == {"FilesReceived": 2, "DuplicateEvents": 1, "FilesHeld": 2}
    orchestrate_off(batch(message(A)))
    assert metrics() == {"FilesReceived": 1, "DuplicateEvents": 1}


@pytest.mark.parametrize("error", [fault("ThrottlingException"), NO_ANSWER])
def test_a_file_that_cannot_be_held_fails_its_message(
    orchestrate_off: Handler, table: FakeTable, error: Exception
) -> None:
    table.fail("update_item", error)
    assert orchestrate_off(batch(message(A), message(B))) == failed(A.key)
    assert status(table, B) == "held"


def test_commands_start_files_while_orchestration_is_off(
    orchestrate_off: Handler, step_functions: StepFunctions
) -> None:
    answer = orchestrate_off({"command": "start", "bucket": "lake", "files": [A.to_json()]})
    assert [each["state"] for each in answer["executions"]] == ["started"]
    assert len(step_functions.executions) == 1


def test_a_held_file_is_started_by_its_event_after_orchestration_is_switched_on(
    orchestrate: Handler, table: FakeTable, ledger: Ledger, step_functions: StepFunctions
) -> None:
    ledger.hold(A, NOW)
    assert orchestrate(batch(message(A))) == NOTHING_FAILED
    assert (status(table, A), len(step_functions.executions)) == ("running", 1)
