"""How many rows a second does the job load, and what does that cost beside the floor and DuckDB?

    make bench                                  # a million rows, Parquet
    make bench ROWS=10000000 FORMAT=csv.gz

Data is generated (`sample_data`), one row in a thousand of it damaged, so that quarantine is written too.
Each engine runs in a process of its own: start-up, a first small file (a thousand rows, all code still cold)
and the file itself are timed apart. Afterwards the rows that the job and DuckDB wrote are compared.
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
    """Seconds, and megabytes of memory at the peak, of one engine's process with its children."""

    start: float
    first: float
    run: float
    peak_mb: int


def measure(engine: str, folder: Path, small: Path, large: Path) -> Measured:
    """Run an engine in a process of its own. Raises RuntimeError with its output when it fails."""
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
    """The resident memory of a process and all that it started."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss="],  # noqa: S607 (wherever it lies)
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
    kind_family = {root}
    while grown := {pid for pid, parent, _ in rows if parent in kind_family} - kind_family:
        kind_family |= grown
    return sum(size for pid, _, size in rows if pid in kind_family)


def differences(folder: Path, large: Path) -> list[str]:
    """What the rows that job and DuckDB wrote differ in, as sentences; none means that they are equal.

    Counts and sums of row hashes, which do not depend on order; in quarantine the maps are compared as text.
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
        query = f"SELECT count(*), sum(hash({', '.join(wanted)})) FROM read_parquet('{{}}') "  # noqa: S608 (own names)
        query += f"WHERE source_file LIKE '%/{large.name}'"
        job = query.format(f"{folder}/job/warehouse/taxi/{table}/data/**/*.parquet")
        duck = query.format(f"{folder}/duckdb/duckdb/{large.name.split('.')[0]}/kind={kind}/*.parquet")
        ours, theirs = database.execute(job).fetchone(), database.execute(duck).fetchone()
        if ours != theirs:
            found.append(f"{kind}: (count, hash) is {ours} from the job, {theirs} from DuckDB")
    return found


def report(rows: int, kind: str, results: dict[str, Measured]) -> str:
    """The table that docs/performance.md shows."""
    floor = results["floor"].run
    lines = [
        f"{rows:,} rows, {kind}, {THREADS} threads, {MEMORY} of Java heap, {os.cpu_count()} CPUs "
        f"({platform.machine()}), Python {platform.python_version()}",
        "",
        "| engine | start s | first 1,000 rows s | run s | rows/s | of the floor's time | peak MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for engine, result in results.items():
        lines.append(
            f"| {engine} | {result.start:.1f} | {result.first:.1f} | {result.run:.1f} | "
            f"{rows / result.run:,.0f} | {result.run / floor:.2f} | {result.peak_mb:,} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Generate, measure, compare, report. Exits with 1 when the engines' rows differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=("parquet", "csv.gz"), default="parquet")
    parser.add_argument("--repeat", type=int, default=1, help="take the quickest of so many rounds")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        small, large = (
            generate(
                folder / f"{DATASET}_tripdata_{MONTH}{suffix}.{asked.format}",
                dataset=DATASET,
                month=MONTH,
                rows=rows,
                dirty_share=DIRTY_SHARE,
                format=asked.format,
            ).path
            for suffix, rows in (("_small", SMALL_ROWS), ("", asked.rows))
        )
        results: dict[str, Measured] = {}
        for number in range(asked.repeat):
            # Engines take turns, so that a machine's busy minute does not fall on one of them.
            for engine in ENGINES:
                place = folder / engine if number == 0 else folder / f"{engine}_{number}"
                result = measure(engine, place, small, large)
                if engine not in results or result.run < results[engine].run:
                    results[engine] = result
        print(report(asked.rows, asked.format, results))
        found = differences(folder, large)
    if found:
        sys.exit("\n".join(found))
    print("\njob and DuckDB wrote the same rows")


if __name__ == "__main__":
    main()
