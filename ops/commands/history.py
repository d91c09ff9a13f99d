"""The command `history`: one execution with its states, files, failure and logs."""

import json
from typing import Annotated, Any

import typer
from rich.text import Text

from ops import completion, console_links, file_outcomes, history
from ops.commands.context import App, app_of
from ops.commands.outcome_reports import files_table, notes_of
from ops.output import duration, local_time, table


def show_history(
    context: typer.Context,
    execution: Annotated[
        str, typer.Argument(help="The execution's name or ARN.", autocompletion=completion.executions)
    ],
) -> None:
    """Show an execution: its states, its files and their outcomes, why it failed, and its logs."""
    app = app_of(context)
    found = history.describe(app.session, app.deployment, execution)
    events = history.events(app.session, found.arn)
    steps = history.steps(events)
    files = file_outcomes.outcomes_in(app.session, app.deployment, found)
    job_run = history.job_run_id(events)
    engine, declined = history.engine_of(steps), history.fallback_reason(events, steps)
    links = console_links.links(app.session, app.deployment, found.arn, job_run)
    document = {
        **_execution_json(found),
        "engine": engine and str(engine),
        "declined": declined or None,
        "jobRunId": job_run or None,
        "steps": [step.to_json() for step in steps],
        "files": [file.to_json() for file in files],
        "links": links,
    }
    facts = (
        ("status", found.status),
        ("started", local_time(found.started)),
        ("duration", duration(found.seconds)),
        ("engine", engine or ""),
        *((("small batch declined", declined),) if declined else ()),
        ("job run", job_run),
    )
    rows = (
        (step.state, local_time(step.entered), duration(step.seconds), step.attempts or "", step.error)
        for step in steps
    )
    app.output.result(
        document,
        table("execution", found.name, rows=facts),
        "",
        table("state", "entered", "duration", "attempts", "error", rows=rows),
        "",
        files_table(files),
        *notes_of(files),
        "",
        *_failure(app, found),
        table("see also", "", rows=((console_links.LABELS[name], link) for name, link in links.items())),
    )


def _execution_json(found: history.Execution) -> dict[str, Any]:
    return {
        "name": found.name,
        "arn": found.arn,
        "status": found.status,
        "started": found.started,
        "stopped": found.stopped,
        "seconds": found.seconds,
        "error": found.error,
        "cause": found.cause,
        "input": _parsed_or_text(found.input),
    }


def _parsed_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _failure(app: App, found: history.Execution) -> list[Text]:
    if not found.error:
        return []
    replay = app.target.command("replay", "--execution", found.name)
    return [
        Text.assemble((f"{found.error}: ", "bold red"), found.cause),
        Text.assemble(("next: ", "bold"), "fix the cause, then load the files again: ", replay, "\n"),
    ]
