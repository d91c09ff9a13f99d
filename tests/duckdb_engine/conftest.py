"""Fixtures of the DuckDB engine's tests: files on their way through its child process, without Spark."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.duckdb_views import contents_of
from duckdb_engine.iceberg_schema import field_ids, schema_of
from duckdb_engine.limits import Limits
from duckdb_engine.messages import Answer, Outcome, Task, TaskFile
from duckdb_engine.writer import Writer
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import AcceptedFile
from taxi_etl.identity import FileVersion
from taxi_etl.recognition import recognize
from taxi_etl.tables import QUARANTINE
from taxi_etl.transform.sources import JobRun
from tests.fixtures.file_checks import scan

RUN = JobRun("jr_1", datetime(2025, 7, 1, 12, 0, tzinfo=UTC))
GIB = 1024**3
LIMITS = Limits(
    address_space_bytes=4 * GIB, duckdb_bytes=GIB, threads=2, cpu_seconds=600, seconds_per_task=120
)


@dataclass
class Files:
    """Writes data files in a folder."""

    folder: Path
    writer: Writer

    def accept(self, path: Path, name: str = "") -> AcceptedFile:
        """The manifest entry of a local file; `name` is its name in the bucket if it differs."""
        found = contents_of(path)
        name = name or path.name
        recognition = recognize(found.columns, name)
        assert recognition.dataset, f"{name}: {recognition.failures}"
        version = FileVersion("lake", f"raw/taxi/{name}", "v1", path.stat().st_size)
        return AcceptedFile.of(version, recognition.dataset, found)

    def write(self, path: Path, file: AcceptedFile | None = None) -> Outcome:
        """The outcome of a file, whose data files stay in a folder of their own. Fails if it is declined."""
        answer = self.ask([path], [file] if file else ())
        assert not answer.declined, answer.declined
        return answer.outcomes[0]

    def declined(self, path: Path, file: AcceptedFile | None = None) -> str:
        """Why a file is declined; empty if it is not."""
        return self.ask([path], [file] if file else ()).declined

    def ask(self, paths: Sequence[Path], entries: Sequence[AcceptedFile] = ()) -> Answer:
        """The answer about files of one layout, with other manifest entries than `accept` returns."""
        folder = self.folder / f"task-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        files = []
        for path, entry in zip(paths, entries or map(self.accept, paths), strict=True):
            local = folder / f"source-{path.name}"
            local.write_bytes(path.read_bytes())
            files.append(TaskFile(entry, local, rows_of(path, entry)))
        dataset = DATASETS[files[0].entry.dataset]
        trips, quarantine = field_ids(schema_of(dataset.table)), field_ids(schema_of(QUARANTINE))
        return self.writer.write(Task(tuple(files), folder, RUN, trips, quarantine))


def rows_of(path: Path, file: AcceptedFile) -> int | None:
    """The number of rows that the scan finds in a CSV file; None for Parquet."""
    if file.format != "csv":
        return None
    found = scan(path, file)
    return None if found.lines is None else found.lines - file.dialect.skip_lines - 1


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """A child process with limits for all tests, because it takes a second to start, and its folder."""
    folder = tmp_path_factory.mktemp("work")
    with Writer(folder, LIMITS) as writer:
        yield Files(folder, writer)


@pytest.fixture
def slow_files(tmp_path: Path) -> Callable[[str, float], Files]:
    """The same with a program in place of the child process, and with the seconds that it may take."""

    def make(program: str, seconds: float = 30) -> Files:
        folder = tmp_path / "work"
        folder.mkdir()
        script = tmp_path / "program.py"
        script.write_text(program)
        return Files(
            folder,
            Writer(folder, replace(LIMITS, seconds_per_task=seconds), command=(sys.executable, str(script))),
        )

    return make


def yellow(path: Path, rows: int = 3, **columns: Any) -> Path:
    """A Parquet file with trips of January 2024, and further columns as Arrow arrays."""
    known = {
        "VendorID": pa.array([2] * rows, pa.int64()),
        "tpep_pickup_datetime": pa.array([datetime(2024, 1, 5, 10)] * rows, pa.timestamp("us")),
        "tpep_dropoff_datetime": pa.array([datetime(2024, 1, 5, 10, 10)] * rows, pa.timestamp("us")),
        "trip_distance": pa.array([1.5] * rows),
    }
    pq.write_table(pa.table(known | columns), path)
    return path


@pytest.fixture
def lake(tmp_path: Path) -> "Any":
    """An empty bucket and no tables."""
    from tests.duckdb_engine.lake import empty_lake

    return empty_lake(tmp_path)
