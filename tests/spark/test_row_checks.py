"""Tests of a failed file's explanations, and of files whose rows belong to another month."""

import io
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_etl.identity import source_id
from taxi_etl.schema import INT96, Instants, SourceColumn, with_instants

HEADER = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,trip_distance,PULocationID,fare_amount"
TRIP = "2,2019-01-05 10:00:00,2019-01-05 10:20:00,3.5,74,1"


def csv(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def test_a_failure_names_columns_numbers_and_an_example(lake):
    rows = [f"2,2019-01-{day:02d} 3 Uhr,2019-01-05 10:20:00,3.5,74,x{day}" for day in range(1, 9)]
    key = "raw/taxi/yellow_tripdata_2019-01.csv"
    lake.storage.put(key, csv("2,2019-01-05 10:00:00,2019-01-05 10:20:00,3.5,74,NA", *rows))

    [failed] = lake.load(key).files

    assert failed.failure.code == "too_many_quarantined"
    assert failed.failure.message == (
        "8 of 9 rows failed validation (unparseable 8), more than the allowed share of 0.5; "
        "tpep_pickup_datetime: 8 of 9 values are not read as times, for example '2019-01-01 3 Uhr'; "
        "fare_amount: 8 of 9 values are not read as numbers, for example 'x1'"
    )
    assert len(failed.examples) == 8
    assert {tuple(example["reasons"]) for example in failed.examples} == {("unparseable",)}
    assert failed.examples[0]["row"]["trip_distance"] == "3.5"


def test_failing_files_with_the_same_columns_are_each_explained_by_their_own_rows(lake):
    values = {"raw/taxi/a_2019-01.csv": ("x1", "x2"), "raw/taxi/b_2019-01.csv": ("y", "2.5", "z")}
    for key, fares in values.items():
        lake.storage.put(key, csv(*(f"2,2019-01-05 10:00:00,2019-01-05 10:20:00,3.5,74,{f}" for f in fares)))
    late = "raw/taxi/c_2019-01.csv"
    lake.storage.put(late, csv("2,2019-01-05 10:20:00,2019-01-05 10:00:00,3.5,74,1"))

    failed = lake.load(*values, late).files

    assert [file.failure.message.partition("; ")[2] for file in failed] == [
        "fare_amount: 2 of 2 values are not read as numbers, for example 'x1'",
        "fare_amount: 2 of 3 values are not read as numbers, for example 'y'",
        "",
    ]
    assert [[example["row"]["fare_amount"] for example in file.examples] for file in failed] == [
        ["x1", "x2"], ["y", "z"], ["1"],
    ]  # fmt: skip


def test_a_failure_says_when_the_month_in_the_name_is_the_cause(lake):
    key = "raw/taxi/yellow_tripdata_2022-05.csv"
    lake.storage.put(key, csv(*["2,2019-01-05 10:00:00,2019-01-05 10:20:00,3.5,74,1"] * 3))
    [failed] = lake.load(key).files
    assert failed.failure.message.endswith(
        "; pickup_datetime must be from 2021-05-01 until 2023-06-01 for the month 2022-05 in the file name"
    )


BAD_ROWS = "SELECT file_failure, count(*) FROM {quarantine} GROUP BY 1 ORDER BY 1 NULLS FIRST"


def test_at_most_twenty_bad_rows_of_a_failed_file_stay_until_it_loads(lake):
    key, bad = "raw/taxi/yellow_tripdata_2019-01.csv", "2,yesterday,2019-01-05 10:20:00,3.5,74,1"
    lake.storage.put(key, csv(TRIP, bad))
    lake.load(key)
    lake.spark.sql(f"ALTER TABLE lake.{lake.database}.quarantined_trips DROP COLUMN file_failure")
    lake.storage.put(key, csv(*[bad] * 50))

    for _ in ("the job run", "its replay"):
        [failed] = lake.load(key).files
        assert "tpep_pickup_datetime: 50 of 50 values" in failed.failure.message
        assert len(failed.examples) == 20
        assert lake.query(BAD_ROWS) == [(None, 1), ("too_many_quarantined", 20)]
        assert (lake.count("yellow", key), lake.count("quarantine", key)) == (1, 1)
    query = "SELECT * FROM {quarantine} WHERE file_failure = 'too_many_quarantined' LIMIT 1"
    [(dataset, reasons, row, position, partition, uri, version, ingested_at, run, _)] = lake.query(query)
    assert (dataset, reasons, row["tpep_pickup_datetime"], position) == (
        "yellow", ["unparseable"], "yesterday", None,
    )  # fmt: skip
    assert (partition, uri) == (f"failed-{source_id('lake', key)}", f"s3://lake/{key}")
    assert version == lake.storage.versions[key]
    assert run.startswith("jr_")
    assert lake.query("SELECT DISTINCT ingested_at FROM {quarantine}") == [(ingested_at,)]

    lake.storage.put(key, csv(TRIP, TRIP))
    lake.load(key)
    assert (lake.query(BAD_ROWS), lake.count("yellow", key)) == ([], 2)


def test_a_file_of_another_month_than_its_name_fails(lake):
    key = "raw/taxi/yellow_tripdata_2019-02.csv"
    january = [f"2,2019-01-05 10:00:{second:02d},2019-01-05 10:20:00,3.5,74,1" for second in range(40)]
    lake.storage.put(key, csv(*january, *["2,2019-02-05 10:00:00,2019-02-05 10:20:00,3.5,74,1"] * 10))
    [failed] = lake.load(key).files
    assert (failed.failure.code, failed.failure.message) == (
        "wrong_month",
        "40 of 50 pickups are outside 2019-02, the month in the file name; 40 are in 2019-01; "
        "rename the file, or upload it again if it is damaged",
    )
    assert lake.count("yellow", key) == 0
    assert lake.query(BAD_ROWS) == [("wrong_month", 20)]
    [(reasons, row)] = lake.query("SELECT DISTINCT reasons, row_as_read['PULocationID'] FROM {quarantine}")
    assert (reasons, row) == (["wrong_month"], "74")
    assert {example["row"]["tpep_pickup_datetime"][:10] for example in failed.examples} == {"2019-01-05"}


def test_a_small_share_of_other_months_loads(lake):
    key = "raw/taxi/yellow_tripdata_2019-02.csv"
    lake.storage.put(
        key,
        csv(
            *["2,2019-02-05 10:00:00,2019-02-05 10:20:00,3.5,74,1"] * 90,
            *["2,2019-01-31 23:59:00,2019-02-01 00:20:00,3.5,74,1"] * 10,
        ),
    )
    [loaded] = lake.load(key).files
    assert (loaded.failure, loaded.written) == (None, 100)


def text_times(*times: str, marked: bool = True) -> bytes:
    """A Parquet file of texts, the times with Parquet's mark of UTF-8 or without."""
    buffer = io.BytesIO()
    texts = pa.array(times).cast(pa.string() if marked else pa.binary())
    columns = {
        "tpep_pickup_datetime": texts,
        "tpep_dropoff_datetime": texts,
        "payment_type": ["Cash"] * len(times),
    }
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("marked", [True, False])
def test_the_order_of_dates_in_parquet_texts_is_decided_and_recorded(lake, marked):
    key = "raw/taxi/yellow_tripdata_2019-01.parquet"
    lake.storage.put(key, text_times("01/15/2019 03:04:05 PM", "01/02/2019 03:04:05 PM", marked=marked))
    [loaded] = lake.load(key).files
    assert loaded.date_orders == {"tpep_pickup_datetime": "mdy", "tpep_dropoff_datetime": "mdy"}
    found = lake.query("SELECT CAST(pickup_datetime AS string), payment_type FROM {yellow} ORDER BY 1")
    assert found == [("2019-01-02 15:04:05", 2), ("2019-01-15 15:04:05", 2)]


def test_ambiguous_dates_in_parquet_texts_fail_the_file_alone(lake):
    ambiguous, sound = (f"raw/taxi/yellow_tripdata_2019-0{month}.parquet" for month in (1, 2))
    lake.storage.put(ambiguous, text_times("1/2/2019 3:04"))
    lake.storage.put(sound, text_times("2019-02-15 03:04:05"))
    failed, loaded = lake.load(ambiguous, sound).files
    assert failed.failure.code == "ambiguous_dates"
    assert "'1/2/2019 3:04'" in failed.failure.message
    assert (loaded.failure, loaded.written, loaded.date_orders) == (None, 1, {})


def test_columns_in_the_folders_of_a_key_fill_columns_that_the_file_lacks(lake):
    one, other, null = (
        f"raw/taxi/year=2019/{folder}/yellow_tripdata_2019-01.csv"
        for folder in (
            "payment_type=1",
            "payment_type=No%20charge",
            "payment_type=__HIVE_DEFAULT_PARTITION__",
        )
    )
    for key in (one, other, null):
        lake.storage.put(key, csv(TRIP))

    result = lake.load(one, other, null)

    assert [file.key_values for file in result.files] == [
        {"payment_type": "1"},
        {"payment_type": "No charge"},
        {"payment_type": None},
    ]
    rows = lake.query("SELECT payment_type, extra_columns FROM {yellow} ORDER BY 1 NULLS FIRST")
    assert rows == [(None, {}), (1, {}), (3, {})]


def test_a_file_that_contradicts_its_key_fails(lake):
    wrong, right = (f"raw/taxi/VendorID={vendor}/yellow_tripdata_2019-01.csv" for vendor in (1, 2))
    for key in (wrong, right):
        lake.storage.put(key, csv(TRIP, TRIP))
    failed, loaded = lake.load(wrong, right).files
    assert (failed.failure.code, failed.failure.message) == (
        "contradicting_key",
        "2 of 2 rows have a vendor_id other than '1', the value in a folder of the key; move the file",
    )
    assert (loaded.written, loaded.key_values) == (2, {})
    assert lake.query(BAD_ROWS) == [("contradicting_key", 2)]
    assert [example["row"]["VendorID"] for example in failed.examples] == ["2", "2"]


def test_a_required_column_may_come_from_the_key(lake):
    key = "raw/taxi/dispatching_base_num=B00001/fhv_tripdata_2019-01.csv"
    lake.storage.put(key, b"pickup_datetime,PULocationID,DOLocationID,SR_Flag\n2019-01-05 10:00:00,1,2,\n")
    lake.load(lake.accept(key, "fhv"))
    assert lake.query("SELECT dispatching_base_num FROM {fhv}") == [("B00001",)]


@pytest.mark.parametrize("int96", [False, True], ids=["UTC", "INT96"])
@pytest.mark.parametrize(
    ("how", "pickup"),
    [(Instants.UTC_IS_WALL_CLOCK, "2024-07-05 10:00:00"), (Instants.TO_NEW_YORK, "2024-07-05 06:00:00")],
)
def test_instants_are_read_as_the_setting_says(lake, int96, how, pickup):
    times = pa.array([datetime(2024, 7, 5, 10)], pa.timestamp("us", None if int96 else "UTC"))
    buffer = io.BytesIO()
    table = pa.table({"tpep_pickup_datetime": times, "tpep_dropoff_datetime": times})
    pq.write_table(table, buffer, use_deprecated_int96_timestamps=int96)
    key = "raw/taxi/yellow_tripdata_2024-07.parquet"
    lake.storage.put(key, buffer.getvalue())
    stored = INT96 if int96 else "timestamp[us, tz=UTC]"
    columns = tuple(SourceColumn.of_arrow(name, stored) for name in table.column_names)
    file = replace(lake.accept(key, "yellow"), columns=with_instants(columns, how))

    [loaded] = lake.load(file).files

    assert loaded.instants == dict.fromkeys(table.column_names, str(file.columns[0].type))
    assert lake.query("SELECT CAST(pickup_datetime AS string) FROM {yellow}") == [(pickup,)]
