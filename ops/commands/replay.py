"""The command `replay`: load files again."""

from collections.abc import Sequence
from typing import Annotated

import typer

from ops import completion, orchestrator
from ops.commands import outcome_reports
from ops.commands.context import App, app_of
from ops.commands.options import Engine, Timeout, Wait, bucket_and_key
from ops.file_outcomes import files_of
from ops.progress import TIMEOUT_SECONDS
from taxi_etl.identity import FileVersion


def replay(
    context: typer.Context,
    *,
    target: Annotated[
        str,
        typer.Argument(
            help="An execution name, or a file as s3://BUCKET/KEY or object key.",
            autocompletion=completion.files_and_executions,
        ),
    ] = "",
    execution: Annotated[
        str,
        typer.Option(help="Load the files of this execution again.", autocompletion=completion.executions),
    ] = "",
    held: Annotated[
        bool, typer.Option("--held", help="Start the files held while orchestration was off.")
    ] = False,
    engine: Engine = None,
    wait: Wait = False,
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Load files again: those of an execution, the current version of one file, or the held files."""
    if sum(map(bool, (target, execution, held))) != 1:
        raise typer.BadParameter("give exactly one of: an execution, a file, --held")
    app = app_of(context)
    versions: list[FileVersion] = []
    if held:
        started = orchestrator.replay_held(app.session, app.deployment, engine)
    elif execution or "/" not in target:
        started = orchestrator.replay_execution(app.session, app.deployment, execution or target, engine)
    else:
        bucket, key = bucket_and_key(target, app.deployment.bucket_name)
        versions = orchestrator.current_versions(app.session, bucket, [key])
        started = orchestrator.replay_files(app.session, app.deployment, versions, engine)
    report_started(app, started, versions, wait=wait, timeout=timeout)


def report_started(
    app: App,
    started: Sequence[orchestrator.Started],
    versions: Sequence[FileVersion],
    *,
    wait: bool,
    timeout: float,
) -> None:
    """Print the started executions or, with `wait`, follow their files and print the outcomes.

    `versions` are the files to follow; when empty, those of the executions.
    """
    outcome_reports.require_started(app, started)
    executions = outcome_reports.started_json(started)
    if not wait:
        app.output.result({"executions": executions}, outcome_reports.started_table(started))
        app.output.note(f"see its progress: {app.target.command('history', started[0].name)}")
        return
    app.output.note(outcome_reports.started_table(started))
    versions = versions or [
        file.version for each in started for file in files_of(app.session, app.deployment, each.name)
    ]
    outcome_reports.report(app, outcome_reports.follow(app, versions, timeout), executions=executions)
