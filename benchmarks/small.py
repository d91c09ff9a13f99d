"""Where does each second of a small load go? A file of ten thousand rows, in a fresh process, then again.

    python -m benchmarks.small

Twice: as Glue's Java compiles, and as the local account does (`local_aws.spark.QUICK_START`). The first load
of a process is what a job run has; the second shows what of it is cold code.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.engines import Load, job
from glue_scripts import iceberg, loading, staging
from local_aws.spark import QUICK_START
from sample_data.files import generate

ROWS = 10_000
STEPS: tuple[tuple[Any, str, str], ...] = (
    (iceberg.LakeTable, "ensure", "tables: look, make, compare columns"),
    (staging, "footer_rows", "rows that the footers promise"),
    (staging, "read_parquet", "plan: the reader"),
    (staging.Stager, "_judged", "plan: the transform's text"),
    (iceberg.LakeTable, "stage", "read, transform, write"),
    (loading.Loader, "_commit", "look again, commit"),
)
"""Calls whose time is taken; none of them happens inside another."""
COMPILERS = {"as on Glue": "", "as in the local account": QUICK_START}


def timed(load: Load, path: Path) -> dict[str, float]:
    """Seconds of each step of one load, and of all of it."""
    seconds = dict.fromkeys((label for *_, label in STEPS), 0.0)

    def watch(call: Callable[..., Any], label: str) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                seconds[label] += time.perf_counter() - began

        return watched

    originals = [getattr(owner, name) for owner, name, _ in STEPS]
    for (owner, name, label), call in zip(STEPS, originals, strict=True):
        setattr(owner, name, watch(call, label))
    began = time.perf_counter()
    try:
        load(path)
    finally:
        for (owner, name, _), call in zip(STEPS, originals, strict=True):
            setattr(owner, name, call)
    total = time.perf_counter() - began
    return {**seconds, "everything else": total - sum(seconds.values()), "the load": total}


def measure(java: str, folder: Path, path: Path) -> None:
    """Time one process from here on; prints [first, second] as JSON, `Spark's start` in the first."""
    began = time.perf_counter()
    load = job(folder, java)
    start = time.perf_counter() - began
    first, second = timed(load, path), timed(load, path)
    print(json.dumps([{"Spark's start": start, **first}, second]))


def main() -> None:
    """Measure both compilers, each in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    asked = parser.parse_args()
    columns: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        name = "yellow_tripdata_2024-01.parquet"
        path = generate(
            folder / name, dataset="yellow", month="2024-01", rows=asked.rows, dirty_share=0.001
        ).path
        for place, (compiler, java) in enumerate(COMPILERS.items()):
            call = f"from benchmarks.small import *; measure({java!r}, Path({str(folder / str(place))!r}), "
            call += f"Path({str(path)!r}))"
            began = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode != 0:
                sys.exit(done.stderr[-3000:])
            elapsed = time.perf_counter() - began
            first, second = json.loads(done.stdout.splitlines()[-1])
            rest = elapsed - first["Spark's start"] - first["the load"] - second["the load"]
            columns[f"first, {compiler}"] = {"Python's start and Spark's end": rest, **first}
            columns[f"second, {compiler}"] = second
    print(f"{asked.rows:,} rows, seconds\n\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for label in next(iter(columns.values())):
        cells = (f"{column[label]:.1f}" if label in column else "" for column in columns.values())
        print(f"| {label} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
