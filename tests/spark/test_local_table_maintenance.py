"""Tests of table maintenance in the local account."""

import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from glue_scripts.iceberg import LakeTable
from local_aws.table_maintenance import maintain_table
from taxi_etl.identity import source_id

HEADER = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID,fare_amount"
SPLIT = "spark.sql.files.maxPartitionBytes"
WEEK = 7


def csv(rows: int, distance: float = 3.5) -> bytes:
    row = f"2,2024-01-05 10:00:00,2024-01-05 10:20:00,{distance},74,18.4"
    return "\n".join([HEADER, *[row] * rows, ""]).encode()


@pytest.fixture
def many_tasks(spark):
    """Read files in parts of 16 KiB, each of which becomes a data file."""
    before = spark.conf.get(SPLIT)
    spark.conf.set(SPLIT, "16k")
    yield
    spark.conf.set(SPLIT, before)


def table_folder(lake) -> Path:
    """The table's folder."""
    return Path(lake.spark.conf.get("spark.sql.catalog.lake.warehouse")) / lake.database / "green_trips"


def maintain(lake):
    now = datetime.now(UTC)
    return maintain_table(lake.spark, "lake", lake.database, "green_trips", retention_days=WEEK, now=now)


def rows(lake) -> Counter:
    """All rows that readers see, with how often each occurs."""
    return Counter(map(str, lake.query("SELECT * FROM {green}")))


def files_of(lake, key: str) -> int:
    [found] = lake.query(
        f"SELECT count(*) FROM {{green}}.files WHERE partition.source_id = '{source_id('lake', key)}'"
    )
    return found[0]


def put_orphan(path: Path, days: int) -> Path:
    """Create an orphan file of this age."""
    path.write_bytes(b"left behind")
    moment = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(path, (moment, moment))
    return path


def age_oldest_snapshot(lake, days: int) -> int:
    """Backdate the table's first snapshot; returns its ID."""
    metadata = table_folder(lake) / "metadata"
    newest = max(metadata.glob("v*.metadata.json"), key=lambda path: int(path.name[1:].split(".")[0]))
    document = json.loads(newest.read_text())
    moment = int((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1000)
    oldest = min(document["snapshots"], key=lambda snapshot: snapshot["sequence-number"])
    [entry] = [each for each in document["snapshot-log"] if each["snapshot-id"] == oldest["snapshot-id"]]
    oldest["timestamp-ms"] = entry["timestamp-ms"] = moment
    newest.write_text(json.dumps(document))
    newest.with_name(f".{newest.name}.crc").unlink()
    lake.spark.catalog.refreshTable(f"lake.{lake.database}.green_trips")
    return oldest["snapshot-id"]


def test_it_compacts_each_source_and_removes_what_is_older_than_the_retention(lake, many_tasks):
    lake.storage.put("raw/taxi/green_2024-01.csv", csv(2000))
    lake.storage.put("raw/taxi/green_2024-02.csv", csv(3))
    lake.load("raw/taxi/green_2024-01.csv", "raw/taxi/green_2024-02.csv")
    lake.storage.put("raw/taxi/green_2024-02.csv", csv(4, distance=4.5))
    lake.load("raw/taxi/green_2024-02.csv")
    old = age_oldest_snapshot(lake, days=8)
    before, many = rows(lake), files_of(lake, "raw/taxi/green_2024-01.csv")
    assert many >= 5
    older = put_orphan(table_folder(lake) / "data" / "older.parquet", days=8)
    younger = put_orphan(table_folder(lake) / "data" / "younger.parquet", days=6)

    done = maintain(lake)

    assert (done.files_before, done.files_after) == (many + 1, 2)
    assert files_of(lake, "raw/taxi/green_2024-01.csv") == 1
    assert files_of(lake, "raw/taxi/green_2024-02.csv") == 1
    snapshots = [row[0] for row in lake.query("SELECT snapshot_id FROM {green}.snapshots")]
    assert (done.snapshots_expired, old in snapshots, len(snapshots)) == (1, False, 2)
    assert (done.orphans_removed, older.exists(), younger.exists()) == (1, False, True)
    assert rows(lake) == before
    assert sum(before.values()) == 2004


def test_staged_data_files_can_be_committed_after_it(lake):
    key = "raw/taxi/green_2024-01.csv"
    lake.storage.put(key, csv(5))
    lake.load(key)
    table = LakeTable(lake.spark, f"lake.{lake.database}", "green_trips")
    since = table.snapshot_id()
    staged = table.stage(lake.spark.sql(f"SELECT * FROM {table.qualified} LIMIT 3"))

    done = maintain(lake)

    assert done.orphans_removed == 0
    source = source_id("lake", key)
    table.replace_rows([source], staged[source], since, {})
    assert lake.count("green") == 3


def test_a_retention_below_one_day_is_refused(lake):
    with pytest.raises(ValueError, match="at least 1 day"):
        maintain_table(lake.spark, "lake", "taxi", "green_trips", retention_days=0, now=datetime.now(UTC))
