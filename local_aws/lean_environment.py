"""What does the emulator run in? A virtual environment with nothing but itself and boto3.

Its Lambda functions run in it too, so a package missing from their bundle fails here as it would on AWS.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from local_aws import paths, setup_lock
from local_aws.errors import LocalAwsError

_MARK = "installed"


class EnvironmentBroken(LocalAwsError):  # noqa: N818  (reads as what happened)
    """The emulator's environment could not be made; the message holds what the installer said."""


def ensure(folder: Path = paths.EMULATOR_ENVIRONMENT, lock: Path = paths.EMULATOR_LOCK) -> Path:
    """The environment's interpreter; makes it anew when the lock or this interpreter has changed.

    Needs the network then (10 to 30 seconds). Raises EnvironmentBroken.
    """
    python = folder / "bin" / "python"
    mark = folder / _MARK
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest() + f" {sys.version}"
    with setup_lock.alone():
        if python.exists() and mark.exists() and mark.read_text() == wanted:
            return python
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        _run([str(python), "-m", "pip", "install", *options, "--requirement", str(lock)])
        mark.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EnvironmentBroken(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")


if __name__ == "__main__":
    ensure()
