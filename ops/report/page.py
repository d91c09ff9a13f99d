"""Renders reports as HTML pages that need no network and run no script."""

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ops.output import duration
from ops.report import execution_charts, overview_charts
from ops.report.documents import ExecutionReport, OverviewReport

_TEMPLATES = Environment(
    loader=PackageLoader("ops.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "duration": duration,
    "number": lambda value: f"{value:,}",
    "usd": lambda value: "unknown" if value is None else f"${value:,.4f}",
    "moment": lambda value: value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
    "day": lambda value: value.astimezone(UTC).strftime("%b %-d, %Y"),
    "minute": lambda value: value.astimezone(UTC).strftime("%b %-d, %H:%M"),
}


def page(report: ExecutionReport | OverviewReport, environment: str) -> str:
    """Return the page of a report."""
    if isinstance(report, OverviewReport):
        return overview_page(report)
    return execution_page(report, environment)


def execution_page(report: ExecutionReport, environment: str) -> str:
    """Return the page of one execution."""
    return _TEMPLATES.get_template("execution.html").render(
        report=report,
        environment=environment,
        timeline=execution_charts.timeline(report.timeline) if report.timeline else None,
        quarantine=execution_charts.quarantine(report.quarantine) if report.quarantine else None,
    )


def overview_page(report: OverviewReport) -> str:
    """Return the page of the pipeline over a period."""
    days = _days(report.since, report.until)
    figures: dict[str, Any] = {
        "executions": overview_charts.executions(report.executions, days) if report.executions else None,
        "rows": overview_charts.monthly("Rows written by month of load", "rows", report.rows, ",.0f", "~s")
        if report.rows
        else None,
        "costs": overview_charts.monthly("Cost by month", "US dollars", report.costs, ",.4f", "~g")
        if report.costs
        else None,
        "missing": sum(len(each.missing) for each in report.months),
        "months": [overview_charts.months(each, report.until.year) for each in report.months],
    }
    return _TEMPLATES.get_template("overview.html").render(report=report, figures=figures)


def _days(first: datetime, last: datetime) -> list[str]:
    """Return the days (UTC) from the first to the last."""
    begin, end = (moment.astimezone(UTC).date() for moment in (first, last))
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]


def write_atomically(path: Path, text: str) -> None:
    """Replace a file atomically: readers see either the old or the new content.

    Unpaired surrogates, which a JSON document can hold and UTF-8 cannot, become escapes. Raises OSError if
    the file cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
