"""Tests of overlapping and killed job runs: the tables hold each file's current version exactly once.

The job checks a file's version twice: before it reads the file, and after it has noted the table's snapshot
for its commit. The tests act at the second check, the last point at which a job run can notice another one.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from glue_scripts.iceberg import LakeTable
from taxi_etl.documents import JobResult
from taxi_etl.file_status import FileStatus
from taxi_etl.tables import create_table
from tests.fixtures.trip_files import trips

A = "raw/taxi/trips_2024-01.parquet"
B = "raw/taxi/trips_2024-02.parquet"
BEFORE_COMMIT = 2


def counts(lake, key: str) -> dict[str, int]:
    """The rows of a file in each table."""
    names = [name for name in ("green", "yellow") if lake.spark.catalog.tableExists(table(lake, name))]
    return {name: lake.count(name, key) for name in (*names, "quarantine")}


def table(lake, name: str) -> str:
    return f"lake.{lake.database}.{name}_trips"


def other_run(lake, **hooks):
    """The same bucket and database for another job run, with its own hooks."""
    return replace(lake, storage=replace(lake.storage, checks=0, **hooks))


def at(check: int, act: Callable[[], object]) -> Callable[[int], None]:
    """A hook that acts once, at the version check with this number."""
    pending = [act]

    def hook(number: int) -> None:
        if number == check and pending:
            pending.pop()()

    return hook


def load_concurrently(lake, *keys: str) -> list[JobResult]:
    """Job runs of one file each, all of which reach their commit before any of them commits."""
    barrier = threading.Barrier(len(keys), timeout=120)
    files = [lake.accept(key) for key in keys]
    runs = [other_run(lake, after_check=at(BEFORE_COMMIT, barrier.wait)) for _ in keys]
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda run, file: run.load(file), runs, files))


def test_concurrent_runs_of_different_files_both_load(lake):
    lake.storage.put(A, trips(1, 1))
    lake.storage.put(B, trips(2, 1))
    lake.load(A)

    results = load_concurrently(lake, A, B)

    assert [result.counts()["loaded"] for result in results] == [1, 1]
    assert counts(lake, A) == {"green": 1, "quarantine": 1}
    assert counts(lake, B) == {"green": 2, "quarantine": 1}


def test_concurrent_runs_of_one_file_load_its_rows_once(lake):
    lake.storage.put(A, trips(3, 2))
    lake.load(A)

    results = load_concurrently(lake, A, A)

    assert [result.counts()["loaded"] for result in results] == [1, 1]
    assert counts(lake, A) == {"green": 3, "quarantine": 2}


def test_concurrent_first_runs_of_one_file_load_its_rows_once(lake):
    """Both job runs create the table, and there is no snapshot for the commit's validation."""
    lake.storage.put(A, trips(3, 2))

    results = load_concurrently(lake, A, A)

    assert [result.counts()["loaded"] for result in results] == [1, 1]
    assert counts(lake, A) == {"green": 3, "quarantine": 2}


@pytest.mark.parametrize("newer_is_clean", [True, False])
def test_a_newer_version_loaded_before_the_commit_wins(lake, newer_is_clean):
    lake.storage.put(A, trips(1, 1))
    older = lake.accept(A)

    def load_newer() -> None:
        lake.storage.put(A, trips(4, 0 if newer_is_clean else 2))
        assert other_run(lake).load(A).counts()["loaded"] == 1

    [result] = other_run(lake, after_check=at(BEFORE_COMMIT, load_newer)).load(older).files

    assert result.status is FileStatus.SUPERSEDED
    assert counts(lake, A) == {"green": 4, "quarantine": 0 if newer_is_clean else 2}


