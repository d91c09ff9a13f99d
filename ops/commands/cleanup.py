"""How does one tidy up? cleanup: looks first, acts when told to."""

from datetime import timedelta
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from ops import cleanup, deployment, leftovers
from ops.commands.context import App, app_of, finish
from ops.errors import CliError
from ops.output import now, table


def clean(
    context: typer.Context,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Act; without it, only show what would go.")] = False,
    older_than_hours: Annotated[
        float, typer.Option(min=0, help="Stop executions and job runs that run for longer.")
    ] = 24,
    runs_older_than_days: Annotated[
        float, typer.Option(min=0, help="Remove documents under runs/ that are older.")
    ] = 90,
) -> None:
    """Stop what runs for too long, expire old documents of runs, and remove what a failed deployment left."""
    app = app_of(context)
    items, kept = cleanup.failed_deployment(app.session)
    if leftovers.stand(app.session):
        items += _of_deployment(app, older_than_hours, runs_older_than_days)
    done = [(item, _remove(item) if yes else "") for item in items]
    failed = [(item, problem) for item, problem in done if problem]
    app.output.result(
        {
            "done": yes,
            "items": [{**item.to_json(), "problem": problem or None} for item, problem in done],
            "kept": [each.to_json() for each in kept],
        },
        table(
            *("what", "name", "why", "result" if yes else ""),
            rows=(
                (item.kind, item.name, item.why, problem or ("done" if yes else "would go"))
                for item, problem in done
            ),
        )
        if items
        else "there is nothing to clean up",
    )
    for each in kept:
        app.output.note(f"kept: {each.kind} {each.name}: {each.why}")
    if items and not yes:
        app.output.note(f"nothing was done; to act: {app.target.command('cleanup', *_again(context))}")
    finish(not failed)


def _of_deployment(app: App, hours: float, days: float) -> list[cleanup.Item]:
    """What may go of a deployment that stands."""
    moment, deployed = now(), deployment.discover(app.session)
    return [
        *cleanup.stale_executions(app.session, deployed, moment - timedelta(hours=hours), moment),
        *cleanup.old_runs(app.session, deployed, moment - timedelta(days=days), moment),
    ]


def _remove(item: cleanup.Item) -> str:
    """Remove it; gives what stood in the way, so that the others still go."""
    try:
        item.remove()
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error'].get('Message', '')}"
    except CliError as refusal:
        return refusal.message
    return ""


def _again(context: typer.Context) -> list[str]:
    """The options of this call, and `--yes`."""
    given = context.params
    return [
        f"--older-than-hours {given['older_than_hours']:g}",
        f"--runs-older-than-days {given['runs_older_than_days']:g}",
        "--yes",
    ]
