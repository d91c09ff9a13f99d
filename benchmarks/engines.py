"""The engines that the benchmark compares; each loads files in its own process.

- `job`: the Glue job's code.
- `floor`: Spark with the same reader, settings and table properties, writing the columns without a transform.
- `duckdb`: the job's SQL, transpiled, into plain Parquet files.
- `small`: the engine for small batches, with all checks and commits.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks import duckdb_views
from benchmarks.folder_catalog import FolderCatalog
from duckdb_engine.engine import DuckDBEngine
from duckdb_engine.limits import Limits
from duckdb_engine.sql import connect, translated
from glue_scripts.process_taxi_data import SESSION
from glue_scripts.reading import read_csv, read_parquet, with_lineage
from glue_scripts.spark_engine import SparkEngine
from loading.engine import Engine, TableT
from loading.loader import Loader
from loading.options import Options
from loading.source_file import SourceFile
from local_aws.spark import JAVA_OPTIONS, base_conf
from taxi_etl import tables
from taxi_etl.documents import AcceptedFile, Manifest
from taxi_etl.identity import FileVersion
from taxi_etl.recognition import recognize
from taxi_etl.transform import statements
from taxi_etl.transform.sources import SOURCE, JobRun, constants, source_columns

THREADS = 2
MEMORY = "2g"
RUN = JobRun("benchmark", datetime(2025, 7, 1, tzinfo=UTC))
VERSION = "v1"
OPTIONS = Options(
    "taxi", max_quarantine_share=1.0, sort_by_pickup=False, command="taxi-etl", program="benchmark"
)
LIMITS = Limits(
    address_space_bytes=4 * 1024**3,
    duckdb_bytes=1024**3,
    threads=THREADS,
    cpu_seconds=3600,
    seconds_per_file=3600,
)
"""The memory of a function with 2 GiB."""

Load = Callable[[Path], None]


def accepted(path: Path) -> AcceptedFile:
    """The manifest entry that validation would write for the file. Raises ValueError if it has no dataset."""
    found = duckdb_views.contents_of(path)
    dataset = recognize(found.columns, path.name).dataset
    if dataset is None:
        raise ValueError(f"{path} does not match any dataset")
    version = FileVersion("benchmark", f"raw/taxi/{path.name}", VERSION, path.stat().st_size)
    return AcceptedFile.of(version, dataset, found)


def spark(folder: Path) -> SparkSession:
    """A session with the job's settings and an Iceberg catalog `lake` in a folder.

    Java compiles as on Glue, without the options that make the local account start faster.
    """
    builder = SparkSession.Builder()
    conf = base_conf(memory=MEMORY) | {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hadoop",
        "spark.sql.catalog.lake.warehouse": str(folder / "warehouse"),
        "spark.master": f"local[{THREADS}]",
        "spark.driver.extraJavaOptions": JAVA_OPTIONS,
        **SESSION,
    }
    for key, value in conf.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.sql("CREATE NAMESPACE IF NOT EXISTS lake.taxi")
    return session


class FolderStorage:
    """The job's storage for files in a folder that do not change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, uri: str) -> bytes:
        raise NotImplementedError

    def chunks(self, version: FileVersion) -> Iterator[bytes]:
        with (self.folder / version.key.rpartition("/")[2]).open("rb") as file:
            while chunk := file.read(1024 * 1024):
                yield chunk

    def write(self, uri: str, text: str) -> None:
        raise NotImplementedError

    def current_version(self, version: FileVersion) -> str | None:
        return version.version_id

    def location(self, version: FileVersion) -> str:
        return f"file://{self.folder}/{version.key.rpartition('/')[2]}"


def job(folder: Path) -> Load:
    """The Glue job's loader."""
    session = spark(folder)

    def load(path: Path) -> None:
        load_with(SparkEngine(session, "lake", OPTIONS, RUN, stall_minutes=5), path)

    return load


