"""Checks this machine for what setup cannot install: disk space, and Java where PyPI has none for it.

Standard library only, because `make` runs it before anything is installed. `taxi-etl doctor` runs it too.
"""

import json
import shutil
import sys
from pathlib import Path

from local_aws import java

GIB = 1024**3
CHECKOUT = Path(__file__).resolve().parents[1]
DISK_BYTES = 4 * GIB
"""Disk space that the setup needs, most of it for Spark and its jars."""


def main() -> int:
    """Print what this machine lacks; return 1 if it lacks anything."""
    missing = missing_requirements()
    for requirement in missing:
        print(f"make: {requirement}", file=sys.stderr)
    return 1 if missing else 0


def missing_requirements() -> list[str]:
    """Return what this machine lacks, each with the next step; an empty list means nothing."""
    java_problem = None if java.is_installable() else java.problem()
    checks = (java_problem, missing_disk_space(shutil.disk_usage(Path.cwd()).free))
    return [requirement for requirement in checks if requirement]


def missing_disk_space(free_bytes: int) -> str | None:
    """Return what to do about too little free disk space, None if there is enough."""
    if free_bytes >= DISK_BYTES:
        return None
    free, needed = free_bytes / GIB, DISK_BYTES / GIB
    return f"only {free:.1f} GiB of disk space are free; the setup needs {needed:.0f} GiB: free some space"


def other_cdk(found: str | None) -> str | None:
    """Return what to do about the `cdk` on the PATH, None if it is the pinned version or there is none.

    `found` is the path of the command. An older one cannot read what the pinned libraries synthesize.
    """
    pinned = json.loads((CHECKOUT / "package.json").read_text())["devDependencies"]["aws-cdk"]
    version = _package_version(Path(found).resolve()) if found else None
    if version in (None, pinned):
        return None
    return (
        f"cdk on the PATH is {found}, version {version}; the project needs {pinned}: "
        f"export PATH={CHECKOUT}/node_modules/.bin:$PATH, or run npx cdk in the checkout"
    )


def _package_version(command: Path) -> str | None:
    """Return the version of the npm package that holds a command, None if no package provides it."""
    manifest = command.parent.parent / "package.json"
    if not manifest.exists():
        return None
    version: str | None = json.loads(manifest.read_text()).get("version")
    return version


if __name__ == "__main__":
    sys.exit(main())
