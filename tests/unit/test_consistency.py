"""Tests of the consistency rules: each place is damaged, and the damage is the only finding."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taxi_etl.consistency.facts import (
    CurrentObject,
    ExecutionFacts,
    Facts,
    Finding,
    Kind,
    Liveness,
    Repair,
    SourceRows,
)
from taxi_etl.consistency.rules import findings
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion, source_id
from taxi_etl.ledger import ExecutionRecord, ExecutionStatus, FileRecord

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
EARLIER, LATER = "2024-06-01T11:00:00.000Z", "2024-06-01T13:00:00.000Z"
KEY = "raw/taxi/green_tripdata_2024-01.parquet"
ONE, TWO = "1111111111111111-of-32-characters", "2222222222222222-of-32-characters"
SOURCE = source_id("lake", KEY)
COUNTS = {"read": 10, "written": 8, "quarantined": 2}


def version(version_id: str = ONE) -> FileVersion:
    return FileVersion("lake", KEY, version_id, 10)


def stored(version_id: str = ONE, **changes: Any) -> CurrentObject:
    return CurrentObject(version(version_id), **{"uploaded": NOON - timedelta(hours=2), **changes})


def record(status: str = "loaded", version_id: str = ONE, **changes: Any) -> FileRecord:
    described = {"execution": "one", "updated_at": EARLIER}
    if status == "loaded":
        described |= {"dataset": "green", "rows": COUNTS}
    return FileRecord(version(version_id), FileStatus(status), **{**described, **changes})


def rows(table: str = "green_trips", count: int = 8, **changes: Any) -> SourceRows:
    described = {"versions": frozenset({ONE[:16]}), "runs": frozenset({"jr_1"})}
    return SourceRows(table, **{"source_id": SOURCE, "rows": count, **described, **changes})


QUARANTINED = rows("quarantined_trips", 2)
LOADED = Facts(
    before=NOON,
    objects=[stored()],
    records=[record()],
    rows=[rows(), QUARANTINED],
    executions={},
    buckets=frozenset({"lake"}),
)
"""A file whose four places agree."""


def found(**changes: Any) -> list[tuple[Kind, Repair, bool]]:
    return [(each.kind, each.repair, each.is_information) for each in all_findings(**changes)]


def all_findings(**changes: Any) -> list[Finding]:
    return findings(replace(LOADED, **changes))


def evidence(**changes: Any) -> str:
    [finding] = all_findings(**changes)
    return finding.evidence


def test_a_loaded_file_has_no_findings() -> None:
    assert findings(LOADED) == []


# Objects


def test_an_object_without_a_record_is_started_once_its_event_is_overdue() -> None:
    assert found(records=[], rows=[]) == [(Kind.NOT_RECEIVED, Repair.START, False)]
    assert f"version {ONE}" in evidence(records=[], rows=[])
    assert found(records=[], rows=[], objects=[stored(uploaded=NOON)]) == []


def test_a_new_version_without_a_record_is_started_and_the_rows_of_the_old_one_stay() -> None:
    [finding] = all_findings(objects=[stored(TWO)])
    assert (finding.kind, finding.version) == (Kind.NOT_RECEIVED, version(TWO))


def test_an_object_that_sends_no_event_is_not_missing() -> None:
    assert found(records=[], rows=[], objects=[stored(is_connected=False)]) == []
    assert found(records=[], rows=[], objects=[stored("null")]) == []


def test_rows_of_a_deleted_object_are_information() -> None:
    assert found(objects=[]) == [(Kind.OBJECT_DELETED, Repair.NONE, True)]
    assert found(objects=[], buckets=frozenset()) == []
    assert found(objects=[], records=[record("removed")], rows=[]) == []


# Ledger


def test_rows_whose_record_was_lost_are_one_finding() -> None:
    assert found(records=[]) == [(Kind.NOT_RECEIVED, Repair.START, False)]
    assert evidence(records=[]).endswith("; the file has rows")


@pytest.mark.parametrize("status", ["failed", "rejected", "superseded", "removed"])
def test_rows_that_the_ledger_does_not_record_are_replayed(status: str) -> None:
    assert found(records=[record(status)]) == [(Kind.ROWS_NOT_RECORDED, Repair.REPLAY, False)]
    assert evidence(records=[record(status)]) == f"8 in green_trips, 2 in quarantined_trips; {status}"
    assert found(records=[record(status)], objects=[]) == [(Kind.ROWS_NOT_RECORDED, Repair.NONE, False)]


def test_rows_of_an_unconnected_object_without_a_record_are_not_recorded() -> None:
    objects = [stored(is_connected=False)]
    assert found(records=[], objects=objects) == [(Kind.ROWS_NOT_RECORDED, Repair.REPLAY, False)]


@pytest.mark.parametrize(
    ("is_on", "expected"), [(True, (Repair.REPLAY_HELD, False)), (False, (Repair.NONE, True))]
)
def test_a_held_file_is_started_only_while_orchestration_is_on(
    is_on: bool, expected: tuple[Repair, bool]
) -> None:
    held = {"records": [record("held")], "rows": [], "is_orchestration_on": is_on}
    assert found(**held) == [(Kind.HELD, *expected)]
    assert found(**{**held, "records": [record("held", updated_at=LATER)]}) == []


def test_a_failed_load_that_keeps_the_rows_of_the_earlier_version_has_no_findings() -> None:
    assert found(objects=[stored(TWO)], records=[record(), record("failed", TWO)]) == []


def test_bad_rows_of_a_failed_version_belong_to_their_file() -> None:
    bad = rows("quarantined_trips", 5, source_id=f"failed-{SOURCE}", versions=frozenset({TWO[:16]}))
    assert (
        found(
            objects=[stored(TWO)], records=[record(), record("failed", TWO)], rows=[rows(), QUARANTINED, bad]
        )
        == []
    )


# Tables


def test_a_load_without_rows_is_replayed() -> None:
    assert found(rows=[]) == [(Kind.ROWS_MISSING, Repair.REPLAY, False)]
    assert found(rows=[], objects=[]) == [(Kind.ROWS_MISSING, Repair.NONE, False)]
    assert found(rows=[], records=[record(rows={"read": 0, "written": 0, "quarantined": 0})]) == []


@pytest.mark.parametrize(
    ("damaged", "counted"),
    [
        ([rows(count=9), QUARANTINED], "9 in green_trips, 2 in quarantined_trips"),
        ([rows()], "8 in green_trips"),
        ([QUARANTINED], "2 in quarantined_trips"),
        ([rows("yellow_trips"), QUARANTINED], "2 in quarantined_trips, 8 in yellow_trips"),
    ],
)
def test_row_counts_that_differ_from_the_ledger_are_replayed(damaged: list[SourceRows], counted: str) -> None:
    assert found(rows=damaged) == [(Kind.ROW_COUNT, Repair.REPLAY, False)]
    recorded = "8 in green_trips, 2 in quarantined_trips"
    assert evidence(rows=damaged) == f"tables: {counted}; ledger: {recorded}"


def test_a_record_without_counts_is_not_compared_by_count() -> None:
    assert found(records=[record(rows=None)]) == []


@pytest.mark.parametrize("table", ["green_trips", "quarantined_trips"])
def test_rows_of_two_versions_are_doubled(table: str) -> None:
    both = frozenset({ONE[:16], TWO[:16]})
    damaged = [replace(each, versions=both) if each.table == table else each for each in LOADED.rows]
    assert found(rows=damaged) == [(Kind.TWO_VERSIONS, Repair.REPLAY, False)]
    assert evidence(rows=damaged) == f"versions {ONE[:16]}…, {TWO[:16]}…"


def test_trips_and_quarantined_rows_of_different_versions_are_doubled() -> None:
    damaged = [rows(), replace(QUARANTINED, versions=frozenset({TWO[:16]}))]
    assert found(rows=damaged) == [(Kind.TWO_VERSIONS, Repair.REPLAY, False)]


def test_rows_of_two_loads_of_one_version_are_doubled() -> None:
    damaged = [rows(count=16, runs=frozenset({"jr_1", "jr_2"})), QUARANTINED]
    assert found(rows=damaged) == [(Kind.COMMITTED_TWICE, Repair.REPLAY, False)]
    assert evidence(rows=damaged).endswith("committed by jr_1…, jr_2…")


def test_rows_in_the_tables_of_two_datasets_are_doubled() -> None:
    damaged = [rows(), rows("yellow_trips"), QUARANTINED]
    assert found(rows=damaged) == [(Kind.TWO_TABLES, Repair.REPLAY, False)]
    assert found(rows=damaged, objects=[]) == [(Kind.TWO_TABLES, Repair.NONE, False)]


def test_rows_of_an_older_version_than_the_loaded_current_one_are_replayed() -> None:
    records = [record(updated_at=LATER.replace("13", "11")), record(version_id=TWO)]
    assert found(objects=[stored(TWO)], records=records) == [(Kind.OTHER_VERSION, Repair.REPLAY, False)]


def test_the_version_that_was_loaded_last_counts_if_the_current_one_is_not_loaded() -> None:
    records = [record(), record(version_id=TWO, updated_at="2024-06-01T11:30:00.000Z")]
    newest = [replace(each, versions=frozenset({TWO[:16]})) for each in LOADED.rows]
    assert found(objects=[], records=records, rows=newest) == [(Kind.OBJECT_DELETED, Repair.NONE, True)]
    assert found(objects=[], records=records) == [(Kind.OTHER_VERSION, Repair.NONE, False)]


def test_metadata_without_bounds_still_has_counts() -> None:
    unknown = [replace(each, versions=frozenset(), runs=frozenset()) for each in LOADED.rows]
    assert found(rows=unknown) == []
    assert found(rows=unknown[:1]) == [(Kind.ROW_COUNT, Repair.REPLAY, False)]


@pytest.mark.parametrize("prefix", ["", "failed-"])
def test_rows_of_an_unknown_file_are_found(prefix: str) -> None:
    unknown = rows(count=3, source_id=f"{prefix}abc")
    [finding] = all_findings(rows=[*LOADED.rows, unknown])
    assert (finding.kind, finding.rows, finding.is_information) == (Kind.UNKNOWN_SOURCE, unknown, False)


# Executions


def claim(liveness: Liveness, status: ExecutionStatus | None, ended: str = "") -> dict[str, ExecutionFacts]:
    item = ExecutionRecord("one", status, "{}", 1) if status else None
    return {"one": ExecutionFacts(liveness, item, ended)}


@pytest.mark.parametrize("status", ["received", "running"])
@pytest.mark.parametrize(
    ("execution", "expected"),
    [
        (claim(Liveness.RUNNING, ExecutionStatus.RUNNING, "RUNNING"), None),
        (claim(Liveness.MISSING, ExecutionStatus.CLAIMED), (Kind.CLAIM_NOT_STARTED, Repair.START)),
        (claim(Liveness.ENDED, ExecutionStatus.RUNNING, "FAILED"), (Kind.CLAIM_NOT_CLOSED, Repair.CLOSE)),
        (claim(Liveness.ENDED, None, "SUCCEEDED"), (Kind.CLAIM_NOT_CLOSED, Repair.CLOSE)),
        (claim(Liveness.ENDED, ExecutionStatus.CLOSED, "FAILED"), (Kind.CLAIM_LOST, Repair.NONE)),
        (claim(Liveness.MISSING, ExecutionStatus.CLOSED), (Kind.CLAIM_LOST, Repair.NONE)),
        (claim(Liveness.MISSING, None), (Kind.CLAIM_LOST, Repair.NONE)),
    ],
)
def test_an_open_file_needs_a_live_execution(
    status: str, execution: dict[str, ExecutionFacts], expected: tuple[Kind, Repair] | None
) -> None:
    waiting = {"records": [record(status)], "executions": execution}
    assert found(**waiting) == ([(*expected, False)] if expected else [])
    for recent in ("2024-06-01T12:00:00.000Z", LATER):
        assert found(**{**waiting, "records": [record(status, updated_at=recent)]}) == []


def test_an_open_claim_without_open_files_is_found() -> None:
    ended = claim(Liveness.ENDED, ExecutionStatus.RUNNING, "FAILED")
    assert found(executions=ended) == [(Kind.CLAIM_NOT_CLOSED, Repair.CLOSE, False)]
    missing = claim(Liveness.MISSING, ExecutionStatus.CLAIMED)
    assert found(executions=missing) == [(Kind.CLAIM_NOT_STARTED, Repair.NONE, False)]
    assert found(executions=claim(Liveness.RUNNING, ExecutionStatus.RUNNING)) == []


# Files that are loading


def test_the_rows_of_a_file_that_is_loading_are_not_judged() -> None:
    running = claim(Liveness.RUNNING, ExecutionStatus.RUNNING)
    assert found(rows=[], records=[record(), record("running", TWO)], executions=running) == []
    assert found(rows=[], records=[record(updated_at=LATER)]) == []
    assert found(rows=[], objects=[stored(TWO, uploaded=NOON)]) == []
    assert found(rows=[], unsettled=frozenset({("lake", KEY)})) == []
    assert len(found(rows=[], unsettled=frozenset({("lake", "raw/taxi/other.csv")}))) == 1
