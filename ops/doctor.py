"""Checks this machine for what the set-up cannot install: Java and disk space.

Standard library only, because `make` runs it before anything is installed. `taxi-etl doctor` runs it too.
"""

import shutil
import sys
from pathlib import Path

from local_aws import java

GIB = 1024**3
DISK_BYTES = 4 * GIB
"""Disk space that the set-up needs, most of it for Spark and its jars."""


def main() -> int:
    """Print the problems; return 1 if there are any."""
    found = problems()
    for problem in found:
        print(f"make: {problem}", file=sys.stderr)
    return 1 if found else 0


def problems() -> list[str]:
    """Return what this machine lacks, each with the next step; an empty list means nothing."""
    checks = (java.problem(), disk_problem(shutil.disk_usage(Path.cwd()).free))
    return [problem for problem in checks if problem]


def disk_problem(free_bytes: int) -> str | None:
    """Return the problem of too little free disk space, None if there is enough."""
    if free_bytes >= DISK_BYTES:
        return None
    free, needed = free_bytes / GIB, DISK_BYTES / GIB
    return f"only {free:.1f} GiB of disk space are free, the set-up needs {needed:.0f} GiB: free some space"


if __name__ == "__main__":
    sys.exit(main())
