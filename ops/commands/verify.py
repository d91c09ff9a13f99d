"""The command `verify`: check every part of the deployment."""

from collections.abc import Mapping
from typing import Annotated

import typer

from ops import checks
from ops.commands.context import App, app_of, exit_unless
from ops.output import table

WRONG = (checks.Level.FAILED, checks.Level.WARNING)
"""The levels of findings that are always shown."""


def verify(
    context: typer.Context,
    *,
    first: Annotated[
        bool, typer.Option("--first", help="Also check what a first load leaves: logs, metrics, traces.")
    ] = False,
    show_all: Annotated[bool, typer.Option("--all", help="Show every check, not only problems.")] = False,
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
    shown = findings if show_all else [each for each in findings if each.level in WRONG]
    rows = ((each.part, each.check, each.level, each.problem, each.remedy) for each in shown)
    app.output.result(
        {"ok": not failed, "counts": counts, "findings": [finding.to_json() for finding in findings]},
        *([table("part", "check", "result", "problem", "remedy", rows=rows)] if shown else []),
        _summary(counts) if show_all else f"{_summary(counts)}; all checks: {_with_all(app, first=first)}",
    )
    exit_unless(not failed)


def _summary(counts: Mapping[str, int]) -> str:
    """Return the number of findings at each level that has any."""
    return ", ".join(f"{count} {level}" for level, count in counts.items() if count)


def _with_all(app: App, *, first: bool) -> str:
    return app.target.command("verify", *(["--first"] if first else []), "--all")
