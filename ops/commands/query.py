"""The command `query`: SQL on the tables."""

import sys
from typing import Annotated

import typer

from ops.commands.context import app_of
from ops.output import table


def query(
    context: typer.Context,
    sql: Annotated[str, typer.Argument(help="A SELECT in DuckDB's dialect; - reads it from standard input.")],
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of rows.")] = 100,
) -> None:
    """Query the tables with SQL: yellow_trips, green_trips, fhv_trips, fhvhv_trips, quarantined_trips,
    taxi_zones, and the view current_zones, which has one row per zone."""
    from ops import tables  # noqa: PLC0415 - PyIceberg is slow to import, and only needed here

    app = app_of(context)
    text = sys.stdin.read() if sql == "-" else sql
    with app.output.stderr.status("querying"):
        answer = tables.query(app.session, app.deployment, text, limit)
    app.output.result(answer.to_json(), table(*answer.columns, rows=answer.rows))
    if answer.more:
        app.output.note(f"there are more than {limit} rows; raise --limit, or aggregate in the query")
