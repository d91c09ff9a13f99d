"""What becomes of a batch with files that Spark reads for ever? In a process of its own: the threads stay.

    python -m tests.spark.stalled_batch FOLDER

Prints, as JSON, what became of each file, and when. Patience is 12 seconds, and executors report every
second. A first file alone warms the code up: cold, a task may be silent for as long.
"""

import io
import json
import sys
import time
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from local_aws.spark import base_conf
from tests.spark.conftest import FolderStorage, Lake

STALL_MINUTES = "0.2"
ROWS = 4000
RUN_OF_LEVELS = bytes([3, 0, 0, 0, 0xD0, 0x0F, 1])
"""The definition levels of a page of 1,000 values, none of them null: three bytes, a run of 1,000 ones."""


def parquet(hour: int) -> bytes:
    """Trips that began in this hour, 1,000 in a row group."""
    columns = {
        "VendorID": pa.array([2] * ROWS, pa.int64()),
        "lpep_pickup_datetime": pa.array([datetime(2024, 1, 5, hour)] * ROWS, pa.timestamp("us")),
        "lpep_dropoff_datetime": pa.array([datetime(2024, 1, 5, hour, 30)] * ROWS, pa.timestamp("us")),
        "trip_distance": pa.array([row / 100 for row in range(ROWS)]),
    }
    buffer = io.BytesIO()
    options = {"row_group_size": 1000, "use_dictionary": False, "compression": "none"}
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def endless(content: bytes, group: int, column: int) -> bytes:
    """The same file with one bit flipped: the levels of a page say 936 values where its header says 1,000."""
    chunk = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(group).column(column)
    place = content.index(RUN_OF_LEVELS, chunk.data_page_offset) + 5
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


FILES = {
    "good.parquet": parquet(10),
    "endless_at_its_end.parquet": endless(parquet(12), 3, 3),
    "endless_in_its_times.parquet": endless(parquet(13), 0, 1),
}


def main(folder: Path) -> None:
    """Load the batch, as many endless files as Spark has threads."""
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
    for name, content in FILES.items():
        lake.storage.put(f"raw/taxi/{name}", content)
    result = lake.load(*(f"raw/taxi/{name}" for name in FILES), arguments=["--stall-minutes", STALL_MINUTES])
    found = {
        file.version.key.rpartition("/")[2]: [file.status, file.written, file.error_code, file.error_message]
        for file in result.files
    }
    print(json.dumps({"files": found, "rows": lake.count("green"), "done": time.time()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
