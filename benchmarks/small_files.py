"""Queries and a load on a table of many small data files, against as many rows in four.

    make small-files FILES=10000

Each source file is a partition, so many small source files stay many small data files. One data file is
loaded and copied; the metadata of the copies is committed with pyiceberg. Planning is timed apart from
reading: pyiceberg plans for DuckDB, and Spark plans for itself.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.manifest import DataFile
from pyiceberg.typedef import Record

from benchmarks.engines import small
from benchmarks.folder_catalog import FolderCatalog
from benchmarks.measuring import cpu_seconds
from benchmarks.spark_engines import spark
from duckdb_engine.overwrite import overwrite
from sample_data.files import generate
from taxi_etl.datasets import DATASETS

ROWS = 100
COMMIT_FILES = 1000
TABLE = ("taxi", DATASETS["yellow"].table)
JANUARY = "pickup_datetime >= '2024-01-01T00:00:00' AND pickup_datetime < '2024-02-01T00:00:00'"
QUERIES = {
    "count": ("SELECT count(*) FROM {}", ""),
    "one month": (f"SELECT sum(fare_amount) FROM {{}} WHERE {JANUARY}", JANUARY),  # noqa: S608 (our own text)
    "by zone": ("SELECT pickup_location_id, count(*), avg(fare_amount) FROM {} GROUP BY 1", ""),
}
"""Each query, and its condition as pyiceberg plans it."""


def trips(folder: Path, month: str, rows: int, part: int = 0) -> Path:
    """A generated file."""
    path = folder / f"yellow_tripdata_{month}_{part}.parquet"
    return generate(path, dataset="yellow", month=month, rows=rows, dirty_share=0).path


def many_files(folder: Path, number: int) -> None:
    """Load one file for each of two months, and copy their data files until there are `number` of them."""
    load = small(folder)
    for month in ("2024-01", "2024-02"):
        load(trips(folder, month, ROWS))
    table = FolderCatalog(folder / "warehouse").load_table(TABLE)
    loaded = [task.file for task in table.scan().plan_files()]
    places = range(len(loaded), number)
    for start in range(0, len(places), COMMIT_FILES):
        copies = [_copied(loaded[place % 2], place) for place in places[start : start + COMMIT_FILES]]
        table = overwrite(table, [copy.partition[0] for copy in copies], [], copies, {})


def few_files(folder: Path, rows: int) -> None:
    """Load as many rows, in two files for each of the two months."""
    load = small(folder)
    for month in ("2024-01", "2024-02"):
        for part in range(2):
            load(trips(folder, month, rows // 4 + part, part))


def _copied(file: DataFile, place: int) -> DataFile:
    """A copy of a data file, in the partition of another source."""
    source_id = f"{place:032x}"
    path = Path(file.file_path.removeprefix("file://"))
    target = path.parents[1] / f"source_id={source_id}" / path.name
    target.parent.mkdir()
    shutil.copy(path, target)
    copied = DataFile.from_args(
        content=file.content,
        file_path=str(target),
        file_format=file.file_format,
        partition=Record(source_id),
        record_count=file.record_count,
        file_size_in_bytes=file.file_size_in_bytes,
        column_sizes=file.column_sizes,
        value_counts=file.value_counts,
        null_value_counts=file.null_value_counts,
        nan_value_counts=file.nan_value_counts,
        lower_bounds=file.lower_bounds,
        upper_bounds=file.upper_bounds,
        split_offsets=file.split_offsets,
        sort_order_id=0,
    )
    copied.spec_id = 0
    return copied


def measured(action: Callable[[], object]) -> tuple[float, float]:
    """The seconds and CPU seconds of an action, the faster of two times."""
    times = []
    for _ in range(2):
        began, used = time.perf_counter(), cpu_seconds()
        action()
        times.append((time.perf_counter() - began, cpu_seconds() - used))
    return min(times)


def in_duckdb(folder: Path) -> dict[str, tuple[float, float]]:
    """The times of planning with pyiceberg and of reading with DuckDB."""
    found = {}
    catalog = FolderCatalog(folder / "warehouse")
    for name, (query, condition) in QUERIES.items():
        paths: list[str] = []

        def plan(condition: str = condition, paths: list[str] = paths) -> None:
            tasks = catalog.load_table(TABLE).scan(row_filter=condition or AlwaysTrue()).plan_files()
            paths[:] = [task.file.file_path.removeprefix("file://") for task in tasks]

        found[f"pyiceberg plans {name}"] = measured(plan)
        read = query.format(f"read_parquet({paths})")
        found[f"DuckDB reads {name}"] = measured(lambda read=read: duckdb.execute(read).fetchall())  # type: ignore[misc]
    return found


def in_spark(folder: Path) -> dict[str, tuple[float, float]]:
    """The times of planning and running each query in Spark."""
    session, found = spark(folder), {}
    for name, (query, _) in QUERIES.items():
        text = query.format("lake." + ".".join(TABLE))
        plan = f"EXPLAIN {text}"
        found[f"Spark plans {name}"] = measured(lambda plan=plan: session.sql(plan).collect())  # type: ignore[misc]
        found[f"Spark runs {name}"] = measured(lambda text=text: session.sql(text).collect())  # type: ignore[misc]
    return found


def sizes(folder: Path) -> dict[str, int]:
    """The bytes and the numbers of a table's metadata, manifests and data files."""
    table = FolderCatalog(folder / "warehouse").load_table(TABLE)
    snapshot = table.current_snapshot()
    if snapshot is None:
        raise RuntimeError("the table has no snapshot")
    manifests = snapshot.manifests(table.io)
    files = [task.file for task in table.scan().plan_files()]
    return {
        "metadata bytes": Path(table.metadata_location.removeprefix("file://")).stat().st_size,
        "manifests": len(manifests),
        "manifest bytes": sum(manifest.manifest_length for manifest in manifests),
        "data files": len(files),
        "data bytes": sum(file.file_size_in_bytes for file in files),
        "rows": sum(file.record_count for file in files),
    }


def main() -> None:
    """Build both tables, measure them, and print the results side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--no-spark", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="small-files-") as name:
        many, few = Path(name) / "many", Path(name) / "few"
        many_files(many, arguments.files)
        few_files(few, arguments.files * ROWS)
        print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[1]:.1f}\n")
        print("| | many files | few files |\n|---|---|---|")
        counts = [sizes(folder) for folder in (many, few)]
        for key in counts[0]:
            print(f"| {key} | {counts[0][key]:,} | {counts[1][key]:,} |")
        rows = []
        for folder in (many, few):
            one_more = trips(folder, "2024-02", ROWS + 1, arguments.files)
            load = small(folder)
            times = {"a load of one more file": measured(lambda: load(one_more)), **in_duckdb(folder)}  # noqa: B023
            if not arguments.no_spark:
                times |= in_spark(folder)
            rows.append(times)
        for key in rows[0]:
            texts = [f"{each[key][0]:.2f} s, {each[key][1]:.2f} CPU s" for each in rows]
            print(f"| {key} | {' | '.join(texts)} |")


if __name__ == "__main__":
    main()
