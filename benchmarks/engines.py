"""The engines without Spark that the benchmark compares; each loads files in its own process.

- `duckdb`: the job's SQL, transpiled, into plain Parquet files.
- `small`: the engine for small batches, with all checks and commits.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pyiceberg.catalog import Catalog

from benchmarks import duckdb_views
from benchmarks.folder_catalog import FolderCatalog
from benchmarks.measuring import Load, main
from duckdb_engine.engine import DuckDBEngine
from duckdb_engine.limits import Limits
from duckdb_engine.sql import connect, translated
from loading.engine import Engine, TableT
from loading.loader import Loader
from loading.options import Options
from taxi_etl.documents import AcceptedFile, Manifest
from taxi_etl.identity import FileVersion
from taxi_etl.recognition import recognize
from taxi_etl.transform import statements
from taxi_etl.transform.sources import SOURCE, JobRun, constants, source_columns

THREADS = 2
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
    seconds_per_task=3600,
)
"""The memory of a function with 2 GiB."""


def accepted(path: Path) -> AcceptedFile:
    """The manifest entry that validation would write for the file. Raises ValueError if it has no dataset."""
    found = duckdb_views.contents_of(path)
    dataset = recognize(found.columns, path.name).dataset
    if dataset is None:
        raise ValueError(f"{path} does not match any dataset")
    version = FileVersion("benchmark", f"raw/taxi/{path.name}", VERSION, path.stat().st_size)
    return AcceptedFile.of(version, dataset, found)


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


def load_with(engine: Engine[TableT], path: Path) -> None:
    """Load a file with an engine, as the deployed code does. Raises RuntimeError if it is not loaded."""
    loader = Loader(engine, FolderStorage(path.parent), OPTIONS, RUN)
    result = loader.load(Manifest("benchmark", "benchmark", "manual", (accepted(path),)))
    if result.counts()["loaded"] != 1:
        raise RuntimeError(f"the file was not loaded: {result.dumps()}")


@contextmanager
def small_engine(catalog: Catalog, path: Path) -> Iterator[DuckDBEngine]:
    """The engine for small batches, to load one file, which is linked instead of downloaded."""
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        copy = Path(name).resolve() / "source"
        os.link(path, copy)
        with DuckDBEngine(
            catalog, OPTIONS, RUN, copy.parent, copy_of=lambda _: copy, limits=LIMITS
        ) as engine:
            yield engine


def small(folder: Path) -> Load:
    """The engine for small batches. Each load starts a child process, as each load of a function does."""
    catalog = FolderCatalog(folder / "warehouse")

    def load(path: Path) -> None:
        with small_engine(catalog, path) as engine:
            load_with(engine, path)

    folder.mkdir(parents=True, exist_ok=True)
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


if __name__ == "__main__":
    main({"duckdb": duckdb, "small": small})
