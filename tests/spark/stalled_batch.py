"""Loads a batch in which reading two of three files stalls, in a separate process.

    python -m tests.spark.stalled_batch FOLDER

Prints each file's result and the finish time as JSON. A stalled read is a Spark task that sleeps longer than
the stall timeout. As it cannot be interrupted, this needs a separate process. Executors report every
second, and a first load warms the code up: a task may also be silent while cold code is compiled.
"""

import io
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from glue_scripts import data_file_writer
from glue_scripts.reading import read_parquet
from glue_scripts.stall_watchdog import VECTORIZED_READER
from loading.source_file import SourceFile
from local_aws.spark import base_conf
from tests.spark.conftest import FolderStorage, Lake

STALL_MINUTES = "0.15"
SLEEP_MILLISECONDS = 5 * 60 * 1000
FILES = ("loads.parquet", "sleeps_vectorized.parquet", "sleeps_always.parquet")


def parquet(hour: int) -> bytes:
    """1,000 trips that began in this hour."""
    rows = 1000
    columns = {
        "VendorID": pa.array([2] * rows, pa.int64()),
        "lpep_pickup_datetime": pa.array([datetime(2024, 1, 5, hour)] * rows, pa.timestamp("us")),
        "lpep_dropoff_datetime": pa.array([datetime(2024, 1, 5, hour, 30)] * rows, pa.timestamp("us")),
        "trip_distance": pa.array([row / 100 for row in range(rows)]),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def read_asleep(spark: SparkSession, files: Sequence[SourceFile], *, skip_damage: bool = False) -> DataFrame:
    """The job's reader, except that its tasks sleep while they read some files."""
    names = ["sleeps_always"]
    if spark.conf.get(VECTORIZED_READER) == "true":
        names.append("sleeps_vectorized")
    asleep = " OR ".join(f"contains(_path, '{name}')" for name in names)
    sleep = f"reflect('java.lang.Thread', 'sleep', {SLEEP_MILLISECONDS}L) IS NOT NULL"
    return read_parquet(spark, files, skip_damage=skip_damage).where(f"NOT ({asleep}) OR {sleep}")


def main(folder: Path) -> None:
    """Load the batch with as many stalled tasks as Spark has task slots."""
    conf = base_conf() | {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hadoop",
        "spark.sql.catalog.lake.warehouse": str(folder / "warehouse"),
        "spark.executor.heartbeatInterval": "1s",
    }
    builder = SparkSession.Builder()
    for key, value in conf.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    session.sql("CREATE NAMESPACE lake.taxi")
    lake = Lake(session, FolderStorage(folder / "bucket"), "taxi")
    lake.storage.put("raw/taxi/first.parquet", parquet(9))
    lake.load("raw/taxi/first.parquet")
    for hour, name in enumerate(FILES, start=10):
        lake.storage.put(f"raw/taxi/{name}", parquet(hour))
    with mock.patch.object(data_file_writer, "read_parquet", read_asleep):
        result = lake.load(
            *(f"raw/taxi/{name}" for name in FILES), arguments=["--stall-minutes", STALL_MINUTES]
        )
    found = {
        file.version.key.rpartition("/")[2]: [
            file.status,
            file.written,
            *(file.failure.to_json().values() if file.failure else ("", "")),
        ]
        for file in result.files
    }
    print(json.dumps({"files": found, "rows": lake.count("green"), "finished": time.time()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
