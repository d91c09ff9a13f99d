"""Is everything in place, and who is told? verify, subscribe, doctor."""

from typing import Annotated

import typer

from ops import checks, doctor, subscriptions
from ops.commands.context import app_of, finish
from ops.output import table
from taxi_etl.notifications import Status


def verify(context: typer.Context) -> None:
    """Check every deployed part, and say how to mend what is wrong."""
    app = app_of(context)
    place = checks.Place(app.session, app.deployment)
    with app.output.stderr.status("looking") as progress:
        found = checks.all_findings(place, lambda part: progress.update(f"looking at the {part}"))
    bad = [finding for finding in found if finding.level is checks.Level.FAILED]
    counts = {str(level): sum(each.level is level for each in found) for level in checks.Level}
    app.output.result(
        {"ok": not bad, "counts": counts, "findings": [finding.to_json() for finding in found]},
        table(
            *("part", "check", "result", "problem", "what to do"),
            rows=((each.part, each.check, each.level, each.problem, each.remedy) for each in found),
        ),
        ", ".join(f"{count} {level}" for level, count in counts.items()),
    )
    finish(not bad)


def subscribe(
    context: typer.Context,
    endpoint: Annotated[
        str, typer.Argument(help="An e-mail address, a queue's ARN, or an https:// address.")
    ],
    status: Annotated[
        list[Status] | None, typer.Option(help="Only these outcomes; repeat for several.")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Only these datasets; repeat for several.")
    ] = None,
) -> None:
    """Get the messages about outcomes (and alarms, unless filtered)."""
    app = app_of(context)
    made = subscriptions.subscribe(
        app.session, app.deployment, endpoint, statuses=status or (), datasets=dataset or ()
    )
    rows = [(made.endpoint, made.protocol, made.arn)]
    app.output.result(made.to_json(), table("endpoint", "protocol", "subscription", rows=rows))
    app.output.note(f"next: {made.next_step}")


def check_machine(context: typer.Context) -> None:
    """Say what this machine lacks to run the project."""
    app = app_of(context)
    missing = doctor.findings()
    app.output.result({"missing": missing}, *(missing or ["nothing is missing"]))
    finish(not missing)
