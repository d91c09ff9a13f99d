"""The command `list`: the recent executions."""

from itertools import islice
from typing import Annotated

import typer

from ops import completion
from ops.commands.context import app_of
from ops.commands.options import bucket_and_key, start_of_period
from ops.execution_list import State, executions
from ops.output import duration, local_time, now, table


def list_executions(
    context: typer.Context,
    *,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Number of executions.")] = 20,
    status: Annotated[State | None, typer.Option(case_sensitive=False, help="Only this status.")] = None,
    since: Annotated[
        str, typer.Option(help="Only those started since then, such as 45m, 12h, 7d, or the date 2024-06-01.")
    ] = "",
    file: Annotated[
        str,
        typer.Option(
            help="Only those of this file or key prefix, as object key or s3://BUCKET/KEY.",
            autocompletion=completion.files,
        ),
    ] = "",
) -> None:
    """List the recent executions, newest first."""
    app = app_of(context)
    after = start_of_period(since) if since else None
    bucket_key = bucket_and_key(file, app.deployment.bucket_name) if file else None
    matches = islice(executions(app.session, app.deployment, status, after, bucket_key), count)
    # AWS sorts ended executions by the time when they ended, not by their start.
    found = sorted(matches, key=lambda each: each.started, reverse=True)
    app.output.result(
        {"executions": [each.to_json() for each in found]},
        table(
            *("execution", "status", "started", "duration", "files", "trigger"),
            rows=(
                (
                    each.name,
                    each.status,
                    local_time(each.started),
                    duration(((each.stopped or now()) - each.started).total_seconds()),
                    each.files,
                    each.trigger,
                )
                for each in found
            ),
        ),
    )
    if found:
        return
    if status or since or file:
        app.output.note(f"no execution matches; list the recent ones: {app.target.command('list')}")
    else:
        app.output.note(f"there are no executions yet; upload a file: {app.target.command('upload', 'FILE')}")
