"""Measures one engine in this process; imports nothing besides the standard library."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

Load = Callable[[Path], None]


def main(engines: Mapping[str, Callable[[Path], Load]]) -> None:
    """Time an engine's start, a first small file and the measured file. Prints a JSON object.

    `cpu` is the CPU seconds of the measured file, `total_cpu` those since the process started, both including
    child processes. `peak_kb` is this process's peak memory, or 0 where the system does not report it.
    """
    engine, folder, small, large = sys.argv[1:]
    found: dict[str, float] = {}
    began = time.perf_counter()
    load = engines[engine](Path(folder))
    found["start"] = time.perf_counter() - began
    for name, path in (("first", small), ("run", large)):
        began, used = time.perf_counter(), cpu_seconds()
        load(Path(path))
        found[name] = time.perf_counter() - began
        found["total_cpu"] = cpu_seconds()
        found["cpu"] = found["total_cpu"] - used
    print(json.dumps({**found, "peak_kb": peak_kilobytes()}))


def cpu_seconds() -> float:
    """CPU seconds of this process, its ended children, and its running ones such as Spark's JVM."""
    ended = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    children = subprocess.run(  # noqa: S603 (fixed arguments and our own PID)
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


def peak_kilobytes() -> int:
    """The peak resident memory of this process on Linux. `ru_maxrss` would include the parent's."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
