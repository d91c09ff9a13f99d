"""Tests of the ledger's conditions, on a fake table that evaluates them as DynamoDB does."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from fakes.dynamodb import FakeTable

from stores.ledger import Ledger
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import (
    Claim,
    ExecutionStatus,
    FileRecord,
    Lease,
    file_key,
    is_claimable,
    timestamp,
)

A = FileVersion("lake", "raw/taxi/a.csv", "v-a", 10, "etag-a", "0A")
B = FileVersion("lake", "raw/taxi/b.csv", "v-b", 20, "etag-b", "0B")
T1, T2, T3 = "2024-06-01T12:00:00.000Z", "2024-06-01T12:05:00.000Z", "2024-06-01T12:10:00.000Z"
CLOSED = ["loaded", "rejected", "superseded", "failed", "removed"]
REJECTED = {"status": FileStatus.REJECTED, "reasons": [{"code": "empty", "message": "no bytes"}]}
ADOPTED = {"input": "{}", "files": 1, "bucket": "lake"}


def claim(*files: FileVersion, name: str = "one", attempt: int = 1) -> Claim:
    return Claim(name, '{"bucket":"lake"}', "s3", files, attempt)


def leased(ledger: Ledger, name: str = "one", until: str = T2, **options: Any) -> Lease:
    """Acquire the lease of an execution, which must be granted."""
    lease = ledger.acquire_lease(name, T1, until, **options)
    assert lease is not None
    return lease


def status(table: FakeTable, version: FileVersion) -> str:
    item: str = table.item(f"lake/{version.key}", version.version_id)["status"]
    return item


def put_file(table: FakeTable, version: FileVersion, value: str, **more: Any) -> None:
    """Put a file's item with a status into the table."""
    table.items[(f"lake/{version.key}", version.version_id)] = {
        **file_key(version),
        "bucket": "lake",
        "key": version.key,
        "size": version.size,
        "etag": version.etag,
        "sequencer": version.sequencer,
        "status": value,
        "updatedAt": T1,
        **more,
    }


# Claims


def test_a_claim_writes_the_execution_and_its_files_together(ledger: Ledger, table: FakeTable) -> None:
    assert ledger.claim(claim(A, B), T1)
    assert table.item("execution#one", "execution") == {
        "pk": "execution#one",
        "sk": "execution",
        "execution": "one",
        "status": "claimed",
        "bucket": "lake",
        "trigger": "s3",
        "input": '{"bucket":"lake"}',
        "files": 2,
        "attempt": 1,
        "createdAt": T1,
        "updatedAt": T1,
    }
    assert table.item("lake/raw/taxi/a.csv", "v-a") == {
        "pk": "lake/raw/taxi/a.csv",
        "sk": "v-a",
        "bucket": "lake",
        "key": "raw/taxi/a.csv",
        "size": 10,
        "etag": "etag-a",
        "sequencer": "0A",
        "status": "received",
        "execution": "one",
        "attempts": 1,
        "receivedAt": T1,
        "updatedAt": T1,
    }


def test_a_claim_of_99_files_is_one_transaction(ledger: Ledger, table: FakeTable) -> None:
    files = [FileVersion("lake", f"raw/taxi/{number}.csv", "v") for number in range(99)]
    assert ledger.claim(claim(*files), T1)
    (transaction,) = table.arguments("transact_write_items")
    assert len(transaction["TransactItems"]) == 100


def test_one_claimed_file_refuses_the_whole_claim(ledger: Ledger, table: FakeTable) -> None:
    ledger.claim(claim(A), T1)
    assert not ledger.claim(claim(A, B, name="two"), T2)
    assert ("lake/raw/taxi/b.csv", "v-b") not in table.items
    assert ("execution#two", "execution") not in table.items


def test_an_execution_is_claimed_once(ledger: Ledger) -> None:
    ledger.claim(claim(A), T1)
    assert not ledger.claim(claim(B), T2)


@pytest.mark.parametrize("current", ["received", "running", *CLOSED])
def test_a_first_load_never_claims_an_owned_file(ledger: Ledger, table: FakeTable, current: str) -> None:
    put_file(table, A, current, execution="before", attempts=1)
    assert not ledger.claim(claim(A), T2)


def test_a_claimed_held_file_keeps_the_time_of_its_arrival(ledger: Ledger, table: FakeTable) -> None:
    assert ledger.hold(A, T1)
    assert status(table, A) == "held"
    assert ledger.claim(claim(A), T2)
    item = table.item("lake/raw/taxi/a.csv", "v-a")
    assert (item["status"], item["receivedAt"], item["updatedAt"]) == ("received", T1, T2)


@pytest.mark.parametrize("current", ["held", "received", "running", *CLOSED])
def test_a_recorded_file_is_not_held_again(ledger: Ledger, table: FakeTable, current: str) -> None:
    put_file(table, A, current)
    assert not ledger.hold(A, T2)
    assert status(table, A) == current