def test_a_newer_version_of_another_dataset_loaded_before_the_commit_wins(lake):
    """The job runs commit to different tables without quarantined rows, so neither commit conflicts."""
    lake.storage.put(A, trips(2))
    older = lake.accept(A)

    def load_newer() -> None:
        lake.storage.put(A, trips(4, prefix="tpep"))
        assert other_run(lake).load(A).counts()["loaded"] == 1

    [result] = other_run(lake, after_check=at(BEFORE_COMMIT, load_newer)).load(older).files

    assert result.status is FileStatus.SUPERSEDED
    assert counts(lake, A) == {"green": 0, "yellow": 4, "quarantine": 0}


class Killed(BaseException):
    """Simulates a killed process; the job's code does not catch it."""


@pytest.fixture
def kill(monkeypatch) -> Iterator[Callable[[str], None]]:
    """Kills the next job run right before it commits to the given table."""
    original = LakeTable.replace_rows
    doomed: list[str] = []

    def commit(table, *arguments) -> None:
        if table.name in doomed:
            doomed.remove(table.name)
            raise Killed
        original(table, *arguments)

    monkeypatch.setattr(LakeTable, "replace_rows", commit)
    yield doomed.append
    assert not doomed, "the job run did not reach that commit"


def test_a_replay_completes_a_first_load_killed_between_its_commits(lake, kill):
    lake.storage.put(A, trips(3, 2))
    kill("green_trips")
    with pytest.raises(Killed):
        lake.load(A)
    assert counts(lake, A) == {"green": 0, "quarantine": 2}, "the kill came between the commits"

    lake.load(A)

    assert counts(lake, A) == {"green": 3, "quarantine": 2}


def test_a_replay_completes_a_reload_killed_between_its_commits(lake, kill):
    lake.storage.put(A, trips(1, 1))
    lake.load(A)
    lake.storage.put(A, trips(5, 0))
    kill("green_trips")
    with pytest.raises(Killed):
        lake.load(A)
    assert counts(lake, A) == {"green": 1, "quarantine": 0}, "the kill came between the commits"

    lake.load(A)

    assert counts(lake, A) == {"green": 5, "quarantine": 0}


def test_a_replay_completes_a_dataset_change_killed_before_the_old_rows_were_removed(lake, kill):
    lake.storage.put(A, trips(2))
    lake.load(A)
    lake.storage.put(A, trips(4, prefix="tpep"))
    kill("green_trips")
    with pytest.raises(Killed):
        lake.load(A)
    assert counts(lake, A) == {"green": 2, "yellow": 4, "quarantine": 0}, "the kill came between the commits"

    lake.load(A)

    assert counts(lake, A) == {"green": 0, "yellow": 4, "quarantine": 0}


def test_two_runs_can_add_the_same_column(lake, monkeypatch):
    """Both see a table without the column, and the slower one's ALTER TABLE fails."""
    name = table(lake, "green")
    lake.spark.sql(create_table("green_trips", name))
    lake.spark.sql(f"ALTER TABLE {name} DROP COLUMNS (ehail_fee, cbd_congestion_fee)")
    first, second = (LakeTable(lake.spark, f"lake.{lake.database}", "green_trips") for _ in "ab")
    original, overtaken = LakeTable._fields, []

    def fields(table) -> dict[str, str]:
        found = original(table)
        if table is first and not overtaken:
            overtaken.append(True)
            assert "ehail_fee" not in found
            second.ensure()
        return found

    monkeypatch.setattr(LakeTable, "_fields", fields)
    first.ensure()

    columns = [column for column, _ in lake.spark.table(name).dtypes]
    assert columns.count("ehail_fee") == columns.count("cbd_congestion_fee") == 1


def test_two_runs_can_create_the_same_table(lake, monkeypatch):
    first, second = (LakeTable(lake.spark, f"lake.{lake.database}", "green_trips") for _ in "ab")
    original = LakeTable.exists

    def exists(table) -> bool:
        found = original(table)
        if table is first:
            second.ensure()
        return found

    monkeypatch.setattr(LakeTable, "exists", exists)
    first.ensure()

    assert first.snapshot_id() is None
    assert "ehail_fee" in dict(lake.spark.table(table(lake, "green")).dtypes)
