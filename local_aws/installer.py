"""Installs hash-locked packages with uv, which takes a fraction of pip's time, or with pip if uv fails.

uv does not read pip's settings. Where only pip can reach a package index, pip installs the list.
`python -m local_aws.installer LOCK` installs into this interpreter's environment.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

OPTIONS = ("--quiet", "--no-deps", "--require-hashes")
"""Options of both installers. The lists are complete; resolving could add versions without a hash."""


class InstallationError(Exception):
    """Neither uv nor pip could install the packages; the message ends with their output."""


def install(
    lock: Path,
    *,
    python: Path = Path(sys.executable),
    target: Path | None = None,
    uv: Sequence[str] = (),
    pip: Sequence[str] = (),
) -> None:
    """Install `lock` into the environment of `python`, or into the folder `target`.

    `uv` and `pip` are further options of these installers. Raises InstallationError.
    """
    where = ["--target", str(target)] if target else []
    packages = [*OPTIONS, *where, "--requirement", str(lock)]
    commands = (
        [str(Path(sys.prefix) / "bin" / "uv"), "pip", "install", "--python", str(python), *uv, *packages],
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-compile", *pip, *packages],
    )
    failures = []
    for command in commands:
        failure = _failure(command)
        if failure is None:
            break
        failures.append(failure)
    else:
        raise InstallationError("\n".join(failures))
    if target:
        # uv leaves its lock file there.
        (target / ".lock").unlink(missing_ok=True)


def _failure(command: list[str]) -> str | None:
    """Run an installer; return the command and the end of its output if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{command[0]} does not start: {error}"
    return f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}" if done.returncode else None


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except InstallationError as error:
        sys.exit(f"make: the packages could not be installed; check the network and try again.\n{error}")
