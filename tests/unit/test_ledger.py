"""Do the ledger's conditions allow what they should, and nothing else? Sent to a table that honours them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from fakes.dynamodb import Table

from lambdas.ledger_table import LedgerTable
from taxi_etl import ledger
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import Claim, ExecutionStatus, FileRecord, FileStatus

A = FileVersion("lake", "raw/taxi/a.csv", "v-a", 10, "etag-a", "0A")
B = FileVersion("lake", "raw/taxi/b.csv", "v-b", 20, "etag-b", "0B")
T1, T2, T3 = "2024-06-01T12:00:00.000Z", "2024-06-01T12:05:00.000Z", "2024-06-01T12:10:00.000Z"
CLOSED = ["loaded", "rejected", "superseded", "failed"]


@pytest.fixture
def send(table: Table) -> LedgerTable:
    """The adapter that sends requests to the table."""
    return LedgerTable(table, "ledger")


def claim(*files: FileVersion, name: str = "one", attempt: int = 1) -> Claim:
    return Claim(name, '{"bucket":"lake"}', "s3", files, attempt)


def status(table: Table, version: FileVersion) -> str:
    found: str = table.item(f"lake/{version.key}", version.version_id)["status"]
    return found


def set_status(table: Table, version: FileVersion, value: str, **more: Any) -> None:
    """Put a file on record as if it had come that far."""
    table.items[(f"lake/{version.key}", version.version_id)] = {
        **ledger.file_key(version),
        "bucket": "lake",
        "key": version.key,
        "size": version.size,
        "etag": version.etag,
        "sequencer": version.sequencer,
        "status": value,
        "updatedAt": T1,
        **more,
    }


def test_a_claim_writes_the_execution_and_its_files_together(send: LedgerTable, table: Table) -> None:
    assert send.transact(ledger.claim(claim(A, B), T1))
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


def test_99_files_are_one_transaction(send: LedgerTable) -> None:
    files = [FileVersion("lake", f"raw/taxi/{number}.csv", "v") for number in range(99)]
    assert len(ledger.claim(claim(*files), T1)) == 100
    assert send.transact(ledger.claim(claim(*files), T1))


def test_one_claimed_file_refuses_the_whole_claim(send: LedgerTable, table: Table) -> None:
    send.transact(ledger.claim(claim(A), T1))
    assert not send.transact(ledger.claim(claim(A, B, name="two"), T2))
    assert ("lake/raw/taxi/b.csv", "v-b") not in table.items
    assert ("execution#two", "execution") not in table.items


def test_an_execution_is_claimed_once(send: LedgerTable) -> None:
    send.transact(ledger.claim(claim(A), T1))
    assert not send.transact(ledger.claim(claim(B), T2))


@pytest.mark.parametrize("current", ["received", "running", *CLOSED])
def test_a_first_load_never_takes_a_file_that_is_claimed_or_closed(
    send: LedgerTable, table: Table, current: str
) -> None:
    set_status(table, A, current, execution="before", attempts=1)
    assert not send.transact(ledger.claim(claim(A), T2))


def test_a_held_file_is_taken_and_keeps_the_time_of_its_arrival(send: LedgerTable, table: Table) -> None:
    assert send.update(ledger.hold(A, T1))
    assert status(table, A) == "held"
    assert send.transact(ledger.claim(claim(A), T2))
    item = table.item("lake/raw/taxi/a.csv", "v-a")
    assert (item["status"], item["receivedAt"], item["updatedAt"]) == ("received", T1, T2)


@pytest.mark.parametrize("current", ["held", "received", "running", *CLOSED])
def test_a_file_on_record_is_not_held_again(send: LedgerTable, table: Table, current: str) -> None:
    set_status(table, A, current)
    assert not send.update(ledger.hold(A, T2))
    assert status(table, A) == current


@pytest.mark.parametrize("current", CLOSED)
def test_a_replay_takes_closed_files_and_forgets_their_outcome(
    send: LedgerTable, table: Table, current: str
) -> None:
    set_status(
        table, A, current, execution="one", attempts=1, reasons=[{}], rows={}, dataset="green", alone=True
    )
    assert send.transact(ledger.claim(claim(A, name="one-2", attempt=2), T2))
    item = table.item("lake/raw/taxi/a.csv", "v-a")
    assert (item["status"], item["execution"], item["attempts"]) == ("received", "one-2", 2)
    assert not {"reasons", "rows", "dataset", "alone"} & item.keys()


@pytest.mark.parametrize("current", ["received", "running"])
def test_a_replay_never_takes_over_an_open_claim(send: LedgerTable, table: Table, current: str) -> None:
    set_status(table, A, current, execution="one", attempts=1)
    assert not send.transact(ledger.claim(claim(A, name="one-2", attempt=2), T2))


def test_of_two_replays_of_the_same_attempt_one_is_refused_even_after_the_other_closed(
    send: LedgerTable, table: Table
) -> None:
    set_status(table, A, "loaded", execution="x-2", attempts=2)
    assert not send.transact(ledger.claim(claim(A, name="y-2", attempt=2), T2))
    assert send.transact(ledger.claim(claim(A, name="y-3", attempt=3), T2))


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
def test_what_is_claimable_is_what_the_conditions_allow(
    send: LedgerTable, table: Table, current: str | None, first: bool, replay: bool
) -> None:
    record = FileRecord(A, FileStatus(current), "one", attempts=1) if current else None
    assert ledger.is_claimable(record, replay=False) is first
    assert ledger.is_claimable(record, replay=True) is replay
    if current:
        set_status(table, A, current, execution="one", attempts=1)
    assert send.transact(ledger.claim(claim(A, name="n", attempt=2), T2)) is replay


def test_a_start_is_noted_on_the_execution_and_its_files(send: LedgerTable, table: Table) -> None:
    send.transact(ledger.claim(claim(A, B), T1))
    assert send.transact(ledger.mark_running("one", "arn:one", [A, B], T2))
    item = table.item("execution#one", "execution")
    assert (item["status"], item["arn"], item["startedAt"], item["updatedAt"]) == (
        "running",
        "arn:one",
        T2,
        T2,
    )
    assert (status(table, A), status(table, B)) == ("running", "running")


def test_a_start_noted_late_undoes_nothing(send: LedgerTable, table: Table) -> None:
    send.transact(ledger.claim(claim(A), T1))
    send.update(ledger.close_file(A, "one", {"status": FileStatus.LOADED}, T2))
    assert not send.transact(ledger.mark_running("one", "arn:one", [A], T3))
    assert status(table, A) == "loaded"
    set_status(table, A, "received", execution="two")
    assert not send.transact(ledger.mark_running("one", "arn:one", [A], T3))


OUTCOME = {"status": FileStatus.REJECTED, "reasons": [{"code": "empty", "message": "no bytes"}]}


def test_an_outcome_is_written_to_the_files_of_the_execution(send: LedgerTable, table: Table) -> None:
    send.transact(ledger.claim(claim(A), T1))
    assert send.update(ledger.close_file(A, "one", OUTCOME, T2))
    item = table.item("lake/raw/taxi/a.csv", "v-a")
    assert (item["status"], item["reasons"], item["updatedAt"]) == ("rejected", OUTCOME["reasons"], T2)
    assert send.update(ledger.close_file(A, "one", {"status": FileStatus.LOADED}, T2))
    assert "reasons" not in table.item("lake/raw/taxi/a.csv", "v-a")


@pytest.mark.parametrize("current", ["held", "received", "running", *CLOSED])
def test_an_outcome_never_reaches_a_file_of_another_execution(
    send: LedgerTable, table: Table, current: str
) -> None:
    set_status(table, A, current, execution="one-2")
    assert not send.update(ledger.close_file(A, "one", OUTCOME, T2))
    assert not send.update(ledger.close_file(B, "one", OUTCOME, T2))


@pytest.mark.parametrize(
    ("current", "since", "allowed"),
    [
        ("loaded", T2, True),
        ("held", T2, True),
        ("failed", T1, False),  # touched when the execution had begun already: by a newer one
        ("loaded", "2024-06-01T11:00:00.000Z", False),
        ("running", T2, False),
        ("received", T2, False),
    ],
)
def test_an_adopted_execution_writes_only_what_nobody_else_has_or_did_since(
    send: LedgerTable, table: Table, current: str, since: str, allowed: bool
) -> None:
    set_status(table, A, current, execution="other", attempts=3)
    assert send.update(ledger.close_file(A, "byhand", OUTCOME, T3, adopted_since=since)) is allowed
    item = table.item("lake/raw/taxi/a.csv", "v-a")
    assert item["execution"] == ("byhand" if allowed else "other")
    assert item["attempts"] == 3


def test_an_adopted_execution_puts_unknown_files_on_record(send: LedgerTable, table: Table) -> None:
    assert send.update(ledger.close_file(A, "byhand", {"status": FileStatus.LOADED}, T3, adopted_since=T1))
    record = FileRecord.from_item(table.item("lake/raw/taxi/a.csv", "v-a"))
    assert record == FileRecord(A, FileStatus.LOADED, "byhand", attempts=1)


# Closing an execution


def closable(send: LedgerTable) -> None:
    send.transact(ledger.claim(claim(A), T1))


def test_one_closer_at_a_time_and_the_next_after_its_time_is_up(send: LedgerTable) -> None:
    closable(send)
    assert send.update(ledger.acquire_lease("one", T1, until=T2))
    assert not send.update(ledger.acquire_lease("one", T1, until=T3))
    assert not send.update(ledger.acquire_lease("one", T2, until=T3))
    assert send.update(ledger.acquire_lease("one", "2024-06-01T12:05:00.001Z", until=T3))


def test_an_ending_given_back_can_be_taken_at_once(send: LedgerTable) -> None:
    closable(send)
    send.update(ledger.acquire_lease("one", T1, until=T2))
    assert not send.update(ledger.release_lease("one", until=T3))
    assert send.update(ledger.release_lease("one", until=T2))
    assert send.update(ledger.acquire_lease("one", T1, until=T3))


def test_only_the_closer_that_holds_the_ending_finishes_it(send: LedgerTable, table: Table) -> None:
    closable(send)
    send.update(ledger.acquire_lease("one", T1, until=T2))
    assert not send.update(ledger.close_execution_item("one", T3, {}, T1))
    assert send.update(ledger.close_execution_item("one", T2, {"outcome": "FAILED", "redrives": 0}, T1))
    item = table.item("execution#one", "execution")
    assert (item["status"], item["outcome"], item["closedAt"]) == ("closed", "FAILED", T1)
    assert "closingUntil" not in item


def test_a_closed_execution_is_not_closed_again_unless_it_was_redriven(send: LedgerTable) -> None:
    closable(send)
    send.update(ledger.acquire_lease("one", T1, until=T2))
    send.update(ledger.close_execution_item("one", T2, {"redrives": 0}, T1))
    assert not send.update(ledger.acquire_lease("one", T3, until=T3, redrives=0))
    assert send.update(ledger.acquire_lease("one", T3, until=T3, redrives=1))


def test_an_execution_that_is_not_on_record_is_closed_only_when_adopted(
    send: LedgerTable, table: Table
) -> None:
    assert not send.update(ledger.acquire_lease("byhand", T1, until=T2))
    adopted = {"input": "{}", "files": 1, "bucket": "lake"}
    assert send.update(ledger.acquire_lease("byhand", T1, T2, adopted=adopted))
    item = table.item("execution#byhand", "execution")
    assert (item["status"], item["execution"], item["files"]) == ("running", "byhand", 1)
    assert not send.update(ledger.acquire_lease("byhand", T1, T3, adopted=adopted))


# Reading


def test_a_record_is_read_as_it_was_written(send: LedgerTable, table: Table) -> None:
    send.transact(ledger.claim(claim(A), T1))
    assert send.files([A, B]) == {A.identity: FileRecord(A, FileStatus.RECEIVED, "one", attempts=1)}
    set_status(table, B, "failed", alone=True)
    assert send.files([B])[B.identity].alone is True


def test_many_files_are_read_in_batches_and_what_is_left_over_again(send: LedgerTable, table: Table) -> None:
    files = [FileVersion("lake", f"raw/taxi/{number}.csv", "v") for number in range(101)]
    for version in files:
        set_status(table, version, "held")
    table.page_size = 60
    assert len(send.files(files)) == 101
    requested = [len(call["RequestItems"]["ledger"]["Keys"]) for call in table.arguments("batch_get_item")]
    assert requested == [100, 40, 1]


def test_an_execution_is_read_with_the_text_it_was_started_with(send: LedgerTable) -> None:
    assert send.execution("one") is None
    send.transact(ledger.claim(claim(A, B), T1))
    record = send.execution("one")
    assert record is not None
    assert (record.name, record.status, record.input, record.files, record.redrives) == (
        "one",
        ExecutionStatus.CLAIMED,
        '{"bucket":"lake"}',
        2,
        0,
    )


def test_open_executions_are_found_by_status_and_age(send: LedgerTable, table: Table) -> None:
    for number, moment in enumerate([T1, T1, T1, T2]):
        version = FileVersion("lake", f"raw/taxi/{number}.csv", "v")
        send.transact(ledger.claim(claim(version, name=f"e{number}"), moment))
    send.transact(ledger.mark_running("e1", "arn", [FileVersion("lake", "raw/taxi/1.csv", "v")], T1))
    claimed = send.query(ledger.open_executions(ExecutionStatus.CLAIMED, before=T2))
    running = send.query(ledger.open_executions(ExecutionStatus.RUNNING, before=T2))
    assert [item["execution"] for item in claimed] == ["e0", "e2"]
    assert [item["execution"] for item in running] == ["e1"]


def test_held_files_are_found_the_oldest_first(send: LedgerTable) -> None:
    send.update(ledger.hold(B, T1))
    send.update(ledger.hold(A, T2))
    assert [item["key"] for item in send.query(ledger.held_files())] == [B.key, A.key]


def test_an_execution_and_its_files_are_found_by_name(send: LedgerTable) -> None:
    send.transact(ledger.claim(claim(A, B), T1))
    assert [item["pk"] for item in send.query(ledger.files_of("one"))] == [
        "execution#one",
        "lake/raw/taxi/a.csv",
        "lake/raw/taxi/b.csv",
    ]


def test_stamps_have_one_width_and_sort_by_time() -> None:
    moments = [
        datetime(2024, 6, 1, 14, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2))),
        datetime(2024, 6, 1, 12, 0, 1, tzinfo=UTC),
    ]
    stamps = [ledger.stamp(moment) for moment in moments]
    assert stamps == ["2024-06-01T12:00:00.999Z", "2024-06-01T12:00:01.000Z"]
