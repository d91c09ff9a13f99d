"""Can this machine run the project? Looks for what cannot be installed from a package registry.

Standard library only: `make` runs it before anything is installed, `taxi-etl doctor` later.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

JAVA_OLDEST = 17
DISK_GIB = 4


def main() -> int:
    """Print what is missing; returns 1 when something is."""
    problems = findings()
    for problem in problems:
        print(f"missing: {problem}", file=sys.stderr)
    return 1 if problems else 0


def findings() -> list[str]:
    """What this machine lacks, each with what to do about it; an empty list means that nothing is missing."""
    checks = (java_finding(java_version_text()), disk_finding(shutil.disk_usage(Path.cwd()).free))
    return [finding for finding in checks if finding]


def java_version_text() -> str | None:
    """What `java -version` prints, of JAVA_HOME where that is set; None without a Java that runs."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java:
        return None
    try:
        # Java prints its version to standard error.
        return subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None


def java_finding(version_text: str | None) -> str | None:
    """What is wrong with this `java -version` output; None when Spark can run on it."""
    advice = f"install a JDK {JAVA_OLDEST} or newer (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME"
    if version_text is None:
        return f"Java, which Spark runs on; {advice}"
    found = re.search(r'version "(\d+)', version_text)
    if not found:
        return f"a Java whose version can be read (it says {version_text.strip()!r}); {advice}"
    if int(found[1]) < JAVA_OLDEST:
        return f"a newer Java: this one is {found[1]}; {advice}"
    return None


def disk_finding(free_bytes: int) -> str | None:
    """Whether the disk has room for what the set-up installs."""
    if free_bytes >= DISK_GIB * 1024**3:
        return None
    return f"disk space: {free_bytes / 1024**3:.1f} GiB are free here, the set-up needs about {DISK_GIB} GiB"


if __name__ == "__main__":
    sys.exit(main())
