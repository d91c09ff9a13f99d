"""The emulator's own virtual environment, which holds only MiniStack and boto3.

Functions run in it too, so a package missing from their bundle or layers fails here as it would on AWS.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from local_aws import installer, paths, setup_lock
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
    with setup_lock.exclusive("emulator"):
        if python.exists() and mark.exists() and mark.read_text() == wanted:
            return python
        shutil.rmtree(folder, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
            only_wheels = ("--only-binary", ":all:")
            installer.install(lock, python=python, uv=only_wheels, pip=only_wheels)
        except (installer.InstallationError, subprocess.CalledProcessError) as error:
            raise EnvironmentSetupError(
                f"the emulator's environment could not be installed; check the network and try again. {error}"
            ) from error
        mark.write_text(wanted)
    return python


if __name__ == "__main__":
    ensure()
