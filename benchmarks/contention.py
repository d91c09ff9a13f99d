"""Writers of both engines that load small files into the same tables at the same time.

    make contention WRITERS="small small job job"

Each writer of the engine for small batches is a process. Those of the job are threads of one Spark session,
which commit independently. Each load is one file of about a hundred rows, with all its checks.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import CommitTableResponse, Table

from benchmarks.engines import OPTIONS, RUN, FolderStorage, accepted, small_engine
from benchmarks.folder_catalog import FolderCatalog
from loading.engine import Engine
from loading.loader import Loader
from sample_data.files import generate
from taxi_etl.documents import Manifest
from taxi_etl.failures import FailureCode
from taxi_etl.identity import FileVersion

ROWS_MIN = 100
"""Each file has another number of rows: files with the same one are compared as possible duplicates."""


@dataclass(frozen=True)
class Load:
    """A load's writer, its seconds from the version check before the commit, and its attempts.

    `attempts` counts version checks before a commit, `refused` the commits that pyiceberg's catalog refused.
    """

    writer: str
    is_conflict: bool
    seconds: float
    attempts: int
    refused: int


class Storage(FolderStorage):
    """Notes when the commit begins: a load checks the version before it stages, and before each commit."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.checks: list[float] = []

    def current_version(self, version: FileVersion) -> str | None:
        self.checks.append(time.perf_counter())
        return super().current_version(version)


class Catalog(FolderCatalog):
    """Counts refused commits."""

    refused = 0

    def commit_table(self, table: Table, requirements: Any, updates: Any) -> CommitTableResponse:
        try:
            return super().commit_table(table, requirements, updates)
        except CommitFailedException:
            self.refused += 1
            raise


def load(writer: str, engine: Engine[Any], path: Path, refused: Callable[[], int]) -> Load:
    """Load one file; `refused` counts the refused commits of this writer so far."""
    storage, before = Storage(path.parent), refused()
    run = replace(RUN, run_id=path.stem)
    loader = Loader(engine, storage, OPTIONS, run)
    [result] = loader.load(Manifest(path.stem, "benchmark", "manual", (accepted(path),))).files
    seconds = time.perf_counter() - storage.checks[1]
    if result.failure and result.failure.code is not FailureCode.CONFLICT:
        raise RuntimeError(f"{path.name} failed: {result.failure}")
    return Load(writer, result.failure is not None, seconds, len(storage.checks) - 1, refused() - before)


def write_small(folder: Path, paths: list[Path], ready: Any, results: Any) -> None:
    """Load files one after another with the engine for small batches."""
    catalog = Catalog(folder / "warehouse")
    ready.wait()
    for path in paths:
        with small_engine(catalog, path) as engine:
            results.put(load("small", engine, path, lambda: catalog.refused))


def write_jobs(folder: Path, warm_up: Path, lists: list[list[Path]], ready: Any, results: Any) -> None:
    """Load each list of files in a thread of its own with the job's engine, after a file with cold code."""
    # Only this process needs Spark.
    from benchmarks.spark_engines import spark  # noqa: PLC0415
    from glue_scripts.spark_engine import SparkEngine  # noqa: PLC0415

    session = spark(folder)

    def load_one(path: Path) -> Load:
        engine = SparkEngine(session, "lake", OPTIONS, RUN, stall_minutes=30)
        return load("job", engine, path, lambda: 0)

    def write(paths: list[Path]) -> None:
        ready.wait()
        for path in paths:
            results.put(load_one(path))

    load_one(warm_up)
    with ThreadPoolExecutor(len(lists)) as pool:
        list(pool.map(write, lists))


def measure(writers: list[str], loads: int) -> list[Load]:
    """Let writers load `loads` files each, after a first load has created the tables."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="contention-") as name, context.Manager() as manager:
        folder = Path(name)
        first, warm_up, *files = (_file(folder, number) for number in range(2 + len(writers) * loads))
        shares = [files[start : start + loads] for start in range(0, len(files), loads)]
        jobs = [share for writer, share in zip(writers, shares, strict=True) if writer == "job"]
        small = [share for writer, share in zip(writers, shares, strict=True) if writer == "small"]
        results = manager.Queue()
        write_small(folder, [first], manager.Barrier(1), results)
        results.get()
        ready = manager.Barrier(len(writers))
        processes = [
            context.Process(target=write_small, args=(folder, share, ready, results)) for share in small
        ]
        if jobs:
            processes.append(context.Process(target=write_jobs, args=(folder, warm_up, jobs, ready, results)))
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            if process.exitcode:
                raise RuntimeError(f"a writer ended with exit code {process.exitcode}")
        return [results.get() for _ in range(len(files))]


def _file(folder: Path, number: int) -> Path:
    path = folder / f"yellow_tripdata_2024-01_{number:03}.parquet"
    return generate(path, dataset="yellow", month="2024-01", rows=ROWS_MIN + number, dirty_share=0.02).path


def report(writers: list[str], found: list[Load]) -> str:
    """One line per engine of the table in docs/scale.md."""
    lines = []
    for writer in sorted(set(writers)):
        loads = [each for each in found if each.writer == writer]
        seconds = [each.seconds for each in loads]
        refused = f"{sum(each.refused for each in loads)}" if writer == "small" else "-"
        conflicts = sum(each.is_conflict for each in loads)
        lines.append(
            f"| {', '.join(f'{writers.count(each)} {each}' for each in sorted(set(writers)))} | {writer} | "
            f"{len(loads)} | {statistics.median(seconds):.1f} | {max(seconds):.1f} | {refused} | "
            f"{sum(each.attempts for each in loads) - len(loads)} | {conflicts} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure one set of writers and print its lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("writers", nargs="+", choices=("small", "job"))
    parser.add_argument("--loads", type=int, default=5, help="files that each writer loads")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[1]:.1f}\n")
    print("| writers | engine | loads | median s | longest s | refused commits | new attempts | conflicts |")
    print("|---|---|---|---|---|---|---|---|")
    print(report(arguments.writers, measure(arguments.writers, arguments.loads)))


if __name__ == "__main__":
    main()
