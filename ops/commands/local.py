"""How does one run AWS on the laptop? local up, down, status."""

from typing import Annotated

import typer

from local_aws import account
from local_aws.errors import LocalAwsError
from ops.commands.context import App, app_of, finish
from ops.errors import CliError
from ops.output import table

commands = typer.Typer(help="The AWS account on this machine.", no_args_is_help=True)


@commands.command()
def up(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = account.DEFAULT_PORT,
) -> None:
    """Start the local account, unless it runs."""
    app = app_of(context)
    try:
        with app.output.stderr.status("starting the local AWS"):
            running = account.up(port=port)
    except LocalAwsError as error:
        raise CliError(str(error)) from None
    _show(app, running)


@commands.command()
def down(context: typer.Context) -> None:
    """Stop the local account, and forget what was in it."""
    app = app_of(context)
    stopped = account.down()
    app.output.result({"stopped": stopped}, "stopped" if stopped else "it was not running")


@commands.command()
def status(context: typer.Context) -> None:
    """Say whether the local account runs, and how to reach it; exit code 1 when it does not."""
    app = app_of(context)
    running = account.status()
    if running:
        _show(app, running)
    else:
        app.output.result({"running": False}, "it is not running; start it with `taxi-etl local up`")
    finish(running is not None)


def _show(app: App, running: account.Account) -> None:
    environment = running.environment()
    document = {
        "running": True,
        "endpointUrl": running.endpoint_url,
        "pid": running.pid,
        "stateDir": running.state_dir,
        "environment": environment,
    }
    facts = [("pid", running.pid), ("log and job runs", running.state_dir)]
    exports = "\n".join(f"export {name}={value}" for name, value in environment.items())
    app.output.result(document, table("local AWS", running.endpoint_url, rows=facts), f"\n{exports}")
