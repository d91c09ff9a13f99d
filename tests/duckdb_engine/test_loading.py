"""Tests of whole loads with the DuckDB engine: what it commits, and what stays as it was when it declines."""

import io
import threading
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from duckdb_engine.file_io import Boto3FileIO
from duckdb_engine.writer import Writer
from loading.engine import Declined
from taxi_etl.file_status import FileStatus
from tests.duckdb_engine.lake import FolderStorage
from tests.fixtures.trip_files import trips

A = "raw/taxi/trips_2024-01.parquet"
B = "raw/taxi/trips_2024-02.parquet"
BEFORE_COMMIT = 2


def counts(lake, key: str) -> dict[str, int]:
    return {name: lake.count(name, key) for name in ("green", "yellow", "quarantine")}


def test_a_load_commits_trips_and_quarantined_rows(lake):
    lake.storage.put(A, trips(3, 2))

    [file] = lake.load(A).files

    assert (file.status, file.read, file.written, file.quarantined) == (FileStatus.LOADED, 5, 3, 2)
    assert file.reasons == {"negative_duration": 2}
    assert counts(lake, A) == {"green": 3, "yellow": 0, "quarantine": 2}
    [first, _] = lake.rows("quarantine", A)
    assert (first["dataset"], first["reasons"], first["position"]) == ("green", ["negative_duration"], 3)
    assert dict(first["row_as_read"])["VendorID"] == "2"
    assert first["file_failure"] is None


def test_the_child_process_starts_before_the_manifest_is_read(lake, monkeypatch):
    lake.storage.put(A, trips(3))
    file, steps = lake.accept(A), []
    start, read = Writer.start, FolderStorage.read
    monkeypatch.setattr(Writer, "start", lambda writer: (steps.append("start"), start(writer)))
    monkeypatch.setattr(
        FolderStorage, "read", lambda storage, uri: (steps.append("read"), read(storage, uri))[1]
    )

    lake.load(file)

    assert steps[:2] == ["start", "read"]


def test_a_reupload_replaces_only_its_own_rows(lake):
    lake.storage.put(A, trips(3, 2))
    lake.storage.put(B, trips(1, 1))
    lake.load(A, B)
    lake.storage.put(A, trips(4, 0))

    result = lake.load(A)

    assert result.counts()["loaded"] == 1
    assert counts(lake, A) == {"green": 4, "yellow": 0, "quarantine": 0}
    assert counts(lake, B) == {"green": 1, "yellow": 0, "quarantine": 1}


def test_a_reupload_as_another_dataset_moves_the_rows(lake):
    lake.storage.put(A, trips(3))
    lake.load(A)
    lake.storage.put(A, trips(2, prefix="tpep"))

    lake.load(A)

    assert counts(lake, A) == {"green": 0, "yellow": 2, "quarantine": 0}
    operations = {
        name: [snapshot.summary.operation.value for snapshot in lake.table(name).table.snapshots()]
        for name in ("green", "yellow")
    }
    assert operations == {"green": ["overwrite", "delete"], "yellow": ["overwrite"]}


def test_two_datasets_are_loaded_together(lake):
    lake.storage.put(A, trips(3, 1))
    lake.storage.put(B, trips(2, 1, prefix="tpep"))

    assert lake.load(A, B).counts()["loaded"] == 2

    assert counts(lake, A) == {"green": 3, "yellow": 0, "quarantine": 1}
    assert counts(lake, B) == {"green": 0, "yellow": 2, "quarantine": 1}


def test_a_superseded_version_is_not_loaded(lake):
    lake.storage.put(A, trips(3))
    older = lake.accept(A)
    lake.storage.put(A, trips(4))

    [file] = lake.load(older).files

    assert file.status is FileStatus.SUPERSEDED
    assert counts(lake, A) == {"green": 0, "yellow": 0, "quarantine": 0}


@pytest.mark.parametrize("newer_is_clean", [True, False])
def test_a_newer_version_loaded_before_the_commit_wins(lake, newer_is_clean):
    lake.storage.put(A, trips(1, 1))
    older = lake.accept(A)

    def load_newer(check: int) -> None:
        if check == BEFORE_COMMIT:
            lake.storage.after_check = lambda _: None
            lake.storage.put(A, trips(4, 0 if newer_is_clean else 2))
            assert lake.load(A).counts()["loaded"] == 1

    lake.storage.after_check = load_newer
    [file] = lake.load(older).files

    assert file.status is FileStatus.SUPERSEDED
    assert counts(lake, A) == {"green": 4, "yellow": 0, "quarantine": 0 if newer_is_clean else 2}


