"""Benchmark of both engines against plain Spark, DuckDB, and other libraries that write Iceberg tables.

    make bench                                  # a million rows, Parquet
    make bench ROWS=10000000 FORMAT=csv.gz
    make bench PEERS=1 ENGINES=small            # with pyiceberg, Polars and dlt

The data is generated (`sample_data`); one row in a thousand is invalid, so quarantine is written too. Each
engine runs in its own process. Start-up, a first small file (cold code) and the measured file are timed
separately. At the end the written rows are compared.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import venv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engines import THREADS
from benchmarks.peers import PEERS
from benchmarks.written_rows import DATASET, engine_differences, peer_difference
from local_aws.installer import install
from sample_data.files import generate

ENGINES = {
    "job": "benchmarks.spark_engines",
    "floor": "benchmarks.spark_engines",
    "duckdb": "benchmarks.engines",
    "small": "benchmarks.engines",
}
"""The module that runs each engine."""
PEERS_LOCK = Path(__file__).parent / "peers.txt"
PEERS_ENVIRONMENT = Path(__file__).parents[1] / ".local" / "peers"

SMALL_ROWS = 1_000
DIRTY_SHARE = 0.001
MONTH = "2024-01"
POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Measured:
    """One engine's times in seconds, and the peak memory of its process tree in megabytes.

    `cpu` are the CPU seconds of the run, `total_cpu` those since the process started.
    """

    start: float
    first: float
    run: float
    cpu: float
    total_cpu: float
    peak_mb: int


def measure(engine: str, folder: Path, small: Path, large: Path) -> Measured:
    """Run an engine or a peer in its own process. Raises RuntimeError with its output if it fails."""
    python = str(PEERS_ENVIRONMENT / "bin" / "python") if engine in PEERS else sys.executable
    module = ENGINES.get(engine, "benchmarks.peers")
    command = [python, "-m", module, engine, str(folder), str(small), str(large)]
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
    found = json.loads(output.splitlines()[-1])
    # Sampling misses short peaks; the process knows its own peak.
    peak_kb = max(peak[0], found.pop("peak_kb"))
    return Measured(**found, peak_mb=peak_kb // 1024)


def install_peers() -> None:
    """Install the locked versions of the peers in their own environment, if they are not there yet."""
    installed = PEERS_ENVIRONMENT / "installed.txt"
    if installed.exists() and installed.read_text() == PEERS_LOCK.read_text():
        return
    venv.create(PEERS_ENVIRONMENT, clear=True, with_pip=True)
    install(PEERS_LOCK, python=PEERS_ENVIRONMENT / "bin" / "python")
    installed.write_text(PEERS_LOCK.read_text())


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


def report(rows: int, kind: str, results: dict[str, Measured]) -> str:
    """The results as a table."""
    lines = [
        f"{rows:,} rows, {kind}, {THREADS} threads, {os.cpu_count()} CPUs ({platform.machine()}), "
        f"load {os.getloadavg()[1]:.1f}, Python {platform.python_version()}",
        "",
        f"| engine | start s | first {SMALL_ROWS:,} rows s | run s | CPU s | CPU s with start | peak MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for engine, result in results.items():
        lines.append(
            f"| {engine} | {result.start:.1f} | {result.first:.1f} | {result.run:.1f} | {result.cpu:.1f} | "
            f"{result.total_cpu:.1f} | {result.peak_mb:,} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Generate files, measure the engines, print the results; exits with 1 if written rows differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=("parquet", "csv.gz"), default="parquet")
    parser.add_argument("--repeat", type=int, default=1, help="rounds; the fewest CPU seconds count")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--peers", action="store_true", help="install and measure the peers too")
    arguments = parser.parse_args()
    engines = [*arguments.engines, *(PEERS if arguments.peers else ())]
    if arguments.peers:
        install_peers()
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
            for engine in engines:
                place = folder / engine if number == 0 else folder / f"{engine}_{number}"
                result = measure(engine, place, small, large)
                if engine not in results or result.cpu < results[engine].cpu:
                    results[engine] = result
        print(report(arguments.rows, arguments.format, results))
        found = engine_differences(folder, large)
        for peer in PEERS.keys() & engines:
            found += peer_difference(peer, folder / peer, large)
    if found:
        sys.exit("\n".join(found))
    print("\nthe engines wrote the same rows" + ("; the peers wrote all rows" if arguments.peers else ""))


if __name__ == "__main__":
    main()