def load_with(engine: Engine[TableT], path: Path) -> None:
    """Load a file with an engine, as the deployed code does. Raises RuntimeError if it is not loaded."""
    loader = Loader(engine, FolderStorage(path.parent), OPTIONS, RUN)
    result = loader.load(Manifest("benchmark", "benchmark", "manual", (accepted(path),)))
    if result.counts()["loaded"] != 1:
        raise RuntimeError(f"the file was not loaded: {result.dumps()}")


def small(folder: Path) -> Load:
    """The engine for small batches. Each load starts a child process, as each load of a function does."""
    catalog = FolderCatalog(folder / "warehouse")

    def load(path: Path) -> None:
        with (
            tempfile.TemporaryDirectory(dir=folder) as name,
            DuckDBEngine(catalog, OPTIONS, RUN, Path(name), limits=LIMITS) as engine,
        ):
            load_with(engine, path)

    folder.mkdir(parents=True, exist_ok=True)
    return load


def floor(folder: Path) -> Load:
    """The same reader and the same kind of table, without the transform."""
    session = spark(folder)

    def load(path: Path) -> None:
        file = SourceFile(accepted(path), f"file://{path}")
        rows = (read_csv if file.file.format == "csv" else read_parquet)(session, [file])
        rows = with_lineage(session, rows, [file], RUN)
        columns = [f"`{column}`" for column in rows.columns if not column.startswith("_")]
        lineage_columns = [f"_{name} AS {name}" for name in (column.name for column in tables.LINEAGE)]
        rows = rows.selectExpr(*columns, *lineage_columns)
        name = f"lake.taxi.floor_{path.name.split('.')[0].replace('-', '_')}"
        writer = rows.writeTo(name).using("iceberg").partitionedBy("source_id")
        for key, value in tables.PROPERTIES.items():
            writer = writer.tableProperty(key, value)
        writer.createOrReplace()

    return load


def duckdb(folder: Path) -> Load:
    """DuckDB with the job's SQL, transpiled."""
    database = connect(threads=THREADS)
    out = folder / "duckdb"
    out.mkdir(parents=True, exist_ok=True)

    def load(path: Path) -> None:
        file = accepted(path)
        duckdb_views.create_source_view(database, SOURCE, path, file, constants(file, RUN), plain=True)
        offered = source_columns(file.all_columns)
        checked = statements.transform_sql(file.dataset, offered)
        # One scan, as in the job: the writer separates trips from quarantined rows.
        partitioned = translated(
            "SELECT *, CASE WHEN reason_bits = 0 THEN 'trips' ELSE 'quarantined' END AS kind, "  # noqa: S608 (generated)
            f"CASE WHEN reason_bits <> 0 THEN {statements.reasons_of('reason_bits')} END AS reasons "
            f"FROM ({checked})"
        )
        target = out / path.name.split(".")[0]
        database.execute(
            f"COPY ({partitioned}) TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (kind))"
        )

    return load


ENGINES: dict[str, Callable[[Path], Load]] = {"job": job, "floor": floor, "duckdb": duckdb, "small": small}


def cpu_seconds() -> float:
    """CPU seconds of this process, its ended children, and its running ones such as Spark's JVM."""
    ended = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    children = subprocess.run(  # noqa: S603 (fixed words and our own number)
        ["ps", "-o", "time=", "--ppid", str(os.getpid())],  # noqa: S607 (any ps will do)
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    running = 0.0
    for text in children:
        days, _, clock = text.rpartition("-")
        hours, minutes, seconds = map(int, clock.split(":"))
        running += int(days or 0) * 86_400 + hours * 3600 + minutes * 60 + seconds
    return sum(each.ru_utime + each.ru_stime for each in ended) + running


def main(engine: str, folder: str, small: str, large: str) -> None:
    """Time one engine's start, a first small file and the measured file. Prints seconds as JSON.

    `cpu` are the CPU seconds of the measured file, in all processes.
    """
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    load = ENGINES[engine](Path(folder))
    seconds["start"] = time.perf_counter() - began
    for name, path in (("first", small), ("run", large)):
        began, used = time.perf_counter(), cpu_seconds()
        load(Path(path))
        seconds[name] = time.perf_counter() - began
        seconds["cpu"] = cpu_seconds() - used
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