@pytest.mark.parametrize("current", CLOSED)
def test_a_replay_claims_closed_files_and_removes_their_outcome(
    ledger: Ledger, table: FakeTable, current: str
) -> None:
    put_file(
        table, A, current, execution="one", attempts=1, reasons=[{}], rows={}, dataset="green", alone=True
    )
    assert ledger.claim(claim(A, name="one-2", attempt=2), T2)
    item = table.item("lake/raw/taxi/a.csv", "v-a")
    assert (item["status"], item["execution"], item["attempts"]) == ("received", "one-2", 2)
    assert not {"reasons", "rows", "dataset", "alone"} & item.keys()


@pytest.mark.parametrize("current", ["received", "running"])
def test_a_replay_never_takes_over_an_open_claim(ledger: Ledger, table: FakeTable, current: str) -> None:
    put_file(table, A, current, execution="one", attempts=1)
    assert not ledger.claim(claim(A, name="one-2", attempt=2), T2)


def test_only_one_of_two_replays_of_an_attempt_is_granted_even_after_the_first_closed(
    ledger: Ledger, table: FakeTable
) -> None:
    put_file(table, A, "loaded", execution="x-2", attempts=2)
    assert not ledger.claim(claim(A, name="y-2", attempt=2), T2)
    assert ledger.claim(claim(A, name="y-3", attempt=3), T2)


@pytest.mark.parametrize(
    ("current", "first", "replay"),
    [
        (None, True, True),
        ("held", True, True),
        ("received", False, False),
        ("running", False, False),
        ("loaded", False, True),
        ("rejected", False, True),
        ("superseded", False, True),
        ("failed", False, True),
    ],
)
def test_is_claimable_agrees_with_the_conditions(
    ledger: Ledger, table: FakeTable, current: str | None, first: bool, replay: bool
) -> None:
    record = FileRecord(A, FileStatus(current), "one", attempts=1) if current else None
    assert is_claimable(record, replay=False) is first
    assert is_claimable(record, replay=True) is replay
    if current:
        put_file(table, A, current, execution="one", attempts=1)
    assert ledger.claim(claim(A, name="n", attempt=2), T2) is replay


# Starts


def test_a_start_is_marked_on_the_execution_and_its_files(ledger: Ledger, table: FakeTable) -> None:
    ledger.claim(claim(A, B), T1)
    assert ledger.mark_running("one", "arn:one", [A, B], T2)
    item = table.item("execution#one", "execution")
    assert (item["status"], item["arn"], item["startedAt"], item["updatedAt"]) == (
        "running",
        "arn:one",
        T2,
        T2,
    )
    assert (status(table, A), status(table, B)) == ("running", "running")


def test_a_late_mark_leaves_closed_and_replayed_files_alone(ledger: Ledger, table: FakeTable) -> None:
    ledger.claim(claim(A), T1)
    ledger.close_file(A, "one", {"status": FileStatus.LOADED}, T2)
    assert not ledger.mark_running("one", "arn:one", [A], T3)
    assert status(table, A) == "loaded"
    put_file(table, A, "received", execution="two")
    assert not ledger.mark_running("one", "arn:one", [A], T3)


@pytest.mark.parametrize("current", ["running", "closed"])
def test_only_a_claimed_execution_is_marked_running(ledger: Ledger, table: FakeTable, current: str) -> None:
    ledger.claim(claim(A), T1)
    table.item("execution#one", "execution")["status"] = current
    assert not ledger.mark_running("one", "arn:one", [A], T2)
    assert table.item("execution#one", "execution")["status"] == current
    assert status(table, A) == "received"


# Outcomes of files


def test_an_outcome_is_recorded_on_the_files_of_the_execution(ledger: Ledger, table: FakeTable) -> None:
    ledger.claim(claim(A), T1)
    assert ledger.close_file(A, "one", REJECTED, T2)
    item = table.item("lake/raw/taxi/a.csv", "v-a")
    assert (item["status"], item["reasons"], item["updatedAt"]) == ("rejected", REJECTED["reasons"], T2)
    assert ledger.close_file(A, "one", {"status": FileStatus.LOADED}, T2)
    assert "reasons" not in table.item("lake/raw/taxi/a.csv", "v-a")


@pytest.mark.parametrize("current", ["held", "received", "running", *CLOSED])
def test_an_outcome_is_never_recorded_on_a_file_of_another_execution(
    ledger: Ledger, table: FakeTable, current: str
) -> None:
    put_file(table, A, current, execution="one-2")
    assert not ledger.close_file(A, "one", REJECTED, T2)
    assert not ledger.close_file(B, "one", REJECTED, T2)


