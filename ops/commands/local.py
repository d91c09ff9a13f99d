"""The commands `local up`, `local down` and `local status`: the AWS account on this machine."""

from typing import Annotated

import typer

from local_aws import account
from local_aws.errors import LocalAwsError
from ops.commands.context import App, app_of, exit_unless
from ops.errors import CliError
from ops.examples import epilog
from ops.output import table

commands = typer.Typer(help="The local AWS account: start it, stop it, show it.", no_args_is_help=True)


@commands.command(epilog=epilog("local up"))
def up(
    context: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the account; 0 chooses a free one.")
    ] = account.DEFAULT_PORT,
) -> None:
    """Start the local account, unless it is running."""
    app = app_of(context)
    try:
        with app.output.stderr.status("starting the local account"):
            running = account.up(port=port)
    except LocalAwsError as error:
        raise CliError(str(error)) from None
    _show(app, running)


@commands.command(epilog=epilog("local down"))
def down(context: typer.Context) -> None:
    """Stop the local account and delete everything in it."""
    app = app_of(context)
    stopped = account.down()
    app.output.result(
        {"stopped": stopped},
        "the local account is stopped" if stopped else "the local account is not running",
    )


@commands.command(epilog=epilog("local status"))
def status(context: typer.Context) -> None:
    """Show whether the local account is running and how to reach it; exit code 1 if it is not running."""
    app = app_of(context)
    running = account.status()
    if running:
        _show(app, running)
    else:
        app.output.result({"running": False}, "the local account is not running; start it: taxi-etl local up")
    exit_unless(running is not None)


def _show(app: App, running: account.Account) -> None:
    environment = running.environment()
    document = {
        "running": True,
        "endpointUrl": running.endpoint_url,
        "pid": running.pid,
        "stateDir": running.state_dir,
        "environment": environment,
    }
    facts = [("process ID", running.pid), ("logs and job runs", running.state_dir)]
    exports = "\n".join(f"export {name}={value}" for name, value in environment.items())
    app.output.result(document, table("endpoint", running.endpoint_url, rows=facts), f"\n{exports}")
