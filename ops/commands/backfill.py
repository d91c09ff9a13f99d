"""How does one load all that is there? backfill: looks first, starts when told to."""

import shlex
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ops import backfill as backfills
from ops import orchestrator
from ops.commands import waiting
from ops.commands.context import App, app_of
from ops.commands.loading import Bucket, Timeout, Wait
from ops.output import table
from ops.progress import TIMEOUT_SECONDS
from taxi_etl.inputs import Trigger
from taxi_etl.names import RAW_PREFIX

Again = Annotated[
    bool,
    typer.Option(
        "--again", help="Also files that the ledger calls loaded, rejected or failed: to rebuild a table."
    ),
]


def backfill(
    context: typer.Context,
    *,
    prefix: Annotated[str, typer.Argument(help="Where to look.")] = RAW_PREFIX,
    bucket: Bucket = "",
    again: Again = False,
    yes: Annotated[bool, typer.Option("--yes", help="Start; without it, only show what would be.")] = False,
    wait: Wait = False,
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Load what lies in the bucket and was never loaded; with --again, all that lies there."""
    app = app_of(context)
    where = bucket or app.deployment.bucket_name
    with app.output.stderr.status(f"looking at s3://{where}/{prefix}"):
        plan = backfills.plan(app.session, app.deployment, where, prefix, again=again)
    started = _start(app, plan, again=again) if yes else []
    document = {
        **_document(plan, done=yes, where=f"s3://{where}/{prefix}"),
        "executions": waiting.started_json(started),
    }
    if yes and wait and plan.chosen:
        waiting.report(app, waiting.follow(app, plan.chosen, timeout), **document)
        return
    app.output.result(document, *_pictures(plan, started))
    if not plan.chosen:
        app.output.note("nothing to load; --again would load again what the ledger calls done")
    elif not yes:
        app.output.note(
            f"nothing was started; to load {len(plan.chosen):,} files of {plan.bytes:,} bytes: "
            f"{app.target.command('backfill', *_again(context))}"
        )


def _start(app: App, plan: backfills.Plan, *, again: bool) -> list[orchestrator.Started]:
    """Hand the files to the orchestrator; what it has claimed when something fails, it starts only once."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found: list[orchestrator.Started] = []
    with Progress(*columns, console=app.output.stderr, transient=True) as progress:
        task = progress.add_task("starting", total=len(plan.chosen))
        for files in plan.portions():
            if again:
                found += orchestrator.replay_files(app.session, app.deployment, files)
            else:
                found += orchestrator.start(app.session, app.deployment, files, Trigger.BACKFILL)
            progress.advance(task, len(files))
    return found


def _document(plan: backfills.Plan, *, done: bool, where: str) -> dict[str, Any]:
    return {
        "done": done,
        "where": where,
        "statuses": plan.statuses,
        "chosen": len(plan.chosen),
        "bytes": plan.bytes,
        "skipped": [{"key": key, "why": why} for key, why in plan.skipped.items()],
    }


def _pictures(plan: backfills.Plan, started: list[orchestrator.Started]) -> Iterator[RenderableType]:
    yield table("in the ledger", "files", rows=plan.statuses.items())
    if plan.skipped:
        yield table("never loads", "why", rows=plan.skipped.items())
    if started:
        rows = ((each.name, each.files, each.state) for each in started)
        yield table("execution", "files", "state", rows=rows)


def _again(context: typer.Context) -> list[str]:
    """The words of this call, and `--yes`."""
    given = context.params
    bucket = ["--bucket", given["bucket"]] if given["bucket"] else []
    return [shlex.quote(given["prefix"]), *bucket, *(["--again"] if given["again"] else []), "--yes"]
