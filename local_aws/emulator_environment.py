"""The emulator's own virtual environment, which holds only MiniStack and boto3.

Functions run in it too, so a package missing from their bundle or layers fails here as it would on AWS.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from local_aws import paths, setup_lock
from local_aws.errors import LocalAwsError

_MARK = "installed"


class EnvironmentSetupError(LocalAwsError):
    """The emulator's environment could not be installed; the message ends with the installer's output."""


def ensure(folder: Path = paths.EMULATOR_ENVIRONMENT, lock: Path = paths.EMULATOR_LOCK) -> Path:
    """Return the environment's interpreter; reinstall it when the lock file or this interpreter has changed.

    Installing needs the network. Raises EnvironmentSetupError.
    """
    python = folder / "bin" / "python"
    mark = folder / _MARK
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest() + f" {sys.version}"
    with setup_lock.exclusive():
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
        raise EnvironmentSetupError(
            "the emulator's environment could not be installed; check the network and try again. "
            f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}"
        )


if __name__ == "__main__":
    ensure()
