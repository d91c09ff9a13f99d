"""Do the tables end as if each file's newest version had been loaded once, when runs overlap or die?

The job looks at a file's version twice: before it reads, and between noting the table's snapshot and its
commit. Tests act at the second look, the latest moment at which a run can still learn of another.
"""

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glue_scripts.iceberg import LakeTable
from taxi_etl.documents import JobResult, LoadStatus
from taxi_etl.tables import create_table

A = "raw/taxi/trips_2024-01.parquet"
B = "raw/taxi/trips_2024-02.parquet"
BEFORE_COMMIT = 2


def trips(good: int, bad: int = 0, prefix: str = "lpep") -> bytes:
    """A file of trips of ten minutes, and of some that end before they begin; `lpep` is green, `tpep`
    yellow."""
    ends = [datetime(2024, 1, 5, 10, 10)] * good + [datetime(2024, 1, 5, 9)] * bad
    columns = {
        "VendorID": pa.array([2] * (good + bad), pa.int64()),
        f"{prefix}_pickup_datetime": pa.array([datetime(2024, 1, 5, 10)] * (good + bad), pa.timestamp("us")),
        f"{prefix}_dropoff_datetime": pa.array(ends, pa.timestamp("us")),
        "trip_distance": pa.array([1.5] * (good + bad)),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def counts(lake, key: str) -> dict[str, int]:
    """How many rows of a file each table holds."""
    names = [name for name in ("green", "yellow") if lake.spark.catalog.tableExists(table(lake, name))]
    return {name: lake.count(name, key) for name in (*names, "quarantine")}


def table(lake, name: str) -> str:
    return f"lake.{lake.database}.{name}_trips"


def another(lake, **hooks):
    """The same bucket and database as another run sees them, with hooks of its own."""
    return replace(lake, storage=replace(lake.storage, looks=0, **hooks))


def at(look: int, act: Callable[[], object]) -> Callable[[int], None]:
    """A hook that acts once, at one look."""
    pending = [act]

    def hook(number: int) -> None:
        if number == look and pending:
            pending.pop()()

    return hook


def side_by_side(lake, *keys: str) -> list[JobResult]:
    """Runs over one file each, all of them about to commit before any of them does."""
    barrier = threading.Barrier(len(keys), timeout=120)
    files = [lake.accept(key) for key in keys]
    runs = [another(lake, after_look=at(BEFORE_COMMIT, barrier.wait)) for _ in keys]
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda run, file: run.load(file), runs, files))


def test_runs_of_different_files_both_land(lake):
    lake.storage.put(A, trips(1, 1))
    lake.storage.put(B, trips(2, 1))
    lake.load(A)

    results = side_by_side(lake, A, B)

    assert [result.counts()["loaded"] for result in results] == [1, 1]
    assert counts(lake, A) == {"green": 1, "quarantine": 1}
    assert counts(lake, B) == {"green": 2, "quarantine": 1}


def test_runs_of_the_same_file_leave_its_rows_once(lake):
    lake.storage.put(A, trips(3, 2))
    lake.load(A)

    results = side_by_side(lake, A, A)

    assert [result.counts()["loaded"] for result in results] == [1, 1]
    assert counts(lake, A) == {"green": 3, "quarantine": 2}


def test_two_first_runs_of_the_same_file_leave_its_rows_once(lake):
    """There is no table yet, so both runs make it; and no snapshot that a commit could be checked against."""
    lake.storage.put(A, trips(3, 2))

    results = side_by_side(lake, A, A)

    assert [result.counts()["loaded"] for result in results] == [1, 1]
    assert counts(lake, A) == {"green": 3, "quarantine": 2}


@pytest.mark.parametrize("newer_is_clean", [True, False])
def test_a_newer_version_that_overtakes_wins(lake, newer_is_clean):
    lake.storage.put(A, trips(1, 1))
    older = lake.accept(A)

    def overtake() -> None:
        lake.storage.put(A, trips(4, 0 if newer_is_clean else 2))
        assert another(lake).load(A).counts()["loaded"] == 1

    [result] = another(lake, after_look=at(BEFORE_COMMIT, overtake)).load(older).files

    assert result.status is LoadStatus.SUPERSEDED
    assert counts(lake, A) == {"green": 4, "quarantine": 0 if newer_is_clean else 2}


def test_a_newer_version_of_another_dataset_that_overtakes_wins(lake):
    """The two runs commit to different tables, and neither has quarantined rows: neither is refused."""
    lake.storage.put(A, trips(2))
    older = lake.accept(A)

    def overtake() -> None:
        lake.storage.put(A, trips(4, prefix="tpep"))
        assert another(lake).load(A).counts()["loaded"] == 1

    [result] = another(lake, after_look=at(BEFORE_COMMIT, overtake)).load(older).files

    assert result.status is LoadStatus.SUPERSEDED
    assert counts(lake, A) == {"green": 0, "yellow": 4, "quarantine": 0}


class Killed(BaseException):
    """No code of the job catches this, as none runs after a kill."""


@pytest.fixture
def kill(monkeypatch) -> Iterator[Callable[[str], None]]:
    """Let the next run die right before its commit to a table."""
    original = LakeTable.replace
    doomed: list[str] = []

    def commit(table, *arguments) -> None:
        if table.name in doomed:
            doomed.remove(table.name)
            raise Killed
        original(table, *arguments)

    monkeypatch.setattr(LakeTable, "replace", commit)
    yield doomed.append
    assert not doomed, "the run did not come to that commit"


def test_a_first_run_killed_between_its_commits_ends_right_when_replayed(lake, kill):
    lake.storage.put(A, trips(3, 2))
    kill("green_trips")
    with pytest.raises(Killed):
        lake.load(A)
    assert counts(lake, A) == {"green": 0, "quarantine": 2}, "the kill came between the commits"

    lake.load(A)

    assert counts(lake, A) == {"green": 3, "quarantine": 2}


def test_a_reload_killed_between_its_commits_ends_right_when_replayed(lake, kill):
    lake.storage.put(A, trips(1, 1))
    lake.load(A)
    lake.storage.put(A, trips(5, 0))
    kill("green_trips")
    with pytest.raises(Killed):
        lake.load(A)
    assert counts(lake, A) == {"green": 1, "quarantine": 0}, "the kill came between the commits"

    lake.load(A)

    assert counts(lake, A) == {"green": 5, "quarantine": 0}


def test_a_change_of_dataset_killed_before_the_old_rows_left_ends_right_when_replayed(lake, kill):
    lake.storage.put(A, trips(2))
    lake.load(A)
    lake.storage.put(A, trips(4, prefix="tpep"))
    kill("green_trips")
    with pytest.raises(Killed):
        lake.load(A)
    assert counts(lake, A) == {"green": 2, "yellow": 4, "quarantine": 0}, "the kill came between the commits"

    lake.load(A)

    assert counts(lake, A) == {"green": 0, "yellow": 4, "quarantine": 0}


def test_two_runs_that_add_the_same_column_both_go_on(lake, monkeypatch):
    """Both see a table without the column; the slower one's ALTER TABLE is refused."""
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


def test_two_runs_that_make_the_same_table_both_go_on(lake, monkeypatch):
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
