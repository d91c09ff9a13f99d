"""An archive of the classes of Spark's JVM, with which a job run starts in about a third of the time.

Reading and verifying Spark's classes takes most of a small run's processor time. The JVM of the first
successful run of an Iceberg job writes them into the archive as it exits; later JVMs map it. Java ignores an
archive that does not fit its own version or its class path. Source: JDK tool specification, `java`,
-XX:ArchiveClassesAtExit and -XX:SharedArchiveFile.
"""

import hashlib
import os
import shlex
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from local_aws import java, paths

_PREFIX, _SUFFIX = "spark-classes-", ".jsa"
_SILENT = "-Xlog:cds*=off"
"""Leaves out a warning for each class that cannot be archived."""
_POLL_SECONDS = 0.5


def path(jars: Iterable[Path]) -> Path:
    """Return where the archive of this Java, this Spark and these jars is or will be."""
    program = Path(java.program() or "java").resolve()
    changed = program.stat().st_mtime_ns if program.exists() else 0
    packages = (paths.CHECKOUT / "requirements.txt").read_text()
    parts = (program, changed, packages, *jars)
    key = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]
    return paths.LOCAL / f"{_PREFIX}{key}{_SUFFIX}"


def reading_options(archive: Path) -> str:
    """Return the JVM options that map the archive, none while it does not exist."""
    return f"{shlex.quote(f'-XX:SharedArchiveFile={archive}')} {_SILENT}" if archive.exists() else ""


@dataclass(frozen=True)
class Recording:
    """A JVM that writes its classes into `partial`, which becomes `archive` after a successful run."""

    archive: Path
    partial: Path

    @property
    def options(self) -> str:
        """The JVM options that record the classes."""
        return f"{shlex.quote(f'-XX:ArchiveClassesAtExit={self.partial}')} {_SILENT}"

    def publish(self, process_group: int) -> None:
        """Wait until the JVM in the process group has exited, then replace the archives made before."""
        while _exists(process_group):
            time.sleep(_POLL_SECONDS)
        if not self.partial.exists():
            return
        whole = self.archive.with_suffix(f".{os.getpid()}")
        shutil.move(self.partial, whole)
        for old in paths.LOCAL.glob(f"{_PREFIX}*{_SUFFIX}"):
            old.unlink(missing_ok=True)
        whole.replace(self.archive)


def _exists(process_group: int) -> bool:
    try:
        os.killpg(process_group, 0)
    except ProcessLookupError:
        return False
    return True
