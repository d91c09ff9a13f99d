"""The command `doctor`: check that this machine can run the project."""

import shutil

import typer

from ops import doctor as machine
from ops.commands.context import app_of, exit_unless


def doctor(context: typer.Context) -> None:
    """Check that this machine has what the project needs: Java, disk space and the pinned cdk."""
    app = app_of(context)
    cdk = machine.other_cdk(shutil.which("cdk"))
    missing = [*machine.missing_requirements(), *([cdk] if cdk else [])]
    app.output.result({"missing": missing}, *(missing or ["this machine has what the project needs"]))
    exit_unless(not missing)
