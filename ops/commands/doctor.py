"""The command `doctor`: check that this machine can run the project, and an account can take the app."""

import shutil
from typing import Annotated

import typer

from ops import default_bucket
from ops import doctor as machine
from ops.commands.context import app_of, exit_unless


def doctor(
    context: typer.Context,
    *,
    account: Annotated[
        bool, typer.Option("--account", help="Also check the AWS account, before the first deployment.")
    ] = False,
) -> None:
    """Check that this machine has what the project needs: Java, disk space and the pinned cdk."""
    app = app_of(context)
    cdk = machine.other_cdk(shutil.which("cdk"))
    bucket = default_bucket.problem(app.session) if account else None
    missing = [*machine.missing_requirements(), *filter(None, (cdk, bucket))]
    checked = "this machine and the account have" if account else "this machine has"
    app.output.result({"missing": missing}, *(missing or [f"{checked} what the project needs"]))
    exit_unless(not missing)