@pytest.mark.parametrize(
    ("current", "since", "allowed"),
    [
        ("loaded", T2, True),
        ("held", T2, True),
        ("failed", T1, False),  # changed by another execution after this one started
        ("loaded", "2024-06-01T11:00:00.000Z", False),
        ("running", T2, False),
        ("received", T2, False),
    ],
)
def test_an_adopted_execution_records_outcomes_only_on_files_unchanged_since_its_start(
    ledger: Ledger, table: FakeTable, current: str, since: str, allowed: bool
) -> None:
    put_file(table, A, current, execution="other", attempts=3)
    assert ledger.close_file(A, "manual", REJECTED, T3, adopted_since=since) is allowed
    item = table.item("lake/raw/taxi/a.csv", "v-a")
    assert item["execution"] == ("manual" if allowed else "other")
    assert item["attempts"] == 3


def test_an_adopted_execution_creates_the_records_of_unknown_files(ledger: Ledger) -> None:
    assert ledger.close_file(A, "manual", {"status": FileStatus.LOADED}, T3, adopted_since=T1)
    assert ledger.files([A]) == {
        A.identity: FileRecord(A, FileStatus.LOADED, "manual", attempts=1, received_at=T3, updated_at=T3)
    }


# Leases


def test_a_lease_is_exclusive_until_it_expires(ledger: Ledger) -> None:
    ledger.claim(claim(A), T1)
    assert ledger.acquire_lease("one", T1, until=T2)
    assert not ledger.acquire_lease("one", T1, until=T3)
    assert not ledger.acquire_lease("one", T2, until=T3)
    assert ledger.acquire_lease("one", "2024-06-01T12:05:00.001Z", until=T3)


def test_a_released_lease_can_be_acquired_immediately(ledger: Ledger) -> None:
    ledger.claim(claim(A), T1)
    lease = leased(ledger)
    assert not ledger.release_lease(Lease("one", T3))
    assert ledger.release_lease(lease)
    assert ledger.acquire_lease("one", T1, until=T3)


def test_only_the_holder_of_the_lease_closes_the_execution(ledger: Ledger, table: FakeTable) -> None:
    ledger.claim(claim(A), T1)
    lease = leased(ledger)
    assert table.item("execution#one", "execution")["closingUntil"] == T2
    assert not ledger.close_execution(Lease("one", T3), {}, T1)
    assert ledger.close_execution(lease, {"outcome": "FAILED", "redrives": 0}, T1)
    item = table.item("execution#one", "execution")
    assert (item["status"], item["outcome"], item["closedAt"]) == ("closed", "FAILED", T1)
    assert "closingUntil" not in item


def test_a_closed_execution_is_leased_again_only_after_a_redrive(ledger: Ledger) -> None:
    ledger.claim(claim(A), T1)
    ledger.close_execution(leased(ledger), {"redrives": 0}, T1)
    assert not ledger.acquire_lease("one", T3, until=T3, redrives=0)
    assert ledger.acquire_lease("one", T3, until=T3, redrives=1)


def test_an_execution_without_a_claim_is_leased_only_when_adopted(ledger: Ledger, table: FakeTable) -> None:
    assert not ledger.acquire_lease("manual", T1, until=T2)
    assert ledger.acquire_lease("manual", T1, T2, adopted=ADOPTED)
    item = table.item("execution#manual", "execution")
    assert (item["status"], item["execution"], item["files"]) == ("running", "manual", 1)
    assert not ledger.acquire_lease("manual", T1, T3, adopted=ADOPTED)


def test_an_adopted_execution_is_adopted_once_for_each_ending(ledger: Ledger) -> None:
    ledger.close_execution(leased(ledger, "manual", adopted=ADOPTED), {"redrives": 0}, T1)
    assert not ledger.acquire_lease("manual", T3, T3, redrives=0, adopted=ADOPTED)
    assert ledger.acquire_lease("manual", T3, T3, redrives=1, adopted=ADOPTED)


def test_a_second_adoption_after_the_first_lease_expired_keeps_the_attributes(
    ledger: Ledger, table: FakeTable
) -> None:
    leased(ledger, "manual", adopted=ADOPTED)
    assert ledger.acquire_lease("manual", T3, T3, adopted={**ADOPTED, "files": 2})
    item = table.item("execution#manual", "execution")
    assert (item["files"], item["createdAt"], item["updatedAt"]) == (1, T1, T1)


# Reads


