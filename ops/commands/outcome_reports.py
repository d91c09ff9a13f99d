"""Output that several commands share: files followed live, their outcomes, and started executions."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import typer
from rich.text import Text

from ops.commands import live_progress
from ops.commands.context import App, exit_unless
from ops.errors import CliError
from ops.file_outcomes import FileOutcome, with_notes
from ops.listing import Listing
from ops.orchestrator import CLOSED, Started
from ops.output import colored, one_line, table
from ops.progress import Watch
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion

DETACHED = 130
"""The exit code after Ctrl-C, as in shells."""


def follow(app: App, versions: Sequence[FileVersion], timeout_seconds: float) -> list[FileOutcome]:
    """Print the progress of these file versions until all have ended; return their outcomes.

    A terminal also gets a display of what runs now. Ctrl-C ends only the display.
    """
    is_live = app.output.stderr.is_terminal and not app.output.as_json
    watch = Watch(
        app.session, app.deployment, versions, timeout_seconds=timeout_seconds, with_job_runs=is_live
    )
    display = live_progress.display(app, watch) if is_live else nullcontext()
    try:
        with display:
            for change in watch.changes():
                execution = Text(f"{change.execution[:12]:<13}", "dim")
                app.output.note(one_line(execution, change.subject, " ", colored(change.state)))
    except KeyboardInterrupt:
        app.output.note(f"detached; the load continues; see its progress: {_come_back(app, versions)}")
        raise typer.Exit(DETACHED) from None
    return watch.files


def _come_back(app: App, versions: Sequence[FileVersion]) -> str:
    """Return the command that shows the outcomes of these files."""
    return app.target.command("status", *([versions[0].uri] if len(versions) == 1 else []))


def report(app: App, files: Sequence[FileOutcome], **more: Any) -> None:
    """Print the outcome of each file, with its notes; exit code 1 unless all are loaded."""
    files = with_notes(app.session, app.deployment, files)
    document = {"files": [file.to_json() for file in files], **more}
    app.output.result(document, files_table(files), *notes_of(files))
    failed = sorted({file.execution for file in files if file.status == FileStatus.FAILED})
    for execution in failed:
        app.output.note(f"see why it failed: {app.target.command('history', execution)}")
    rejected = [file.version.uri for file in files if file.status == FileStatus.REJECTED]
    if rejected:
        what = app.target.command("status", *(rejected if len(rejected) == 1 else []))
        app.output.note(f"see how to fix what was rejected: {what}")
    if any(file.status == FileStatus.HELD for file in files):
        app.output.note(
            "orchestration is off and the files are held; once it is on, start them: "
            f"{app.target.command('replay', '--held')}"
        )
    exit_unless(all(file.status == FileStatus.LOADED for file in files))


def files_table(files: Sequence[FileOutcome]) -> Listing:
    """Return a table of files with their outcome, row counts and reasons."""
    return table(
        *("file", "status", "dataset", "rows read", "written", "quarantined", "reasons"),
        rows=(
            (
                file.version.key,
                file.status,
                file.dataset,
                *(_row_count(file, name) for name in ("read", "written", "quarantined")),
                "\n".join(file.reasons),
            )
            for file in files
        ),
    )


def notes_of(files: Sequence[FileOutcome]) -> list[Text]:
    """Return a line for each note about a loaded file, in which commands can be copied."""
    return [
        one_line(("note: ", "bold yellow"), f"{file.version.key}: {note}")
        for file in files
        for note in file.notes
    ]


def _row_count(file: FileOutcome, name: str) -> str:
    return f"{file.rows[name]:,}" if file.rows and file.status == FileStatus.LOADED else ""


def started_table(started: Sequence[Started]) -> Listing:
    """Return a table of started executions."""
    rows = ((each.name, each.files, each.state) for each in started)
    return table("execution", "files", "state", rows=rows)


def started_json(started: Sequence[Started]) -> list[dict[str, Any]]:
    """Return the JSON documents of started executions."""
    return [
        {"name": each.name, "arn": each.arn, "files": each.files, "state": each.state} for each in started
    ]


def require_started(app: App, started: Sequence[Started]) -> None:
    """Raise CliError if no execution was started, or if one of them had already ended before."""
    if not started:
        raise CliError(
            "no execution was started: no file is waiting, or orchestration is off and the files are held",
            f"see the counts by status: {app.target.command('status')}",
        )
    closed = [each.name for each in started if each.state == CLOSED]
    if closed:
        app.output.note(started_table(started))
        raise CliError(
            f"{', '.join(closed)} already ran and has ended; start does not repeat an execution",
            f"load its files again: {app.target.command('replay', '--execution', closed[0])}",
        )
