"""The command `doctor`: check that this machine can run the project."""

import typer

from ops import doctor as machine
from ops.commands.context import app_of, exit_unless


def doctor(context: typer.Context) -> None:
    """Check that this machine has what the project needs: Java and disk space."""
    app = app_of(context)
    missing = machine.missing_requirements()
    app.output.result({"missing": missing}, *(missing or ["this machine has what the project needs"]))
    exit_unless(not missing)
