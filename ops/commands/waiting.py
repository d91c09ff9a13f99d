"""How does a command wait? It follows the files live, then shows what became of each."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from ops.commands.context import App, finish
from ops.errors import CliError
from ops.file_outcomes import FileOutcome
from ops.orchestrator import CLOSED, Started
from ops.output import colored, table
from ops.progress import Watch
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion


def follow(app: App, versions: Sequence[FileVersion], timeout_seconds: float) -> list[FileOutcome]:
    """Show what happens to these versions until nothing more will; gives what became of them."""
    watch = Watch(app.session, app.deployment, versions, timeout_seconds=timeout_seconds)
    for change in watch.changes():
        app.output.note(
            Text.assemble(Text(f"{change.execution[:12]:<13}", "dim"), change.about, " ", colored(change.now))
        )
    return watch.files


def report(app: App, files: Sequence[FileOutcome], **more: Any) -> None:
    """Print the outcome of each file; exit code 1 unless all are loaded."""
    document = {"files": [file.to_json() for file in files], **more}
    app.output.result(document, files_table(files))
    failed = sorted({file.execution for file in files if file.status == FileStatus.FAILED})
    for execution in failed:
        app.output.note(f"see why: {app.target.command('history', execution)}")
    if any(file.status == FileStatus.HELD for file in files):
        app.output.note(f"orchestration is off; start them: {app.target.command('replay', '--held')}")
    finish(all(file.status == FileStatus.LOADED for file in files))


def files_table(files: Sequence[FileOutcome]) -> Any:
    """A table of files with their counts and reasons."""
    return table(
        *("file", "outcome", "dataset", "read", "written", "quarantined", "reasons"),
        rows=(
            (
                file.version.key,
                file.status,
                file.dataset,
                *(_count(file, name) for name in ("read", "written", "quarantined")),
                "\n".join(file.reasons),
            )
            for file in files
        ),
    )


def _count(file: FileOutcome, name: str) -> str:
    return f"{file.rows[name]:,}" if file.rows and file.status == FileStatus.LOADED else ""


def show_started(app: App, started: Sequence[Started]) -> None:
    """Say which executions were started. Raises CliError when none was, or one had ended before."""
    if not started:
        raise CliError(
            "no execution was started: nothing was waiting, or orchestration is off and the files are held",
            f"see {app.target.command('status')}",
        )
    app.output.note(
        table("execution", "files", "state", rows=((each.name, each.files, each.state) for each in started))
    )
    done = [each.name for each in started if each.state == CLOSED]
    if done:
        raise CliError(
            f"{', '.join(done)} ran before and is closed; a start does not repeat it",
            app.target.command("replay", "--execution", done[0]),
        )


def started_json(started: Sequence[Started]) -> list[dict[str, Any]]:
    """What `--json` prints about executions that were started."""
    return [
        {"name": each.name, "arn": each.arn, "files": each.files, "state": each.state} for each in started
    ]
