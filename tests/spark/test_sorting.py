"""Tests of sorting by pickup time: a query for one day reads only the data files of that day."""

import random
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

KEY = "raw/taxi/green_tripdata_2024-01.csv"
HEADER = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID,fare_amount"
SPLIT = "spark.sql.files.maxPartitionBytes"
HOURS = 31 * 24


@pytest.fixture
def four_parts(spark):
    """Read the file of January in four parts of 25 KiB."""
    before = spark.conf.get(SPLIT)
    spark.conf.set(SPLIT, str(25 * 1024))
    yield
    spark.conf.set(SPLIT, before)


def january() -> bytes:
    """1,490 unsorted trips: one each half hour, one of the last year, one of the next month."""
    starts = [datetime(2024, 1, 1) + timedelta(minutes=30 * half) for half in range(2 * HOURS)]
    starts += [datetime(2023, 12, 31, 23, 0), datetime(2024, 2, 1, 1, 0)]
    random.Random(7).shuffle(starts)
    rows = [f"2,{start},{start + timedelta(minutes=20)},3.5,74,18.4" for start in starts]
    return "\n".join([HEADER, *rows, ""]).encode()


def files_for(lake, since: str, until: str) -> int:
    """The number of data files that Iceberg plans to read for pickups from `since` until before `until`."""
    jvm = lake.spark._jvm
    util = jvm.org.apache.iceberg.spark.Spark3Util
    table = util.loadIcebergTable(lake.spark._jsparkSession, f"lake.{lake.database}.green_trips")
    table.refresh()
    expressions = jvm.org.apache.iceberg.expressions.Expressions
    from_then = expressions.greaterThanOrEqual("pickup_datetime", since)
    scan = table.newScan().filter(from_then).filter(expressions.lessThan("pickup_datetime", until))
    tasks = scan.planFiles()
    try:
        return sum(1 for _ in tasks.iterator())
    finally:
        tasks.close()


def spans(lake) -> list[tuple[datetime, datetime]]:
    """The first and last pickup in each data file."""
    bounds = "readable_metrics.pickup_datetime"
    return lake.query(f"SELECT {bounds}.lower_bound, {bounds}.upper_bound FROM {{green}}.files ORDER BY 1")


def is_sorted(lake) -> bool:
    """Whether the rows of each data file are sorted by pickup time."""
    placed = lake.query("SELECT _file, _pos, pickup_datetime FROM {green} ORDER BY _file, _pos")
    return all(row[0] != after[0] or row[2] <= after[2] for row, after in pairwise(placed))


def load(lake, sort: str) -> None:
    content = january()
    assert 3 * 25 * 1024 < len(content) <= 4 * 25 * 1024
    lake.storage.put(KEY, content)
    result = lake.load(KEY, arguments=["--sort-by-pickup", sort])
    assert [(file.read, file.written, file.quarantined) for file in result.files] == [(1490, 1490, 0)]


def test_sorted_data_files_hold_ranges_of_days(lake, four_parts):
    load(lake, "true")

    assert spans(lake) == [
        (datetime(2023, 12, 31, 23, 0), datetime(2024, 1, 8, 23, 30)),
        (datetime(2024, 1, 9), datetime(2024, 1, 16, 23, 30)),
        (datetime(2024, 1, 17), datetime(2024, 1, 24, 23, 30)),
        (datetime(2024, 1, 25), datetime(2024, 2, 1, 1, 0)),
    ]
    assert files_for(lake, "2024-01-10T00:00:00", "2024-01-11T00:00:00") == 1
    assert files_for(lake, "2024-01-08T12:00:00", "2024-01-09T12:00:00") == 2
    assert files_for(lake, "2024-02-02T00:00:00", "2024-02-03T00:00:00") == 0
    assert is_sorted(lake)


def test_rows_without_a_pickup_are_not_sorted(lake):
    key = "raw/taxi/zones_2024-01.csv"
    lake.storage.put(
        key, b"LocationID,Borough,Zone\n74,Manhattan,East Harlem North\n265,N/A,Outside of NYC\n"
    )
    [file] = lake.load(key, arguments=["--sort-by-pickup", "true"]).files
    assert (file.written, file.failure, file.warnings) == (2, None, ())
    assert lake.query("SELECT location_id, borough FROM {zones} ORDER BY 1") == [
        (74, "Manhattan"),
        (265, "N/A"),
    ]


def test_without_sorting_one_day_reads_every_data_file(lake, four_parts):
    load(lake, "false")

    assert len(spans(lake)) == 4
    assert not is_sorted(lake)
    assert files_for(lake, "2024-01-10T00:00:00", "2024-01-11T00:00:00") == 4
