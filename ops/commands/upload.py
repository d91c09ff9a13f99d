"""The command `upload`: send local files into the raw zone."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from ops import uploads
from ops.commands import outcome_reports
from ops.commands.context import App, app_of
from ops.commands.options import Bucket, Timeout, Wait
from ops.output import table
from ops.progress import TIMEOUT_SECONDS
from taxi_etl.identity import FileVersion
from taxi_etl.names import RAW_PREFIX
from taxi_etl.s3_uris import s3_uri


def upload(
    context: typer.Context,
    *,
    files: Annotated[list[Path], typer.Argument(help="Trip files: .parquet, .csv or .csv.gz.")],
    bucket: Bucket = "",
    prefix: Annotated[str, typer.Option(help="Key prefix of the uploaded objects.")] = RAW_PREFIX,
    wait: Wait = False,
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Upload trip files into the raw zone; the upload triggers the load."""
    app = app_of(context)
    folder = prefix if prefix.endswith("/") else f"{prefix}/"
    planned = uploads.plan(files, folder)
    versions = _send(app, bucket or app.deployment.bucket_name, planned)
    if wait:
        outcome_reports.report(app, outcome_reports.follow(app, versions, timeout))
        return
    document = {"files": [{"bucket": version.bucket, **version.to_json()} for version in versions]}
    rows = ((version.uri, f"{version.size:,}", version.version_id) for version in versions)
    app.output.result(document, table("uploaded", "bytes", "version ID", rows=rows))
    where = versions[0].uri if len(versions) == 1 else s3_uri(versions[0].bucket, folder)
    see = app.target.command("status", where)
    app.output.note(f"the files load automatically; see their status: {see}")


def _send(app: App, bucket: str, planned: list[uploads.Upload]) -> list[FileVersion]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    stderr = app.output.stderr
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        tasks = {
            each.key: progress.add_task(each.path.name, total=each.path.stat().st_size) for each in planned
        }
        return uploads.upload(
            app.session, bucket, planned, lambda each, count: progress.advance(tasks[each.key], count)
        )
