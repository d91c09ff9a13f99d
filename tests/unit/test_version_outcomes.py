"""Tests of the outcomes of a file's versions."""

from datetime import UTC, datetime

from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import FileRecord
from taxi_etl.version_outcomes import KnownVersion, unresolved, version_outcomes

ROWS = {"read": 10, "written": 8, "quarantined": 2}
KEY = "raw/taxi/a.csv"


def at(hour: int) -> datetime:
    return datetime(2024, 6, 1, hour, tzinfo=UTC)


def known(version: str, status: str = "", *, uploaded: int | None = None, received: int = 0) -> KnownVersion:
    file = FileVersion("lake", KEY, version)
    record = None
    if status:
        rows = ROWS if status == "loaded" else None
        moment = f"2024-06-01T{received:02d}:00:00.000Z"
        record = FileRecord(file, FileStatus(status), dataset="green", rows=rows, received_at=moment)
    return KnownVersion(file, at(uploaded) if uploaded is not None else None, record=record)


def summary(*versions: KnownVersion) -> list[tuple[str, bool, dict[str, int], str]]:
    return [
        (each.known.version.version_id, each.is_newest, dict(each.tables), each.replaced_by)
        for each in version_outcomes(versions)
    ]


TABLES = {"green_trips": 8, "quarantined_trips": 2}


def test_the_rows_are_those_of_the_newest_loaded_version() -> None:
    assert summary(
        known("v1", "loaded", uploaded=1),
        known("v3", "loaded", uploaded=3),
        known("v2", "failed", uploaded=2),
    ) == [("v3", True, TABLES, ""), ("v2", False, {}, ""), ("v1", False, {}, "v3")]


def test_a_newer_version_that_did_not_load_leaves_the_older_rows() -> None:
    assert summary(known("v2", "rejected", uploaded=2), known("v1", "loaded", uploaded=1)) == [
        ("v2", True, {}, ""),
        ("v1", False, TABLES, ""),
    ]


def test_removed_rows_are_in_no_table() -> None:
    assert summary(known("v1", "removed", uploaded=1)) == [("v1", True, {}, "")]


def test_versions_uploaded_in_the_same_second_stay_in_the_order_of_s3() -> None:
    assert [each[0] for each in summary(known("new", uploaded=1), known("old", "loaded", uploaded=1))] == [
        "new",
        "old",
    ]


def test_a_version_that_s3_deleted_has_its_place_by_the_time_it_was_received() -> None:
    found = summary(known("kept", "loaded", uploaded=3), known("gone", "loaded", received=2), known("x"))
    assert [(each[0], each[3]) for each in found] == [("kept", ""), ("gone", "kept"), ("x", "")]


def record(key: str, status: str, updated: int) -> FileRecord:
    version = FileVersion("lake", key, f"v{updated}")
    return FileRecord(version, FileStatus(status), updated_at=f"2024-06-01T{updated:02d}:00:00.000Z")


def test_a_file_that_loaded_after_its_problem_is_resolved() -> None:
    problems = [record("a", "failed", 1), record("b", "failed", 3), record("c", "rejected", 2)]
    loaded = [record("a", "loaded", 2), record("b", "loaded", 1), record("b", "loaded", 2)]
    assert unresolved(problems, loaded) == [problems[1], problems[2]]


def test_a_version_that_loaded_in_the_same_moment_resolves_the_problem_of_another() -> None:
    assert unresolved([record("a", "failed", 1)], [record("a", "loaded", 1)]) == []


def test_only_the_latest_problem_of_a_file_counts() -> None:
    problems = [record("a", "failed", 5), record("a", "rejected", 4)]
    assert unresolved(problems, []) == [problems[0]]
