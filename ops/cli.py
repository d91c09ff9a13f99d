"""How do people operate the pipeline? The command line `taxi-etl`.

Exit codes: 0 done, 1 failed or refused, 2 wrong usage.
"""

from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from ops.commands import (
    backfill,
    cleanup,
    loading,
    local,
    looking,
    maintain,
    query,
    sample,
    setting_up,
    wiring,
)
from ops.commands.context import App
from ops.errors import CliError
from ops.output import Output
from ops.session import Target

JSON = "--json"


class Commands(TyperGroup):
    """The commands, with problems told in one way, and `--json` understood wherever it stands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `--json` in front, among the global options: people write it last."""
        plain = args[: args.index("--")] if "--" in args else args
        if JSON in plain:
            args = [JSON, *(word for word in plain if word != JSON), *args[len(plain) :]]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what stands in its way is told on standard error, with exit code 1."""
        try:
            return super().invoke(ctx)
        except CliError as refusal:
            _output(ctx).refusal(refusal)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            step = "see which identity this is: aws sts get-caller-identity"
            _output(ctx).refusal(CliError(f"AWS answered {error.operation_name}: {code}: {message}", step))
        except BotoCoreError as error:
            step = "check the network, the credentials, --region, --profile and --endpoint-url"
            _output(ctx).refusal(CliError(str(error), step))
        raise typer.Exit(1)


def _output(context: Any) -> Output:
    state: App = context.obj
    return state.output


app = typer.Typer(
    name="taxi-etl",
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
        str, typer.Option(envvar="TAXI_ETL_ENVIRONMENT", help="dev, prod, local, …")
    ] = "dev",
    region: Annotated[str | None, typer.Option(help="The AWS region; else as for the AWS CLI.")] = None,
    profile: Annotated[str | None, typer.Option(help="The AWS profile; else as for the AWS CLI.")] = None,
    endpoint_url: Annotated[str | None, typer.Option(help="Another address for AWS's services.")] = None,
    as_json: Annotated[
        bool, typer.Option(JSON, help="Print one JSON document; progress goes to standard error.")
    ] = False,
) -> None:
    """Operate the NYC taxi pipeline: look, load, replay, ask."""
    target = Target(environment, region, profile, endpoint_url)
    context.obj = App(target, Output(as_json=as_json))


for command, name in (
    (setting_up.verify, "verify"),
    (loading.upload, "upload"),
    (loading.start, "start"),
    (loading.replay, "replay"),
    (backfill.backfill, "backfill"),
    (looking.status, "status"),
    (looking.list_executions, "list"),
    (looking.show_history, "history"),
    (query.query, "query"),
    (setting_up.subscribe, "subscribe"),
    (wiring.trigger, "trigger"),
    (maintain.care, "care"),
    (cleanup.clean, "cleanup"),
    (sample.sample, "sample"),
    (setting_up.check_machine, "doctor"),
):
    app.command(name)(command)
app.add_typer(wiring.crawler_commands, name="crawler")
app.add_typer(local.commands, name="local")


def main() -> None:
    """The console script."""
    app()
