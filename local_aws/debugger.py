"""Debugging of one function, or of the Glue job, of the local account.

With `LOCAL_AWS_DEBUG` set to the function's or job's physical name when the account starts, its processes
wait for a client of debugpy before they run. debugpy is in a separate folder (`paths.DEBUGGER`), so that
neither the project's environment nor the functions' gains a package. CONTRIBUTING.md has the steps.
"""

import os
from pathlib import Path

from local_aws import paths
from local_aws.errors import LocalAwsError

VARIABLE = "LOCAL_AWS_DEBUG"
"""Names the function or job to debug."""
PACKAGES_VARIABLE = "LOCAL_AWS_DEBUGPY"
"""Names the folder with debugpy, when it is not `paths.DEBUGGER`."""
HOST = "127.0.0.1"
PORT = 5678
FUNCTION_TIMEOUT_SECONDS = 3600
"""Replaces the timeout of the debugged function, which the emulator would end at a breakpoint."""


def target() -> str:
    """Return the name of the function or job to debug, empty when debugging is off."""
    return os.environ.get(VARIABLE, "")


def packages() -> Path:
    """Return the folder with debugpy."""
    return Path(os.environ.get(PACKAGES_VARIABLE, paths.DEBUGGER))


def environment() -> dict[str, str]:
    """Return the variables that the emulator inherits. Raises LocalAwsError when debugpy is missing."""
    if not target():
        return {}
    if not (packages() / "debugpy").is_dir():
        raise LocalAwsError(
            f"{VARIABLE}={target()} needs debugpy, which is not in {packages()}: run "
            "`.venv/bin/python -m pip install --target "
            f"{paths.DEBUGGER.relative_to(paths.CHECKOUT)} debugpy`, or unset {VARIABLE}"
        )
    return {VARIABLE: target(), PACKAGES_VARIABLE: str(packages())}


def python_options(job_name: str) -> list[str]:
    """Return the interpreter's options that make the debugged job's script wait; none for other jobs."""
    if job_name != target():
        return []
    return ["-m", "debugpy", "--listen", f"{HOST}:{PORT}", "--wait-for-client"]
