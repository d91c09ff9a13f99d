"""The command line `taxi-etl`: global options, the list of commands, and the output of errors.

Exit codes: 0 success, 1 failure, 2 wrong usage.
"""

from typing import Annotated, Any

import typer
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

# Typer exports only one of its kinds of wrong usage; this is the base of all.
from typer._click.exceptions import NoArgsIsHelpError, UsageError
from typer.core import TyperGroup

from ops.commands import (
    backfill,
    cleanup,
    cost,
    crawler,
    doctor,
    history,
    list_executions,
    local,
    maintain,
    query,
    reconcile,
    remove,
    replay,
    report,
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
from ops.examples import epilog
from ops.output import Output
from ops.session import Target

PROGRAM = "taxi-etl"
JSON = "--json"
CHECK_IDENTITY = "check the identity and its permissions: aws sts get-caller-identity"


class Commands(TyperGroup):
    """The command group: prints errors in one form, and accepts `--json` anywhere on the command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move `--json` to the front, among the global options, because people type it last."""
        plain = args[: args.index("--")] if "--" in args else args
        as_json = JSON in plain
        if as_json:
            args = [JSON, *(word for word in plain if word != JSON), *args[len(plain) :]]
        try:
            return super().parse_args(ctx, args)
        except NoArgsIsHelpError:
            raise
        except UsageError as error:
            raise _wrong_usage(Output(as_json=as_json), error) from None

    def invoke(self, ctx: Any) -> Any:
        """Run the command; print an error to standard error and exit with code 1, or 2 for wrong usage."""
        try:
            return super().invoke(ctx)
        except CliError as error:
            _output(ctx).error(error)
        except NoArgsIsHelpError:
            raise
        except UsageError as error:
            raise _wrong_usage(_output(ctx), error) from None
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            _output(ctx).error(CliError(f"{error.operation_name} failed: {code}: {message}", CHECK_IDENTITY))
        except Boto3Error as error:
            _output(ctx).error(CliError(str(error), CHECK_IDENTITY))
        except BotoCoreError as error:
            step = "check the network, the credentials, --region, --profile and --endpoint-url"
            _output(ctx).error(CliError(str(error), step))
        except OSError as error:
            if error.filename is None:
                raise
            step = "check the path and its permissions"
            _output(ctx).error(CliError(f"{error.filename}: {error.strerror}", step))
        raise typer.Exit(1)


def _output(context: Any) -> Output:
    """Return the command's output; wrong usage may be found before the global options have made one."""
    return context.obj.output if context.obj else Output(as_json=context.params.get("as_json", False))


def _wrong_usage(output: Output, error: UsageError) -> typer.Exit:
    """Print what is wrong with the command line and which help shows more; return the exit."""
    command = error.ctx.command_path if error.ctx else PROGRAM
    output.error(CliError(error.format_message().rstrip("."), f"see the usage: {command} --help"))
    return typer.Exit(error.exit_code)


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
    (reconcile.reconcile, "reconcile"),
    (status.status, "status"),
    (list_executions.list_executions, "list"),
    (history.show_history, "history"),
    (report.report, "report"),
    (cost.cost, "cost"),
    (query.query, "query"),
    (sql.sql, "sql"),
    (subscribe.subscribe, "subscribe"),
    (trigger.trigger, "trigger"),
    (maintain.maintain, "maintain"),
    (cleanup.cleanup, "cleanup"),
    (sample.sample, "sample"),
    (doctor.doctor, "doctor"),
):
    app.command(name, epilog=epilog(name))(command)
# The former name of `maintain`, kept for one version.
app.command("care", hidden=True, deprecated=True)(maintain.maintain)
app.add_typer(crawler.commands, name="crawler")
app.add_typer(local.commands, name="local")


def main() -> None:
    """Run the command line."""
    app(prog_name=PROGRAM)
