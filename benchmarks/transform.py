"""Benchmark of the job's throughput against plain Spark and DuckDB.

    make bench                                  # a million rows, Parquet
    make bench ROWS=10000000 FORMAT=csv.gz

The data is generated (`sample_data`); one row in a thousand is invalid, so quarantine is written too. Each
engine runs in its own process. Start-up, a first small file (cold code) and the measured file are timed
separately. At the end the rows that the job and DuckDB wrote are compared.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.engines import ENGINES, MEMORY, THREADS
from sample_data.files import generate
from taxi_etl import tables
from taxi_etl.datasets import DATASETS

SMALL_ROWS = 1_000
DIRTY_SHARE = 0.001
MONTH = "2024-01"
DATASET = "yellow"
POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Measured:
    """One engine's times in seconds, and the peak memory of its process tree in megabytes.

    `cpu` are the CPU seconds of the run.
    """

    start: float
    first: float
    run: float
    cpu: float
    peak_mb: int


def measure(engine: str, folder: Path, small: Path, large: Path) -> Measured:
    """Run an engine in its own process. Raises RuntimeError with its output if it fails."""
    command = [sys.executable, "-m", "benchmarks.engines", engine, str(folder), str(small), str(large)]
    process = subprocess.Popen(  # noqa: S603 (our own module)
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
    )
    peak = [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            peak[0] = max(peak[0], tree_kilobytes(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, errors = process.communicate()
    done.set()
    watcher.join()
    if process.returncode != 0:
        raise RuntimeError(f"{engine} failed:\n{errors[-3000:]}")
    return Measured(**json.loads(output.splitlines()[-1]), peak_mb=peak[0] // 1024)


def tree_kilobytes(root: int) -> int:
    """The resident memory of a process and its descendants."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss="],  # noqa: S607 (any ps will do)
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
    processes = {root}
    while grown := {pid for pid, parent, _ in rows if parent in processes} - processes:
        processes |= grown
    return sum(size for pid, _, size in rows if pid in processes)


def differences(folder: Path, large: Path) -> list[str]:
    """Differences between the rows that the engines wrote; empty if they are equal.

    Compares row counts and sums of row hashes, which do not depend on order. Maps are compared as text.
    """
    found = []
    database = duckdb.connect(config={"threads": THREADS})
    columns = [column.name for column in DATASETS[DATASET].columns]
    lineage = ["source_id", "source_file", "source_version", "run_id"]
    kinds = {
        "trips": (DATASETS[DATASET].table, [*columns, "extra_columns::varchar", *lineage]),
        "quarantined": (
            tables.QUARANTINE,
            ["reasons::varchar", "row_as_read::varchar", "position", *lineage],
        ),
    }
    for kind, (table, wanted) in kinds.items():
        query = f"SELECT count(*), sum(hash({', '.join(wanted)})) FROM read_parquet('{{}}') "  # noqa: S608 (our own names)
        query += f"WHERE source_file LIKE '%/{large.name}'"
        job = query.format(f"{folder}/job/warehouse/taxi/{table}/data/**/*.parquet")
        others = {
            "DuckDB": f"{folder}/duckdb/duckdb/{large.name.split('.')[0]}/kind={kind}/*.parquet",
            "the engine for small batches": f"{folder}/small/warehouse/taxi/{table}/data/**/*.parquet",
        }
        ours = database.execute(job).fetchone()
        for name, files in others.items():
            theirs = database.execute(query.format(files)).fetchone()
            if ours != theirs:
                found.append(f"{kind}: (count, hash) is {ours} from the job, {theirs} from {name}")
    return found


def report(rows: int, kind: str, results: dict[str, Measured]) -> str:
    """The results as the table in docs/performance.md."""
    floor = results["floor"].run
    lines = [
        f"{rows:,} rows, {kind}, {THREADS} threads, {MEMORY} of Java heap, {os.cpu_count()} CPUs "
        f"({platform.machine()}), Python {platform.python_version()}",
        "",
        f"| engine | start s | first {SMALL_ROWS:,} rows s | run s | CPU s | rows/s | time / floor "
        "| peak MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for engine, result in results.items():
        lines.append(
            f"| {engine} | {result.start:.1f} | {result.first:.1f} | {result.run:.1f} | {result.cpu:.1f} | "
            f"{rows / result.run:,.0f} | {result.run / floor:.2f} | {result.peak_mb:,} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Generate files, measure the engines, print the results; exits with 1 if the engines' rows differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=("parquet", "csv.gz"), default="parquet")
    parser.add_argument("--repeat", type=int, default=1, help="rounds; the fastest of each engine counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        small, large = (
            generate(
                folder / f"{DATASET}_tripdata_{MONTH}{suffix}.{arguments.format}",
                dataset=DATASET,
                month=MONTH,
                rows=rows,
                dirty_share=DIRTY_SHARE,
                format=arguments.format,
            ).path
            for suffix, rows in (("_small", SMALL_ROWS), ("", arguments.rows))
        )
        results: dict[str, Measured] = {}
        for number in range(arguments.repeat):
            # Engines take turns, so that other load on the machine does not affect only one of them.
            for engine in ENGINES:
                place = folder / engine if number == 0 else folder / f"{engine}_{number}"
                result = measure(engine, place, small, large)
                if engine not in results or result.run < results[engine].run:
                    results[engine] = result
        print(report(arguments.rows, arguments.format, results))
        found = differences(folder, large)
    if found:
        sys.exit("\n".join(found))
    print("\nthe job, DuckDB and the engine for small batches wrote the same rows")


if __name__ == "__main__":
    main()
