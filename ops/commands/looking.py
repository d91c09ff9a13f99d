"""What is going on, and what happened? status, list, history."""

import json
from typing import Annotated, Any

import typer
from rich.text import Text

from ops import file_outcomes, history, logs, pipeline_status
from ops.commands.context import App, app_of
from ops.commands.waiting import files_table
from ops.output import moment, now, seconds, table


def status(context: typer.Context) -> None:
    """Show what waits, what runs, what failed, and which alarms ring."""
    app = app_of(context)
    found = pipeline_status.status(app.session, app.deployment)
    queues, alarms = found["queues"], found["alarms"]
    app.output.result(
        found,
        table("files", "", rows=found["files"].items()),
        "",
        table("executions", "", rows=found["executions"].items()),
        "",
        table("queue", "messages", rows=queues.items()),
        "",
        table("alarm", "state", rows=alarms.items()),
    )


def list_executions(
    context: typer.Context,
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
    status: Annotated[str, typer.Option(help="Only those RUNNING, SUCCEEDED, FAILED, …")] = "",
) -> None:
    """List recent executions, the newest first."""
    app = app_of(context)
    found = pipeline_status.executions(app.session, app.deployment, count, status.upper())
    app.output.result(
        {"executions": [each.to_json() for each in found]},
        table(
            *("execution", "status", "started", "duration", "files", "trigger"),
            rows=(
                (
                    each.name,
                    each.status,
                    moment(each.started),
                    seconds(((each.stopped or now()) - each.started).total_seconds()),
                    each.files,
                    each.trigger,
                )
                for each in found
            ),
        ),
    )
    if not found:
        app.output.note(f"none yet; upload a file: {app.target.command('upload', 'FILE')}")


def show_history(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(help="The execution's name or ARN.")],
) -> None:
    """Show an execution: states with times, files with outcomes, why it failed, where its logs are."""
    app = app_of(context)
    found = history.describe(app.session, app.deployment, execution)
    events = history.events(app.session, found.arn)
    steps = history.steps(events)
    files = file_outcomes.outcomes_in(app.session, app.deployment, found)
    job_run = history.job_run_id(events)
    links = logs.links(app.session, app.deployment, found.arn, job_run)
    document = {
        **_head(found),
        "jobRunId": job_run or None,
        "steps": [step.to_json() for step in steps],
        "files": [file.to_json() for file in files],
        "links": links,
    }
    rows = (
        (step.state, moment(step.entered), seconds(step.seconds), step.attempts or "", step.error)
        for step in steps
    )
    app.output.result(
        document,
        table("execution", found.name, rows=_facts(found, job_run)),
        "",
        table("state", "entered", "took", "attempts", "error", rows=rows),
        "",
        files_table(files),
        "",
        *_failure(app, found),
        table("see also", "", rows=links.items()),
    )


def _head(found: history.Execution) -> dict[str, Any]:
    return {
        "name": found.name,
        "arn": found.arn,
        "status": found.status,
        "started": found.started,
        "stopped": found.stopped,
        "seconds": found.seconds,
        "error": found.error,
        "cause": found.cause,
        "input": _parsed(found.input),
    }


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _facts(found: history.Execution, job_run: str) -> list[tuple[str, Any]]:
    return [
        ("status", found.status),
        ("started", moment(found.started)),
        ("took", seconds(found.seconds)),
        ("job run", job_run),
    ]


def _failure(app: App, found: history.Execution) -> list[Text]:
    if not found.error:
        return []
    replay = app.target.command("replay", "--execution", found.name)
    return [
        Text.assemble((f"{found.error}: ", "bold red"), found.cause),
        Text.assemble(("when the cause is gone: ", "bold"), replay, "\n"),
    ]