def test_a_commit_that_turns_out_to_be_superseded_is_undone(lake):
    """The versions are of different datasets, so their commits do not conflict."""
    lake.storage.put(A, trips(2, 1))
    older = lake.accept(A)

    def load_newer(check: int) -> None:
        if check == BEFORE_COMMIT:
            lake.storage.after_check = lambda _: None
            lake.storage.put(A, trips(4, prefix="tpep"))
            assert lake.load(A).counts()["loaded"] == 1

    lake.storage.after_check = load_newer
    [file] = lake.load(older).files

    assert file.status is FileStatus.SUPERSEDED
    assert counts(lake, A) == {"green": 0, "yellow": 4, "quarantine": 0}


def test_the_same_file_committed_meanwhile_is_replaced_by_the_next_attempt(lake):
    lake.storage.put(A, trips(3, 2))
    file = lake.accept(A)

    def load_too(check: int) -> None:
        if check == BEFORE_COMMIT:
            lake.storage.after_check = lambda _: None
            assert lake.load(file).counts()["loaded"] == 1

    lake.storage.after_check = load_too

    assert lake.load(file).counts()["loaded"] == 1
    assert counts(lake, A) == {"green": 3, "yellow": 0, "quarantine": 2}


def test_a_newer_clean_version_leaves_no_quarantined_row_of_the_older_one(lake):
    """Each version commits to another table, so neither commit conflicts with the other."""
    lake.storage.put(A, trips(0, 2))
    older = lake.accept(A)
    older_is_checked, newer_has_looked = threading.Event(), threading.Event()
    results = []
    load = threading.Thread(target=lambda: results.append(lake.load(older, max_quarantine_share=1.0)))

    def wait_for_each_other(check: int) -> None:
        if check == BEFORE_COMMIT:
            older_is_checked.set()
            assert newer_has_looked.wait(60)
        elif check == 2 * BEFORE_COMMIT:
            newer_has_looked.set()
            load.join(60)

    lake.storage.after_check = wait_for_each_other
    load.start()
    assert older_is_checked.wait(60)
    lake.storage.put(A, trips(3, 0))

    newer = lake.load(A)

    assert newer.counts()["loaded"] == 1
    assert [result.counts()["superseded"] for result in results] == [1]
    assert counts(lake, A) == {"green": 3, "yellow": 0, "quarantine": 0}


def test_a_commit_of_another_file_does_not_conflict(lake):
    lake.storage.put(A, trips(3, 2))
    lake.storage.put(B, trips(1, 1))

    def load_other(check: int) -> None:
        if check == BEFORE_COMMIT:
            lake.storage.after_check = lambda _: None
            assert lake.load(B).counts()["loaded"] == 1

    lake.storage.after_check = load_other
    checks_of_b = 2
    assert lake.load(A).counts()["loaded"] == 1

    assert lake.storage.checks == 2 + checks_of_b, "the first attempt succeeded"
    assert counts(lake, A) == {"green": 3, "yellow": 0, "quarantine": 2}
    assert counts(lake, B) == {"green": 1, "yellow": 0, "quarantine": 1}


DECLINED = {
    "too many quarantined": (trips(1, 2), A, "2 of 3 rows failed validation"),
    "another month": (
        trips(11, 0, day=datetime(2024, 3, 5)),
        A,
        "too many pickups are outside the month in its name",
    ),
    "a folder of the key": (
        trips(1),
        "raw/taxi/VendorID=2/trips_2024-01.parquet",
        "a folder of its key repeats a column",
    ),
}


@pytest.mark.parametrize("case", DECLINED)
def test_a_file_that_would_fail_declines_the_batch_and_leaves_nothing(lake, case):
    content, key, reason = DECLINED[case]
    lake.storage.put(B, trips(3, 1))
    lake.storage.put(key, content)

    with pytest.raises(Declined) as declined:
        lake.load(B, key)

    assert declined.value.reason == f"{key}: {reason}"
    assert lake.data_files() == set()
    assert lake.count("green", B) == 0
    assert not list(lake.storage.root.rglob("result.json"))


