"""How does one get files loaded? upload, start, replay."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from ops import orchestrator, uploads
from ops.commands import waiting
from ops.commands.context import App, app_of
from ops.file_outcomes import files_of
from ops.output import table
from ops.progress import TIMEOUT_SECONDS
from taxi_etl.identity import FileVersion
from taxi_etl.names import RAW_PREFIX

Bucket = Annotated[str, typer.Option(help="The bucket; without it, the deployment's data lake.")]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the run, and fail unless every file is loaded.")]
Timeout = Annotated[float, typer.Option(min=1, help="How many seconds to wait at most.")]


def upload(
    context: typer.Context,
    *,
    files: Annotated[list[Path], typer.Argument(help="Trip files: .parquet, .csv or .csv.gz")],
    bucket: Bucket = "",
    prefix: Annotated[str, typer.Option(help="Where the files go in the bucket.")] = RAW_PREFIX,
    wait: Wait = False,
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Upload trip files into the raw zone; they are loaded by themselves."""
    app = app_of(context)
    planned = uploads.plan(files, prefix if prefix.endswith("/") else f"{prefix}/")
    versions = _send(app, bucket or app.deployment.bucket_name, planned)
    if wait:
        waiting.report(app, waiting.follow(app, versions, timeout))
        return
    document = {"files": [{"bucket": version.bucket, **version.to_json()} for version in versions]}
    rows = ((version.uri, f"{version.size:,}", version.version_id) for version in versions)
    app.output.result(document, table("uploaded", "bytes", "version", rows=rows))
    app.output.note(f"they load by themselves; look: {app.target.command('list')}")


def _send(app: App, bucket: str, planned: list[uploads.Upload]) -> list[FileVersion]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=app.output.stderr, transient=True) as progress:
        tasks = {
            each.key: progress.add_task(each.path.name, total=each.path.stat().st_size) for each in planned
        }
        return uploads.upload(
            app.session, bucket, planned, lambda each, count: progress.advance(tasks[each.key], count)
        )


def start(
    context: typer.Context,
    *,
    key: Annotated[list[str], typer.Option(help="Object keys; repeat for several.")],
    bucket: Bucket = "",
    wait: Wait = False,
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Start the workflow for objects that are in the bucket already."""
    app = app_of(context)
    versions = orchestrator.current_versions(app.session, bucket or app.deployment.bucket_name, key)
    _follow_started(app, orchestrator.start(app.session, app.deployment, versions), versions, wait, timeout)


def replay(
    context: typer.Context,
    *,
    target: Annotated[str, typer.Argument(help="An execution, or a file as s3://BUCKET/KEY or key.")] = "",
    execution: Annotated[str, typer.Option(help="An execution whose files to load again.")] = "",
    held: Annotated[
        bool, typer.Option("--held", help="The files put on hold while orchestration was off.")
    ] = False,
    wait: Wait = False,
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Load files again: those of an execution, one file's newest version, or those on hold."""
    if sum(map(bool, (target, execution, held))) != 1:
        raise typer.BadParameter("name one: an execution, a file, or --held")
    app = app_of(context)
    versions: list[FileVersion] = []
    if held:
        started = orchestrator.replay_held(app.session, app.deployment)
    elif execution or "/" not in target:
        started = orchestrator.replay_execution(app.session, app.deployment, execution or target)
    else:
        bucket, key = _address(target, app.deployment.bucket_name)
        versions = orchestrator.current_versions(app.session, bucket, [key])
        started = orchestrator.replay_files(app.session, app.deployment, versions)
    _follow_started(app, started, versions, wait, timeout)


def _address(text: str, bucket: str) -> tuple[str, str]:
    if not text.startswith("s3://"):
        return bucket, text
    bucket, _, key = text.removeprefix("s3://").partition("/")
    if not (bucket and key):
        raise typer.BadParameter(f"{text!r} names no object; write s3://BUCKET/KEY")
    return bucket, key


def _follow_started(
    app: App,
    started: list[orchestrator.Started],
    versions: list[FileVersion],
    wait: bool,
    timeout: float,
) -> None:
    """Show what was started and, when asked to wait, what became of it."""
    waiting.show_started(app, started)
    executions = waiting.started_json(started)
    if not wait:
        rows = ((each.name, each.files, each.state) for each in started)
        app.output.result({"executions": executions}, table("execution", "files", "state", rows=rows))
        app.output.note(f"look: {app.target.command('history', started[0].name)}")
        return
    versions = versions or [
        file.version for each in started for file in files_of(app.session, app.deployment, each.name)
    ]
    waiting.report(app, waiting.follow(app, versions, timeout), executions=executions)
