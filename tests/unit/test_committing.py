"""Tests of the commits of a load: which rows they replace, and how they handle bad rows of failed files."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from glue_scripts.committing import COMMIT_ATTEMPTS, Committer
from glue_scripts.file_load import BadRow, FileLoad
from glue_scripts.iceberg import ConflictError
from glue_scripts.reading import SourceFile
from taxi_etl.documents import AcceptedFile
from taxi_etl.failures import FailureCode
from taxi_etl.identity import FileVersion, source_id

SUMMARY = {"taxi-etl.run-id": "jr_1"}


class DataFile:
    """A data file of some rows in a partition."""

    def __init__(self, partition: str, rows: int) -> None:
        self.partition, self.rows = partition, rows

    def recordCount(self) -> int:  # noqa: N802 - Iceberg's name
        return self.rows


@dataclass
class FakeTable:
    """A table of data files; `calls` are its requests, and `before_commit` acts before each commit."""

    files: list[DataFile] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    discarded: list[DataFile] = field(default_factory=list)
    conflicts: int = 0
    before_commit: Callable[[], object] = lambda: None

    def rows(self, partition: str) -> int:
        return sum(file.rows for file in self.files if file.partition == partition)

    def snapshot_id(self) -> int:
        return 1

    def row_counts(self, partitions) -> dict[str, int]:
        self.calls.append("row_counts")
        return {each: self.rows(each) for each in partitions if self.rows(each)}

    def replace_rows(self, partitions, files, since, summary) -> None:
        self.calls.append("replace_rows")
        assert (since, summary) == (1, SUMMARY)
        if self.conflicts:
            self.conflicts -= 1
            raise ConflictError("stale")
        self.before_commit()
        self.files = [file for file in self.files if file.partition not in partitions] + list(files)

    def remove_files(self, files, summary) -> None:
        self.calls.append("remove_files")
        self.files = [file for file in self.files if file not in files]

    def discard(self, files) -> None:
        self.discarded += files


class FakeStorage:
    """The current version of each object: `v1` unless it was replaced, or deleted (None)."""

    def __init__(self) -> None:
        self.current: dict[str, str | None] = {}

    def current_version(self, version: FileVersion) -> str | None:
        return self.current.get(version.key, "v1")


def load(key: str, *, good: int = 3, bad: int = 0, failed: int = 0) -> FileLoad:
    """A staged file; `failed` is the number of bad rows for which it failed."""
    version = FileVersion("lake", key, "v1")
    file = FileLoad(SourceFile(AcceptedFile(version, "green", "csv", ()), version.uri))
    file.trips = [DataFile(file.source_id, good)]
    file.quarantine = [DataFile(file.source_id, bad)] if bad else []
    if failed:
        file.fail(FailureCode.TOO_MANY_QUARANTINED, "too many")
        file.bad_rows = (BadRow(("unparseable",), {}),) * failed
        file.bad_row_files = [DataFile(f"failed-{file.source_id}", failed)]
    return file


A, B = (source_id("lake", key) for key in "ab")


@pytest.fixture
def committer() -> Committer:
    return Committer(FakeStorage(), FakeTable(), FakeTable(), SUMMARY)


def test_a_clean_batch_makes_one_commit_and_one_look_into_quarantine(committer):
    committer.commit([load("a"), load("b")])

    assert (committer.trips.rows(A), committer.trips.rows(B)) == (3, 3)
    assert (committer.trips.calls, committer.quarantine.calls) == (["replace_rows"], ["row_counts"])


def test_bad_rows_of_a_failed_file_share_the_commit_of_the_quarantined_rows(committer):
    failed, loaded = load("a", failed=20), load("b", bad=2)
    data_files = [*failed.trips]

    committer.commit([failed, loaded])

    assert (committer.quarantine.rows(f"failed-{A}"), committer.quarantine.rows(B)) == (20, 2)
    assert committer.quarantine.calls == ["row_counts", "replace_rows"]
    assert (committer.trips.rows(A), committer.trips.discarded) == (0, data_files)
    assert (failed.quarantined, len(failed.result().examples)) == (0, 20)


def test_a_failed_file_keeps_the_rows_of_its_loaded_version_and_replaces_its_own(committer):
    committer.quarantine.files = [DataFile(A, 5), DataFile(f"failed-{A}", 20)]

    committer.commit([load("a", failed=7)])

    assert (committer.quarantine.rows(A), committer.quarantine.rows(f"failed-{A}")) == (5, 7)
    assert committer.trips.calls == []


@pytest.mark.parametrize("bad", [0, 2])
def test_a_loaded_file_removes_the_rows_of_its_failed_version(committer, bad):
    committer.quarantine.files = [DataFile(f"failed-{A}", 20), DataFile(f"failed-{B}", 1)]

    committer.commit([load("a", bad=bad)])

    assert (committer.quarantine.rows(A), committer.quarantine.rows(f"failed-{A}")) == (bad, 0)
    assert committer.quarantine.rows(f"failed-{B}") == 1


@pytest.mark.parametrize("newer", ["v2", None], ids=["replaced", "deleted"])
def test_bad_rows_of_an_outdated_file_are_not_committed(committer, newer):
    committer.storage.current["a"] = newer
    outdated = load("a", failed=20)
    data_files = list(outdated.bad_row_files)

    committer.commit([outdated])

    assert (committer.quarantine.files, committer.quarantine.discarded) == ([], data_files)
    assert outdated.status == ("superseded" if newer else "failed")
    assert outdated.result().examples == ()


def test_bad_rows_are_removed_if_a_newer_version_came_before_their_commit(committer):
    """The newer version has no quarantined rows, so that its job run does not commit to quarantine."""
    committer.quarantine.before_commit = lambda: committer.storage.current.update(a="v2")
    outdated, failed = load("a", failed=20), load("b", failed=4)

    committer.commit([outdated, failed])

    assert (committer.quarantine.rows(f"failed-{A}"), committer.quarantine.rows(f"failed-{B}")) == (0, 4)
    assert (outdated.status, failed.status) == ("superseded", "failed")
    assert committer.quarantine.calls == ["replace_rows", "remove_files"]


def test_bad_rows_stay_if_their_object_is_deleted_after_the_commit(committer):
    committer.quarantine.before_commit = lambda: committer.storage.current.update(a=None)
    failed = load("a", failed=20)

    committer.commit([failed])

    assert (committer.quarantine.rows(f"failed-{A}"), failed.failure.code) == (20, "too_many_quarantined")


@pytest.mark.parametrize("table", ["trips", "quarantine"])
def test_a_conflict_neither_doubles_nor_loses_bad_rows(committer, table):
    getattr(committer, table).conflicts = 2

    committer.commit([load("a", failed=20), load("b", bad=2)])

    assert (committer.quarantine.rows(f"failed-{A}"), committer.quarantine.rows(B)) == (20, 2)
    assert committer.quarantine.discarded == []


def test_bad_rows_are_given_up_after_the_last_attempt(committer):
    committer.quarantine.conflicts = COMMIT_ATTEMPTS
    failed, loaded = load("a", failed=20), load("b", bad=2)
    data_files = [*failed.bad_row_files, *loaded.quarantine]

    committer.commit([failed, loaded])

    assert (committer.quarantine.files, committer.quarantine.discarded) == ([], data_files)
    assert [file.failure.code for file in (failed, loaded)] == ["too_many_quarantined", "conflict"]
