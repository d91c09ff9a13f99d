"""The command line `taxi-etl`: global options, the list of commands, and the output of errors.

Exit codes: 0 success, 1 failure, 2 wrong usage.
"""

from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from ops.commands import (
    backfill,
    cleanup,
    crawler,
    doctor,
    history,
    list_executions,
    local,
    maintain,
    query,
    remove,
    replay,
    sample,
    sql,
    start,
    status,
    subscribe,
    trigger,
    upload,
    verify,
)
from ops.commands.context import App
from ops.errors import CliError
from ops.output import Output
from ops.session import Target

PROGRAM = "taxi-etl"
JSON = "--json"


class Commands(TyperGroup):
    """The command group: prints errors in one form, and accepts `--json` anywhere on the command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move `--json` to the front, among the global options, because people type it last."""
        plain = args[: args.index("--")] if "--" in args else args
        if JSON in plain:
            args = [JSON, *(word for word in plain if word != JSON), *args[len(plain) :]]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; print an error to standard error and exit with code 1."""
        try:
            return super().invoke(ctx)
        except CliError as error:
            _output(ctx).error(error)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            step = "check the identity and its permissions: aws sts get-caller-identity"
            _output(ctx).error(CliError(f"{error.operation_name} failed: {code}: {message}", step))
        except BotoCoreError as error:
            step = "check the network, the credentials, --region, --profile and --endpoint-url"
            _output(ctx).error(CliError(str(error), step))
        raise typer.Exit(1)


def _output(context: Any) -> Output:
    state: App = context.obj
    return state.output


app = typer.Typer(
    name=PROGRAM,
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    context: typer.Context,
    *,
    environment: Annotated[
        str,
        typer.Option(envvar="TAXI_ETL_ENVIRONMENT", help="The deployed environment: dev, prod or local."),
    ] = "dev",
    region: Annotated[str | None, typer.Option(help="The AWS region. Default: as for the AWS CLI.")] = None,
    profile: Annotated[str | None, typer.Option(help="The AWS profile. Default: as for the AWS CLI.")] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="The endpoint of all AWS services. Default: AWS itself.")
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(JSON, help="Print the result as one JSON document; progress goes to standard error."),
    ] = False,
) -> None:
    """Operate the NYC taxi pipeline: load files, follow executions, query tables, maintain the deployment."""
    target = Target(environment, region, profile, endpoint_url)
    context.obj = App(target, Output(as_json=as_json))


for command, name in (
    (verify.verify, "verify"),
    (upload.upload, "upload"),
    (start.start, "start"),
    (replay.replay, "replay"),
    (backfill.backfill, "backfill"),
    (remove.remove, "remove"),
    (status.status, "status"),
    (list_executions.list_executions, "list"),
    (history.show_history, "history"),
    (query.query, "query"),
    (sql.sql, "sql"),
    (subscribe.subscribe, "subscribe"),
    (trigger.trigger, "trigger"),
    (maintain.maintain, "maintain"),
    (cleanup.cleanup, "cleanup"),
    (sample.sample, "sample"),
    (doctor.doctor, "doctor"),
):
    app.command(name)(command)
# The former name of `maintain`, kept for one version.
app.command("care", hidden=True, deprecated=True)(maintain.maintain)
app.add_typer(crawler.commands, name="crawler")
app.add_typer(local.commands, name="local")


def main() -> None:
    """Run the command line."""
    app(prog_name=PROGRAM)
