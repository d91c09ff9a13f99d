"""The command `backfill`: load the files under a prefix that were never loaded."""

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ops import orchestrator
from ops.backfill_plan import Plan, expect, make_plan
from ops.commands import outcome_reports
from ops.commands.context import App, app_of
from ops.commands.options import Bucket, Engine, Timeout, Wait
from ops.output import counted, table
from ops.progress import TIMEOUT_SECONDS
from taxi_etl.engines import EngineChoice
from taxi_etl.forecast import Forecast
from taxi_etl.inputs import Trigger
from taxi_etl.names import RAW_PREFIX
from taxi_etl.s3_uris import s3_uri


def backfill(
    context: typer.Context,
    *,
    prefix: Annotated[str, typer.Argument(help="Key prefix of the files.")] = RAW_PREFIX,
    bucket: Bucket = "",
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Also load files that are loaded, rejected or failed, to rebuild a table."
        ),
    ] = False,
    engine: Engine = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Start without asking. Default: list the files, then ask on a terminal."),
    ] = False,
    wait: Wait = False,
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Load the files in the bucket that were never loaded; with --again, all files.

    Without --yes, list them with a forecast of time and cost; on a terminal, then ask.
    """
    app = app_of(context)
    bucket = bucket or app.deployment.bucket_name
    uri = s3_uri(bucket, prefix)
    repeat = app.target.command("backfill", *_repeat_with_yes(context))
    with app.output.stderr.status(f"listing {uri}"):
        plan = make_plan(app.session, app.deployment, bucket, prefix, again=again)
    expected = expect(app.session, app.deployment, plan.chosen) if plan.chosen and not yes else None
    yes = yes or _is_confirmed(app, plan, expected)
    started = _start(app, plan, repeat, again=again, engine=engine) if yes else []
    document = {
        **_document(plan, done=yes, uri=uri),
        "forecast": expected.to_json() if expected else None,
        "executions": outcome_reports.started_json(started),
    }
    if yes and wait and plan.chosen:
        outcome_reports.report(app, outcome_reports.follow(app, plan.chosen, timeout), **document)
        return
    app.output.result(document, *_tables(plan, started))
    if not plan.chosen:
        app.output.note("no files to load; --again loads files again that already ended")
    elif not yes:
        app.output.note(f"nothing was started; to load {_size(plan)}{_takes(expected)}: {repeat}")


def _takes(expected: Forecast | None) -> str:
    """The forecast as part of a sentence; it is an estimate, so its figures are rounded."""
    if expected is None:
        return ""
    minutes = math.ceil(60 * expected.hours)
    time = f"{minutes} minutes" if minutes < 120 else f"{expected.hours:.1f} hours"
    return f" in {counted(expected.executions, 'execution')}, about {time} and {expected.usd:.2f} USD"


def _size(plan: Plan) -> str:
    return f"{len(plan.chosen):,} files ({plan.bytes:,} bytes)"


def _is_confirmed(app: App, plan: Plan, expected: Forecast | None) -> bool:
    """Ask on a terminal whether to start; elsewhere, return False."""
    if not (plan.chosen and _at_terminal(app)) or app.output.as_json:
        return False
    return typer.confirm(f"load {_size(plan)}{_takes(expected)}?", err=True)


def _at_terminal(app: App) -> bool:
    return app.output.stderr.is_terminal and sys.stdin.isatty()


def _start(
    app: App, plan: Plan, repeat: str, *, again: bool, engine: EngineChoice | None
) -> list[orchestrator.Started]:
    """Send the files to the orchestrator; repeating this after a failure starts no file twice.

    After Ctrl-C, the files that were sent load; `repeat` is the command that sends the others.
    """
    columns = (TextColumn("starting"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
    started: list[orchestrator.Started] = []
    stderr, sent = app.output.stderr, 0
    try:
        with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
            task = progress.add_task("", total=len(plan.chosen))
            for files in orchestrator.calls(plan.chosen):
                if again:
                    started += orchestrator.replay_files(app.session, app.deployment, files, engine)
                else:
                    started += orchestrator.start(
                        app.session, app.deployment, files, Trigger.BACKFILL, engine
                    )
                sent += len(files)
                progress.advance(task, len(files))
    except KeyboardInterrupt:
        others = "all files again" if again else "the others"
        app.output.note(
            f"stopped; {sent:,} of {len(plan.chosen):,} files were started and are loading; "
            f"to start {others}: {repeat}"
        )
        raise typer.Exit(outcome_reports.DETACHED) from None
    return started


class RateColumn(ProgressColumn):
    """The number of files per second."""

    def render(self, task: Task) -> Text:
        """Return the rate, or an empty text until it is known."""
        return Text(f"{task.speed:,.1f} files/s" if task.speed else "")


def _document(plan: Plan, *, done: bool, uri: str) -> dict[str, Any]:
    return {
        "done": done,
        "where": uri,
        "statuses": plan.statuses,
        "chosen": len(plan.chosen),
        "bytes": plan.bytes,
        "skipped": [{"key": key, "why": reason} for key, reason in plan.skipped.items()],
    }


def _tables(plan: Plan, started: Sequence[orchestrator.Started]) -> Iterator[RenderableType]:
    yield table("status in the ledger", "files", rows=plan.statuses.items())
    if plan.skipped:
        yield table("skipped file", "reason", rows=plan.skipped.items())
    if started:
        yield outcome_reports.started_table(started)


def _repeat_with_yes(context: typer.Context) -> list[str]:
    """Return the arguments of this call, followed by `--yes`."""
    given = context.params
    bucket = ["--bucket", given["bucket"]] if given["bucket"] else []
    engine = ["--engine", str(given["engine"])] if given["engine"] else []
    return [given["prefix"], *bucket, *engine, *(["--again"] if given["again"] else []), "--yes"]
