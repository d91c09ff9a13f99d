"""Finds printed numbers and times that Spark would print differently.

`extra_columns` and `row_as_read` hold values as text. Both engines print a double in the same way if it is
whole and below 9e15, or has few digits and is in [1e-3, 1e7); others have the form `1.0E7` in Java. Dates are
printed in the same way in the years 1900 to 9999: Spark shifts older ones in files of old Spark versions, and
prints years before 1 differently. So are times of day that are within a day and have no offset.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from duckdb_engine.messages import NotLoadable, Task
from duckdb_engine.sql import rows_in, text
from taxi_etl.datasets import DATASETS
from taxi_etl.schema import TIMES, ColumnType, SourceColumn, SourceType, match_columns
from taxi_etl.transform.expressions import DOUBLE_DIGITS
from taxi_etl.transform.sources import source_columns

FRACTIONS = frozenset({SourceType.DOUBLE, SourceType.DECIMAL})
DATES = TIMES | {SourceType.DATE, SourceType.INSTANT}
CLOCK_TIMES = frozenset({SourceType.TIME})
NUMBER_CHARACTERS_MAX = DOUBLE_DIGITS + 2
"""Maximum length of a printed number: its digits, the point and a sign."""
ALIKE_NUMBERS = (
    "(regexp_full_match({0}, '-?([0-9]{{1,15}}|[1-8][0-9]{{15}})([.]0)?|NaN|-?Infinity') OR "
    f"length({{0}}) <= {NUMBER_CHARACTERS_MAX} AND regexp_full_match({{0}}, '-?[0-9]{{{{1,7}}}}[.][0-9]+') "
    "AND NOT regexp_matches({0}, '^-?0[.]000'))"
)
ALIKE_TIMES = (
    "regexp_full_match({0}, '(19|[2-9][0-9])[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}( [0-9:.]+([+]00:00)?)?')"
)
ALIKE_CLOCK_TIMES = "regexp_full_match({0}, '([01][0-9]|2[0-3]):[0-9]{{2}}:[0-9]{{2}}([.][0-9]+)?')"


def refuse_unlike_types(task: Task) -> None:
    """Raise NotLoadable for columns whose values may differ from Spark's wherever they appear."""
    if any(
        column.type is SourceType.DECIMAL and column.precision > DOUBLE_DIGITS
        for column in task.layout.columns
    ):
        raise NotLoadable(f"a column has decimals of more than {DOUBLE_DIGITS} digits")


def refuse_unlike_texts(
    database: duckdb.DuckDBPyConnection,
    task: Task,
    trips: Sequence[Path],
    quarantine: Sequence[Path],
) -> None:
    """Raise NotLoadable if a printed value in these data files may differ from Spark's."""
    columns = source_columns(task.layout.columns)
    listed = {
        ALIKE_NUMBERS: _names(columns, FRACTIONS),
        ALIKE_TIMES: _names(columns, DATES),
        ALIKE_CLOCK_TIMES: _names(columns, CLOCK_TIMES),
    }
    unlike = " OR ".join(
        f"name IN ({', '.join(names)}) AND NOT {alike.format('value')}"
        for alike, names in listed.items()
        if names
    )
    if not unlike:
        return
    for name in _printed_columns(task) if trips else ():
        query = f"SELECT '{name}' AS name, {name} AS value FROM {rows_in(trips)}"  # noqa: S608 (own names)
        _refuse_any(database, query, f"NOT {ALIKE_NUMBERS.format('value')}")
    for paths, printed in ((trips, "extra_columns"), (quarantine, "row_as_read")):
        if paths:
            entries = (
                f"SELECT unnest(map_entries({printed})) AS entry FROM {rows_in(paths)} "  # noqa: S608 (own paths)
                f"WHERE cardinality({printed}) > 0"
            )
            _refuse_any(database, f"SELECT entry.key AS name, entry.value FROM ({entries})", unlike)  # noqa: S608


def _printed_columns(task: Task) -> list[str]:
    """The table's text columns that the file has as numbers with fractions."""
    dataset = DATASETS[task.layout.dataset]
    sources = match_columns(dataset, task.layout.columns).sources
    return [
        column.name
        for column in dataset.columns
        if column.type is ColumnType.STRING
        and any(source.type in FRACTIONS for source in sources.get(column.name, ()))
    ]


def _refuse_any(database: duckdb.DuckDBPyConnection, values: str, condition: str) -> None:
    """Raise NotLoadable for a name and a value of a query that meet a condition."""
    query = f"SELECT name, value FROM ({values}) WHERE {condition} LIMIT 1"  # noqa: S608 (generated)
    for name, value in database.execute(query).fetchall():
        raise NotLoadable(f"the engines may print {value!r} of column {name!r} differently")


def _names(columns: Iterable[SourceColumn], types: frozenset[SourceType]) -> list[str]:
    """The names of columns of these types, as literals of DuckDB."""
    return [text(column.name) for column in columns if column.type in types]