@pytest.mark.parametrize("failing", range(1, 5))
def test_an_error_of_an_upload_leaves_no_data_file(lake, monkeypatch, failing):
    """S3 may have the object although the upload failed."""
    lake.storage.put(A, trips(3, 2))
    lake.storage.put(B, trips(1, 1))
    original, uploads = Boto3FileIO.upload, []

    def upload(io, path, location):
        original(io, path, location)
        uploads.append(location)
        if len(uploads) == failing:
            raise KeyboardInterrupt

    monkeypatch.setattr(Boto3FileIO, "upload", upload)
    with pytest.raises(KeyboardInterrupt):
        lake.load(A, B)

    assert lake.data_files() == set()


def test_sorted_rows_are_declined(lake):
    lake.storage.put(A, trips(1))

    with pytest.raises(Declined, match="sorted"):
        lake.load(A, sort_by_pickup=True)


def with_text_times(*times: str) -> bytes:
    """A file whose pickups are texts."""
    table = pq.read_table(io.BytesIO(trips(len(times))))
    buffer = io.BytesIO()
    pq.write_table(table.set_column(1, "lpep_pickup_datetime", pa.array(times)), buffer)
    return buffer.getvalue()


def test_text_times_in_parquet_are_read_in_the_order_of_their_first_values(lake):
    lake.storage.put(A, with_text_times("02/01/2024 10:00", "31/01/2024 10:00", "2024-01-05 10:00:00"))

    [file] = lake.load(A, max_quarantine_share=0.7).files

    assert file.date_orders == {"lpep_pickup_datetime": "dmy"}
    assert sorted(str(row["pickup_datetime"]) for row in lake.rows("green", A)) == ["2024-01-02 10:00:00"]
    assert file.reasons == {"unparseable": 1, "negative_duration": 1}


def test_ambiguous_text_times_in_parquet_are_declined(lake):
    lake.storage.put(A, with_text_times("1/2/2024 3:04"))

    with pytest.raises(Declined, match="does not tell month from day"):
        lake.load(A)


def test_a_file_without_rows_is_loaded(lake):
    lake.storage.put(A, trips(0))

    [file] = lake.load(A).files

    assert (file.status, file.read) == (FileStatus.LOADED, 0)


def test_many_loads_keep_the_manifests_few(lake):
    for number in range(4):
        lake.storage.put(A, trips(1 + number, 1))
        lake.load(A)

    table = lake.table("green").table
    assert len(table.current_snapshot().manifests(table.io)) == 2, "one of added, one of removed files"
    assert counts(lake, A) == {"green": 4, "yellow": 0, "quarantine": 1}


def green(month: int, rows: int, passengers: int) -> bytes:
    """Trips of a month of 2024, of which some have passengers."""
    table = pq.read_table(io.BytesIO(trips(rows, day=datetime(2024, month, 5))))
    counts = pa.array([1] * passengers + [None] * (rows - passengers), pa.int64())
    buffer = io.BytesIO()
    pq.write_table(table.append_column("passenger_count", counts), buffer)
    return buffer.getvalue()


def test_a_month_is_compared_with_those_in_the_table_and_in_the_batch(lake):
    keys = [f"raw/taxi/trips_2024-0{month}.parquet" for month in range(1, 6)]
    for month, key in enumerate(keys[:4], start=1):
        lake.storage.put(key, green(month, 1_000, 1_000))
    lake.load(*keys[:2])
    assert [file.warnings for file in lake.load(*keys[2:4]).files] == [(), ()]
    lake.storage.put(keys[4], green(5, 400, 200))

    [file] = lake.load(keys[4]).files

    assert [(each.code, each.message[:40]) for each in file.warnings] == [
        ("unusual_month", "has 400 trips of 2024-05, but each of th"),
        ("unusual_month", "has more nulls than each of the 4 earlie"),
    ]
    assert "passenger_count in 50% of the trips (before: at most 0%);" in file.warnings[1].message


def test_days_without_trips_and_distances_in_another_unit_are_reported(lake):
    key = "raw/taxi/green_tripdata_2024-05.csv"
    rows = [
        f"2,2024-{day} 10:00:00,2024-{day} 10:20:00,{miles}"
        for day, miles in (("05-05", 31), ("05-08", 35), ("06-01", 33))
    ]
    header = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance"
    lake.storage.put(key, "\n".join([header, *rows[:2] * 495, *rows[2:] * 10, ""]).encode())

    [file] = lake.load(key).files

    assert [(each.code, each.message.split(";")[0]) for each in file.warnings] == [
        ("unusual_month", "has no trips on 2024-05-06, 2024-05-07, but before and after"),
        ("unusual_month", "has a mean trip_distance of 33.00, but months usually have 0.8 to 16"),
    ]
