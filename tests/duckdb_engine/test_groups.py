"""Tests of small files that are read and written together: which, and that it makes no difference."""

from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from duckdb_engine.groups import FILE_BYTES_MAX, GROUP_BYTES_MAX, GROUP_FILES_MAX, groups
from loading.engine import Declined
from loading.file_load import FileLoad
from loading.source_file import SourceFile
from sample_data import generate
from tests.duckdb_engine.conftest import yellow

MONTHS = ("2024-01", "2024-02", "2024-03")
CSV = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,trip_distance,note\n"


def test_small_files_of_one_layout_form_a_group(files, tmp_path):
    plain = yellow(tmp_path / "yellow_tripdata_2024-01.parquet")
    wider = yellow(tmp_path / "yellow_tripdata_2024-02.parquet", note=pa.array(["a", "b", "c"]))
    loads = [load_of(files, path) for path in (plain, wider, plain)]
    large = load_of(files, plain, size=FILE_BYTES_MAX + 1)

    found = list(groups([*loads, large]))

    assert found == [[large], [loads[0], loads[2]], [loads[1]]]


def test_a_group_has_limits(files, tmp_path):
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet")
    tiny = [load_of(files, path, size=1)] * (GROUP_FILES_MAX + 1)
    larger = [load_of(files, path, size=FILE_BYTES_MAX)] * (GROUP_BYTES_MAX // FILE_BYTES_MAX + 1)

    assert [len(group) for group in groups(tiny)] == [GROUP_FILES_MAX, 1]
    assert [len(group) for group in groups(larger)] == [4, 1]
    assert list(groups([])) == []


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_files_are_written_together_as_alone(files, tmp_path, kind):
    paths = [sample(tmp_path, month, kind, seed) for seed, month in enumerate(MONTHS)]

    together = files.ask(paths).outcomes
    alone = [files.write(path) for path in paths]

    assert len(together) == len(MONTHS)
    for one, other in zip(together, alone, strict=True):
        assert facts(one) == facts(other)
        for written, expected in ((one.trips, other.trips), (one.quarantine, other.quarantine)):
            assert rows_of(written) == rows_of(expected)
            assert bounds(written) == bounds(expected)


def test_keys_may_be_long_in_a_group(files, tmp_path):
    """DuckDB returns no exact bounds of texts with more than 256 bytes."""
    paths = [yellow(tmp_path / f"yellow_tripdata_{month}.parquet") for month in MONTHS]
    entries = [
        replace(entry, version=replace(entry.version, key=f"raw/taxi/{'z' * 300}/{entry.version.key}"))
        for entry in map(files.accept, paths)
    ]

    outcomes = files.ask(paths, entries).outcomes

    for entry, outcome in zip(entries, outcomes, strict=True):
        bounds = outcome.trips.columns['"source_file"']
        assert (bounds["min"], bounds["max"]) == (entry.version.uri, entry.version.uri)
        assert (bounds["min_is_exact"], bounds["max_is_exact"]) == ("true", "true")


def test_counts_belong_to_their_file(files, tmp_path):
    january = [datetime(2024, 1, 5, 10)] * 4
    february = [datetime(2024, 2, 5, 10)] * 4
    times = {"tpep_dropoff_datetime": pa.array([datetime(2024, 2, 6)] * 4, pa.timestamp("us"))}
    inside = {"tpep_pickup_datetime": pa.array(february, pa.timestamp("us")), **times}
    outside = {"tpep_pickup_datetime": pa.array(january, pa.timestamp("us")), **times}
    far = {"trip_distance": pa.array([-1.0, 1.0, -1.0, 1.0])}
    one = yellow(tmp_path / "yellow_tripdata_2024-02.parquet", rows=4, **inside)
    (tmp_path / "b").mkdir()
    two = yellow(tmp_path / "b" / "yellow_tripdata_2024-02_b.parquet", rows=4, **outside, **far)

    first, second = files.ask([one, two]).outcomes

    assert (first.read, first.trips.rows, first.quarantine, first.other_months) == (4, 4, None, 0)
    assert (second.read, second.trips.rows, second.quarantine.rows) == (4, 2, 2)
    assert second.other_months == 2
    assert dict(first.reasons) == {}
    assert dict(second.reasons) == {"implausible_distance": 2}
    assert [row[:2] for row in first.day_totals] == [["2024-02-05", 4]]
    assert [row[:2] for row in second.day_totals] == [["2024-01-05", 2]]
    assert sorted(row["position"] for row in rows_of(second.quarantine)) == [0, 2]


def test_files_without_rows_have_no_data_files_in_a_group(files, tmp_path):
    none = pa.array([], pa.float64())
    empty = yellow(tmp_path / "yellow_tripdata_2024-01.parquet", rows=0, trip_distance=none)
    full = yellow(tmp_path / "yellow_tripdata_2024-02.parquet", rows=2)

    first, second = files.ask([empty, full]).outcomes

    assert (first.read, first.trips, first.quarantine) == (0, None, None)
    assert (second.read, second.trips.rows) == (2, 2)


def test_files_whose_columns_differ_in_their_physical_type_are_not_read_together(files, tmp_path):
    narrow = yellow(tmp_path / "yellow_tripdata_2024-01.parquet", VendorID=pa.array([1, 1, 1], pa.int32()))
    wide = yellow(tmp_path / "yellow_tripdata_2024-02.parquet")

    assert files.ask([narrow, wide]).declined == "the files have different schemas"


def test_a_group_that_cannot_be_read_together_is_read_file_by_file(lake):
    """Both files have whole numbers, so their layouts are equal; the widths of their types differ."""
    keys = ["raw/taxi/yellow_tripdata_2024-01.parquet", "raw/taxi/yellow_tripdata_2024-02.parquet"]
    for key, kind in zip(keys, (pa.int32(), pa.int64()), strict=True):
        path = yellow(lake.storage.root.parent / "trips.parquet", VendorID=pa.array([1, 2, 6], kind))
        lake.storage.put(key, path.read_bytes())
    assert len({lake.accept(key).columns for key in keys}) == 1

    assert lake.load(*keys).counts()["loaded"] == 2

    for key in keys:
        assert sorted(row["vendor_id"] for row in lake.rows("yellow", key)) == [1, 2, 6]


def test_a_group_is_declined_because_of_one_file_by_its_name(lake):
    keys = [f"raw/taxi/yellow_tripdata_{month}.csv" for month in MONTHS]
    for key, note in zip(keys, ("plain", 'a "b" c', "plain"), strict=True):
        trip = f"2,{key[-11:-4]}-05 10:00:00,{key[-11:-4]}-05 10:10:00,1.5,{note}\n"
        lake.storage.put(key, (CSV + trip).encode())

    with pytest.raises(Declined) as declined:
        lake.load(*keys)

    assert declined.value.reason == f"{keys[1]}: a value contains a quote"
    assert lake.data_files() == set()


def load_of(files, path, size: int | None = None) -> FileLoad:
    """A load of a file; `size` replaces the size that S3 states."""
    entry = files.accept(path)
    if size is not None:
        entry = replace(entry, version=replace(entry.version, size=size))
    return FileLoad(SourceFile(entry, path.as_uri()))


def sample(folder, month: str, kind: str, seed: int):
    """A file of 500 trips, every tenth of them quarantined, and all with distinct values."""
    path = folder / f"yellow_tripdata_{month}.{kind}"
    return generate(
        path, dataset="yellow", month=month, rows=500, dirty_share=0.1, seed=seed, format=kind
    ).path


def facts(outcome) -> tuple:
    """What an outcome says about its file, without the data files."""
    days = sorted(tuple(row) for row in outcome.day_totals)
    return outcome.read, dict(outcome.reasons), outcome.other_months, days


def rows_of(written) -> list[dict]:
    """The rows of a data file, in an order of their own."""
    return sorted(pq.read_table(written.path, partitioning=None).to_pylist(), key=repr)


def bounds(written) -> dict:
    """DuckDB's statistics without sizes, which depend on how texts are encoded."""
    return {
        name: {key: value for key, value in found.items() if key != "column_size_bytes"}
        for name, found in written.columns.items()
    }
