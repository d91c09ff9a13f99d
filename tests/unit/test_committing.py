"""Tests of the commits of a load: which rows they replace, and how they handle bad rows of failed files."""

import pytest
from fakes.engine import FakeStorage, FakeTable, data_file

from loading.committing import COMMIT_ATTEMPTS, Committer
from loading.file_load import BadRow, FileLoad
from loading.source_file import SourceFile
from taxi_etl.documents import AcceptedFile
from taxi_etl.failures import FailureCode
from taxi_etl.identity import FileVersion, source_id

SUMMARY = {"taxi-etl.run-id": "jr_1"}


def load(key: str, *, good: int = 3, bad: int = 0, failed: int = 0) -> FileLoad:
    """A staged file; `failed` is the number of bad rows for which it failed."""
    version = FileVersion("lake", key, "v1")
    file = FileLoad(SourceFile(AcceptedFile(version, "green", "csv", ()), version.uri))
    file.trips = [data_file(file.source_id, good)]
    file.quarantine = [data_file(file.source_id, bad)] if bad else []
    if failed:
        file.fail(FailureCode.TOO_MANY_QUARANTINED, "too many")
        file.bad_rows = (BadRow(("unparseable",), {}),) * failed
        file.bad_row_files = [data_file(f"failed-{file.source_id}", failed)]
    return file


A, B = (source_id("lake", key) for key in "ab")


@pytest.fixture
def committer() -> Committer:
    return Committer(FakeStorage(), FakeTable("green_trips"), FakeTable("quarantined_trips"), SUMMARY)


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
    committer.quarantine.files = [data_file(A, 5), data_file(f"failed-{A}", 20)]

    committer.commit([load("a", failed=7)])

    assert (committer.quarantine.rows(A), committer.quarantine.rows(f"failed-{A}")) == (5, 7)
    assert committer.trips.calls == []


@pytest.mark.parametrize("bad", [0, 2])
def test_a_loaded_file_removes_the_rows_of_its_failed_version(committer, bad):
    committer.quarantine.files = [data_file(f"failed-{A}", 20), data_file(f"failed-{B}", 1)]

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


@pytest.mark.parametrize("call", ["snapshot_id", "check"])
def test_an_error_before_the_commit_deletes_the_data_files(committer, monkeypatch, call):
    def fail(*_: object) -> None:
        raise ConnectionError

    place = (
        (committer.quarantine, "snapshot_id") if call == "snapshot_id" else (FakeStorage, "current_version")
    )
    monkeypatch.setattr(*place, fail)
    failed, loaded = load("a", failed=20), load("b", bad=2)

    with pytest.raises(ConnectionError):
        committer.commit([failed, loaded])

    assert committer.trips.discarded == [*failed.trips, *loaded.trips]
    assert committer.quarantine.discarded == [*failed.bad_row_files, *loaded.quarantine]


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
