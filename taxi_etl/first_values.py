"""Forms of a CSV file's values, decided from its first rows.

The order of dates and the decimal separator are decided once per file, so that a value means the same in each
row. A file in which no value of a required column can be read is rejected before a job run is paid for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from taxi_etl.failures import Failure, FailureCode
from taxi_etl.schema import (
    TEXTS,
    Column,
    ColumnType,
    Dataset,
    SourceColumn,
    match_columns,
    text_columns,
)
from taxi_etl.text_values import date_orders, is_null, is_number, is_time

EXAMPLE_MAX = 40
"""Characters of a value that a message shows."""
JUDGED_ROWS_MIN = 5
"""Number of first rows that may reject a file for its width or an optional column; the job judges fewer."""
UNREADABLE_COLUMNS_MAX = 3
"""How many columns without a readable value are reported."""


def inspect_first_values(
    dataset: Dataset, columns: Sequence[SourceColumn], rows: Sequence[Sequence[str]], decimal: str = "."
) -> tuple[tuple[SourceColumn, ...], tuple[Failure, ...]]:
    """The columns of a CSV file with the forms of their values, and why the file cannot be loaded.

    `rows` are the fields of its first rows, `decimal` is its decimal separator. Rows with another number of
    fields than columns do not count, because their values may be in other columns.
    """
    width = len(columns)
    wrong_count = _wrong_field_count(rows, width)
    if wrong_count:
        return tuple(columns), (wrong_count,)
    rows = [row for row in rows if _fits(row, width)]
    places = {column.name: place for place, column in enumerate(columns)}
    sources = match_columns(dataset, columns).sources
    times = {
        source.name: _values(rows, places[source.name])
        for column in dataset.columns
        if column.type is ColumnType.TIMESTAMP
        for source in sources.get(column.name, ())
        if source.type in TEXTS
    }
    orders, problem = date_orders(times)
    if problem:
        return tuple(columns), (Failure(FailureCode.AMBIGUOUS_DATES, problem),)
    formed = tuple(
        replace(column, decimal=decimal, date_order=orders.get(column.name, column.date_order))
        if column.type in TEXTS
        else column
        for column in columns
    )
    failures = []
    for column in dataset.columns:
        [source, *_] = sources.get(column.name, [None])
        if source is None or column.lenient or column.type is ColumnType.STRING:
            continue
        form, values = formed[places[source.name]], _values(rows, places[source.name])
        in_most_rows = len(rows) >= JUDGED_ROWS_MIN and len(values) * 2 > len(rows)
        if column.name in dataset.required or in_most_rows:
            failures += _unreadable(column, form, values)
    return formed, tuple(failures[:UNREADABLE_COLUMNS_MAX])


def unreadable_folders(dataset: Dataset, values: Mapping[str, str | None]) -> tuple[Failure, ...]:
    """Return the failures of values in the key's folders that cannot be read; they are every row's values.

    `values` are those that folders supply for columns which the file lacks.
    """
    sources = match_columns(dataset, text_columns(values)).sources
    return tuple(
        Failure(
            FailureCode.UNREADABLE_VALUES,
            f"the folder {source.name}={value} is not read as a value of {column.name}; move the file",
        )
        for column in dataset.columns
        for source in sources.get(column.name, ())
        if column.type is not ColumnType.STRING
        and not column.lenient
        and (value := values[source.name]) is not None
        and not is_null(value)
        and not _is_readable(column, source, value)
    )


def _fits(row: Sequence[str], width: int) -> bool:
    return len(row) >= width and not any(value.strip() for value in row[width:])


def _wrong_field_count(rows: Sequence[Sequence[str]], width: int) -> Failure | None:
    """The failure of a file whose first rows all have the same wrong number of fields.

    Parts of records with line ends inside quotes have fewer fields, and not all the same number.
    """
    widths = {len(row) for row in rows}
    if len(rows) < JUDGED_ROWS_MIN or len(widths) != 1 or any(_fits(row, width) for row in rows):
        return None
    (fields,) = widths
    if fields * 2 <= width + 1:
        return None
    message = (
        f"the header names {width} columns, but the file's first rows have {fields} fields: "
        "write a name for each column, and quote values that contain the separator"
    )
    return Failure(FailureCode.UNREADABLE_VALUES, message)


def unreadable_text(name: str, unread: int, values: int, kind: ColumnType, example: str) -> str:
    """The sentence about a column whose values cannot be read."""
    return (
        f"{name}: {unread:,} of {values:,} values are not read as {_PLURALS[kind]}, "
        f"for example {shortened_example(example)!r}"
    )


def shortened_example(value: str) -> str:
    """A value as messages show it, shortened to EXAMPLE_MAX."""
    return value if len(value) <= EXAMPLE_MAX else f"{value[: EXAMPLE_MAX - 1]}…"


_PLURALS = {
    ColumnType.TIMESTAMP: "times",
    ColumnType.DOUBLE: "numbers",
    ColumnType.INTEGER: "whole numbers",
    ColumnType.STRING: "texts",
}


def _unreadable(column: Column, source: SourceColumn, values: Sequence[str]) -> list[Failure]:
    """The failure of a column whose first values are all unreadable."""
    if source.type not in TEXTS or not values or any(_is_readable(column, source, text) for text in values):
        return []
    message = unreadable_text(source.name, len(values), len(values), column.type, values[0])
    return [Failure(FailureCode.UNREADABLE_VALUES, f"in the file's first rows, {message}")]


def _is_readable(column: Column, source: SourceColumn, text: str) -> bool:
    if column.type is ColumnType.TIMESTAMP:
        return is_time(text, source.date_order)
    return is_number(text, source.decimal) or text.strip(" ").lower() in column.codes


def _values(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    """The non-null values of a column."""
    return [row[place] for row in rows if not is_null(row[place])]
