"""Can this machine run the project? Looks for what cannot be installed from a package registry.

Standard library only: `make` runs it before anything is installed, `taxi-etl doctor` later.
"""

import shutil
import sys
from pathlib import Path

from local_aws import java

GIB = 1024**3
DISK_BYTES = 4 * GIB
"""What the set-up takes: Spark and its jars are the most of it."""


def main() -> int:
    """Print what is missing; returns 1 when something is."""
    problems = findings()
    for problem in problems:
        print(f"make: {problem}", file=sys.stderr)
    return 1 if problems else 0


def findings() -> list[str]:
    """What this machine lacks, each with what to do about it; an empty list means that nothing is missing."""
    checks = (java.problem(), disk_problem(shutil.disk_usage(Path.cwd()).free))
    return [problem for problem in checks if problem]


def disk_problem(free_bytes: int) -> str | None:
    """Whether the disk lacks room for what the set-up installs, and what to do; None when it does not."""
    if free_bytes >= DISK_BYTES:
        return None
    free, needed = free_bytes / GIB, DISK_BYTES / GIB
    return f"{free:.1f} GiB of disk are free here, the set-up needs {needed:.0f}: make room"


if __name__ == "__main__":
    sys.exit(main())