def test_a_file_record_is_read_as_it_was_written(ledger: Ledger, table: FakeTable) -> None:
    ledger.claim(claim(A), T1)
    assert ledger.files([A, B]) == {
        A.identity: FileRecord(A, FileStatus.RECEIVED, "one", attempts=1, received_at=T1, updated_at=T1)
    }
    ledger.close_file(A, "one", {**REJECTED, "alone": True}, T2)
    assert ledger.files([A])[A.identity] == FileRecord(
        A,
        FileStatus.REJECTED,
        "one",
        attempts=1,
        reasons=("empty: no bytes",),
        alone=True,
        received_at=T1,
        updated_at=T2,
    )
    rows = {"read": 3, "written": 2, "quarantined": 1}
    put_file(table, B, "loaded", dataset="green", rows=rows)
    record = ledger.files([B])[B.identity]
    assert (record.status, record.dataset, record.rows) == (FileStatus.LOADED, "green", rows)


def test_many_files_are_read_in_batches_and_unprocessed_keys_again(ledger: Ledger, table: FakeTable) -> None:
    files = [FileVersion("lake", f"raw/taxi/{number}.csv", "v") for number in range(101)]
    for version in files:
        put_file(table, version, "held")
    table.page_size = 60
    assert len(ledger.files(files)) == 101
    requested = [len(call["RequestItems"]["ledger"]["Keys"]) for call in table.arguments("batch_get_item")]
    assert requested == [100, 40, 1]


def test_an_execution_record_has_the_input_of_the_claim(ledger: Ledger) -> None:
    assert ledger.execution("one") is None
    ledger.claim(claim(A, B), T1)
    record = ledger.execution("one")
    assert record is not None
    assert (record.name, record.status, record.input, record.files, record.trigger, record.redrives) == (
        "one",
        ExecutionStatus.CLAIMED,
        '{"bucket":"lake"}',
        2,
        "s3",
        0,
    )


def test_open_executions_are_the_claimed_and_running_ones_of_some_age(ledger: Ledger) -> None:
    for number, moment in enumerate([T1, T1, T1, T2, T1]):
        version = FileVersion("lake", f"raw/taxi/{number}.csv", "v")
        ledger.claim(claim(version, name=f"e{number}"), moment)
    ledger.mark_running("e1", "arn", [FileVersion("lake", "raw/taxi/1.csv", "v")], T1)
    ledger.close_execution(leased(ledger, "e4"), {}, T1)
    found = [(record.name, str(record.status)) for record in ledger.open_executions(before=T2)]
    assert found == [("e0", "claimed"), ("e2", "claimed"), ("e1", "running")]


def test_held_files_are_read_oldest_first(ledger: Ledger) -> None:
    ledger.hold(B, T1)
    ledger.hold(A, T2)
    assert [record.version for record in ledger.held_files()] == [B, A]


def test_the_files_of_an_execution_are_read_by_its_name(ledger: Ledger) -> None:
    ledger.claim(claim(A, B), T1)
    assert [record.version for record in ledger.files_of("one")] == [A, B]


def test_files_and_executions_of_one_status_are_counted_apart(ledger: Ledger) -> None:
    ledger.claim(claim(A, B), T1)
    ledger.mark_running("one", "arn", [A, B], T1)
    assert ledger.count_files(FileStatus.RUNNING) == 2
    assert ledger.count_executions(ExecutionStatus.RUNNING) == 1
    assert ledger.count_files(FileStatus.HELD) == 0


def test_timestamps_have_one_width_and_sort_by_time() -> None:
    moments = [
        datetime(2024, 6, 1, 14, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2))),
        datetime(2024, 6, 1, 12, 0, 1, tzinfo=UTC),
    ]
    assert [timestamp(moment) for moment in moments] == [
        "2024-06-01T12:00:00.999Z",
        "2024-06-01T12:00:01.000Z",
    ]


def test_only_a_loaded_file_is_marked_as_removed_and_by_whom(ledger: Ledger, table: FakeTable) -> None:
    put_file(table, A, "loaded")
    assert ledger.mark_removed(A, "arn:ann", T2)
    item = table.item(f"lake/{A.key}", A.version_id)
    assert (item["status"], item["removedBy"], item["removedAt"]) == ("removed", "arn:ann", T2)
    assert not ledger.mark_removed(A, "arn:bob", T3)
    assert not ledger.mark_removed(B, "arn:bob", T3)


def test_all_versions_of_one_object_are_read(ledger: Ledger, table: FakeTable) -> None:
    versions = [FileVersion("lake", A.key, f"v{number}") for number in range(5)]
    for version in versions:
        put_file(table, version, "loaded")
    put_file(table, B, "loaded")
    assert [record.version.version_id for record in ledger.versions_of("lake", A.key)] == [
        "v0",
        "v1",
        "v2",
        "v3",
        "v4",
    ]


def test_a_replay_claims_a_removed_file_and_an_event_does_not(ledger: Ledger, table: FakeTable) -> None:
    put_file(table, A, "removed", execution="one", attempts=1)
    assert not ledger.claim(claim(A, name="event"), T2)
    assert ledger.claim(claim(A, name="replay", attempt=2), T2)
