"""What is in the tables? query."""

import sys
from typing import Annotated

import typer

from ops.commands.context import app_of
from ops.output import table


def query(
    context: typer.Context,
    sql: Annotated[str, typer.Argument(help="SQL in DuckDB's dialect; - reads it from standard input.")],
    limit: Annotated[int, typer.Option(min=1, help="How many rows to show at most.")] = 100,
) -> None:
    """Ask the tables with SQL: each dataset's trips are in DATASET_trips, others in quarantined_trips."""
    from ops import tables  # noqa: PLC0415 - PyIceberg is slow to import, and only needed here

    app = app_of(context)
    text = sys.stdin.read() if sql == "-" else sql
    with app.output.stderr.status("reading"):
        answer = tables.query(app.session, app.deployment, text, limit)
    app.output.result(answer.to_json(), table(*answer.columns, rows=answer.rows))
    if answer.more:
        app.output.note(f"more rows than {limit}; see more with --limit, or aggregate")
