"""Does a query of one day read only the data files it must, once the job sorts by pick-up?"""

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
    """A file of January with a trip every half hour, in no order, is read in four parts of 25 KiB."""
    before = spark.conf.get(SPLIT)
    spark.conf.set(SPLIT, str(25 * 1024))
    yield
    spark.conf.set(SPLIT, before)


def january() -> bytes:
    """1,490 trips: one each half hour, one of last year, one of next month."""
    starts = [datetime(2024, 1, 1) + timedelta(minutes=30 * half) for half in range(2 * HOURS)]
    starts += [datetime(2023, 12, 31, 23, 0), datetime(2024, 2, 1, 1, 0)]
    random.Random(7).shuffle(starts)
    rows = [f"2,{start},{start + timedelta(minutes=20)},3.5,74,18.4" for start in starts]
    return "\n".join([HEADER, *rows, ""]).encode()


def files_for(lake, since: str, until: str) -> int:
    """How many data files Iceberg plans to read for pick-ups from one moment until before another."""
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
    """The first and the last pick-up in each data file."""
    bounds = "readable_metrics.pickup_datetime"
    return lake.query(f"SELECT {bounds}.lower_bound, {bounds}.upper_bound FROM {{green}}.files ORDER BY 1")


def is_in_order(lake) -> bool:
    """Whether the rows of each data file lie there in the order of their pick-ups."""
    placed = lake.query("SELECT _file, _pos, pickup_datetime FROM {green} ORDER BY _file, _pos")
    return all(row[0] != after[0] or row[2] <= after[2] for row, after in pairwise(placed))


def load(lake, sort: str) -> None:
    content = january()
    assert 3 * 25 * 1024 < len(content) <= 4 * 25 * 1024
    lake.storage.put(KEY, content)
    result = lake.load(KEY, arguments=["--sort-by-pickup", sort])
    assert [(file.read, file.written, file.quarantined) for file in result.files] == [(1490, 1490, 0)]


def test_sorted_data_files_hold_neighbouring_days_and_one_day_reads_one_of_them(lake, four_parts):
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
    assert is_in_order(lake)


def test_without_the_setting_one_day_reads_every_data_file(lake, four_parts):
    load(lake, "false")

    assert len(spans(lake)) == 4
    assert not is_in_order(lake)
    assert files_for(lake, "2024-01-10T00:00:00", "2024-01-11T00:00:00") == 4
