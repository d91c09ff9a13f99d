"""Counts the rows of data files that were just written, by source."""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from duckdb_engine.messages import Task, WrittenFile
from duckdb_engine.sql import rows_in, translated_expression
from taxi_etl.datasets import DATASETS
from taxi_etl.transform.predicates import PICKUP_MONTH, Reason
from taxi_etl.unusual_values import counted_rows, day_totals

Written = Mapping[str, WrittenFile]
"""The data files of a table by source."""


def count_reasons(database: duckdb.DuckDBPyConnection, quarantine: Written) -> dict[str, dict[str, int]]:
    """The quarantined rows of each source by reason, in the order of `Reason`."""
    if not quarantine:
        return {}
    query = (
        "SELECT source_id, unnest(reasons), count(*) "  # noqa: S608 (own paths)
        f"FROM {_rows(quarantine, quarantine)} GROUP BY 1, 2"
    )
    found = {(source, reason): int(rows) for source, reason, rows in database.execute(query).fetchall()}
    return {
        source: {str(reason): found[source, reason] for reason in Reason if (source, reason) in found}
        for source in quarantine
    }


def count_other_months(database: duckdb.DuckDBPyConnection, task: Task, trips: Written) -> dict[str, int]:
    """The trips of each source with a pickup outside the month in the file's name, if there are any."""
    months = _months(task, trips)
    if not months:
        return {}
    month = _by_source({source: str(number) for source, number in months.items()})
    query = (
        f"SELECT source_id, count(*) FROM {_rows(trips, months)} "  # noqa: S608 (generated)
        f"WHERE {PICKUP_MONTH} <> {month} GROUP BY source_id"
    )
    return {source: int(rows) for source, rows in database.execute(query).fetchall()}


def count_days(
    database: duckdb.DuckDBPyConnection, task: Task, trips: Written
) -> dict[str, list[tuple[Any, ...]]]:
    """The trips by day of each source with a month in its file's name."""
    months = _months(task, trips)
    if not months:
        return {}
    day, *totals = map(translated_expression, day_totals(DATASETS[task.layout.dataset]))
    counted = {source: translated_expression(counted_rows(trips[source].rows)) for source in months}
    query = (
        f"SELECT source_id, CAST({day} AS VARCHAR), {', '.join(totals)} FROM {_rows(trips, months)} "  # noqa: S608 (generated)
        f"WHERE {_by_source(counted)} GROUP BY 1, 2"
    )
    found: dict[str, list[tuple[Any, ...]]] = {}
    for source, *row in database.execute(query).fetchall():
        found.setdefault(source, []).append(tuple(row))
    return found


def _months(task: Task, trips: Written) -> dict[str, int]:
    """The month in the name of each source's file with trips."""
    return {
        file.source_id: file.entry.month
        for file in task.files
        if file.entry.month is not None and file.source_id in trips
    }


def _rows(written: Written, sources: Iterable[str]) -> str:
    """The rows of these sources, as a table of a query."""
    return rows_in(written[source].path for source in sources)


def _by_source(values: Mapping[str, str]) -> str:
    """The SQL of a value for each source; of the only source, its value."""
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    cases = " ".join(f"WHEN '{source}' THEN {value}" for source, value in values.items())
    return f"CASE source_id {cases} END"
