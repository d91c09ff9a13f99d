"""The command `report`: one HTML page about an execution, or about the pipeline over a period."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ops import completion
from ops.commands.context import app_of
from ops.commands.options import start_of_period
from ops.deployment import Deployment
from ops.errors import CliError
from ops.report import fact_reader
from ops.report.documents import ExecutionReport, OverviewReport, to_json
from ops.report.execution import execution_report
from ops.report.overview import overview_report
from ops.session import Session

PERIOD = "30d"


def report(
    context: typer.Context,
    execution: Annotated[
        str, typer.Argument(help="The execution's name or ARN.", autocompletion=completion.executions)
    ] = "",
    *,
    html: Annotated[
        Path | None, typer.Option(help="Path of the page. An existing file is replaced.", dir_okay=False)
    ] = None,
    since: Annotated[
        str,
        typer.Option(help="Without an execution: the start of the overview, such as 7d or 2024-06-01."),
    ] = PERIOD,
) -> None:
    """Write one HTML page about an execution, or about the pipeline: executions, rows, cost, missing months.

    The page needs no network access. With --json, the command prints its data, and --html is optional.
    """
    app = app_of(context)
    if html is None and not app.output.as_json:
        raise typer.BadParameter("give the path of the page, or --json", param_hint="--html")
    begin = start_of_period(since)
    with app.output.stderr.status("reading"):
        found = _document(app.session, app.deployment, execution, begin)
    if html:
        _write(app.session, found, html)
    app.output.result({"html": str(html) if html else None, **to_json(found)}, Text(f"wrote {html}"))


def write_report(
    session: Session, deployment: Deployment, path: Path, execution: str = "", since: datetime | None = None
) -> None:
    """Write the page of an execution or, without one, the overview since then (default: 30 days).

    Raises CliError if the execution does not exist or the file cannot be written.
    """
    _write(session, _document(session, deployment, execution, since or start_of_period(PERIOD)), path)


def _document(
    session: Session, deployment: Deployment, execution: str, since: datetime
) -> ExecutionReport | OverviewReport:
    if execution:
        return execution_report(fact_reader.execution_facts(session, deployment, execution), session.target)
    return overview_report(fact_reader.overview_facts(session, deployment, since), session.target)


def _write(session: Session, found: ExecutionReport | OverviewReport, path: Path) -> None:
    from ops.report import page  # noqa: PLC0415 - charts are slow to import

    text = page.page(found, session.target.environment)
    try:
        page.write_atomically(path, text)
    except OSError as error:
        raise CliError(
            f"{path} cannot be written: {error.strerror}", "give another file with --html"
        ) from None
