"""The command `verify`: check every part of the deployment."""

from typing import Annotated

import typer

from ops import checks
from ops.commands.context import app_of, exit_unless
from ops.output import table


def verify(
    context: typer.Context,
    first: Annotated[
        bool, typer.Option("--first", help="Also check what a first load leaves: logs, metrics, traces.")
    ] = False,
) -> None:
    """Check every part of the deployment, and show how to fix what is wrong."""
    app = app_of(context)
    scope = checks.Scope(app.session, app.deployment)
    with app.output.stderr.status("checking") as progress:
        findings = checks.all_findings(
            scope, lambda part: progress.update(f"checking the {part}"), first=first
        )
    failed = any(finding.level is checks.Level.FAILED for finding in findings)
    counts = {str(level): sum(each.level is level for each in findings) for level in checks.Level}
    app.output.result(
        {"ok": not failed, "counts": counts, "findings": [finding.to_json() for finding in findings]},
        table(
            *("part", "check", "result", "problem", "remedy"),
            rows=((each.part, each.check, each.level, each.problem, each.remedy) for each in findings),
        ),
        ", ".join(f"{count} {level}" for level, count in counts.items()),
    )
    exit_unless(not failed)
