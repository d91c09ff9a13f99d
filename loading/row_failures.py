"""Limits and messages for files that fail because of their rows; the engine counts the rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from loading.file_load import FileLoad
from taxi_etl.coverage import month_text
from taxi_etl.datasets import DATASETS, DROPOFF, PICKUP
from taxi_etl.failures import FailureCode
from taxi_etl.first_values import unreadable_text
from taxi_etl.partitions import repeated_columns
from taxi_etl.recognition import month_of
from taxi_etl.schema import Column, SourceColumn, SourceType
from taxi_etl.transform import explanations, sources
from taxi_etl.transform.expressions import as_number, literal, typed
from taxi_etl.transform.predicates import Reason, pickup_range

OUTSIDE_SHARE_MAX = 0.05
"""The largest share of pickups outside the month in a file's name; the TLC's files have 1 in 1,000."""
OUTSIDE_ROWS_MIN = 10
"""Number of pickups outside the month that any file may have, however small it is."""
EXPLAINED_COLUMNS_MAX = 3
"""How many columns a failure's message names."""


def has_too_many_quarantined(load: FileLoad, limit: float) -> bool:
    """Whether the share of a file's quarantined rows is larger than `limit`."""
    return load.read > 0 and load.quarantined / load.read > limit


def fail_for_quarantined(load: FileLoad, limit: float, unreadable: Sequence[str]) -> None:
    """Fail a file for its quarantined rows; `unreadable` are phrases of `unreadable_phrases`."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in load.reasons.items())
    text = (
        f"{load.quarantined} of {load.read} rows failed validation ({reasons}), "
        f"more than the allowed share of {limit:g}"
    )
    hints = [hint for reason in load.reasons if (hint := _range_hint(load, reason))]
    load.fail(FailureCode.TOO_MANY_QUARANTINED, "; ".join([text, *unreadable, *hints]))


def unreadable_sql(load: FileLoad, quarantined: str) -> str:
    """The query for `unreadable_phrases`, the same for all files with these columns.

    `quarantined` is a view of the quarantined rows of one or more of them.
    """
    file = load.source.file
    return explanations.unreadable_values(file.dataset, sources.source_columns(file.all_columns), quarantined)


def unreadable_phrases(load: FileLoad, row: Sequence[Any]) -> list[str]:
    """A phrase for each of the columns with the most unreadable values.

    `row` is the file's row of `unreadable_sql`: its source, then a number and an example for each column.
    """
    file = load.source.file
    checked = explanations.checked_columns(file.dataset, sources.source_columns(file.all_columns))
    found = sorted(zip(row[1::2], row[2::2], checked, strict=True), key=lambda each: -int(each[0]))
    return [
        unreadable_text(each.source, int(unread), load.read, each.column.type, str(example))
        for unread, example, each in found[:EXPLAINED_COLUMNS_MAX]
        if unread
    ]


def has_too_many_outside(load: FileLoad, outside: int) -> bool:
    """Whether a file fails with this number of pickups outside the month in its name."""
    return outside > max(OUTSIDE_ROWS_MIN, OUTSIDE_SHARE_MAX * load.written)


def fail_for_month(load: FileLoad, outside: int, most: tuple[int, int] | None) -> None:
    """Fail a file because `outside` of its pickups are outside the month in its name.

    `most` is the other month with the most pickups, such as 202402, and the number of these pickups.
    """
    month = month_text(divmod(load.source.file.month or 0, 100))
    in_one = f"{most[1]:,} are in {month_text(divmod(most[0], 100))}; " if most else ""
    load.fail(
        FailureCode.WRONG_MONTH,
        f"{outside:,} of {load.written:,} pickups are outside {month}, the month in the file name; "
        f"{in_one}rename the file, or upload it again if it is damaged",
    )


def repeated_values(load: FileLoad) -> list[tuple[Column, str | None]]:
    """The table columns that the file and a folder of its key both have, and the values in the key."""
    file = load.source.file
    repeated = repeated_columns(load.version.key, DATASETS[file.dataset], file.columns)
    return [
        (column, repeated[column.name])
        for column in DATASETS[file.dataset].columns
        if column.name in repeated
    ]


def differs(column: Column, value: str | None) -> str:
    """The SQL condition for rows with a different value; rows without a value do not match it."""
    if value is None:
        return f"{column.name} IS NOT NULL"
    text, source = literal(value), SourceColumn(column.name, SourceType.TEXT)
    number = f"({as_number(text, source.type)})"
    return f"{column.name} <> {typed(column, source, text, number)}"


def fail_for_key_value(load: FileLoad, column: Column, value: str | None, count: int) -> None:
    """Fail a file because `count` of its rows contradict the value in a folder of its key."""
    load.fail(
        FailureCode.CONTRADICTING_KEY,
        f"{count:,} of {load.written:,} rows have a {column.name} other than "
        f"{value!r}, the value in a folder of the key; move the file",
    )


def _range_hint(load: FileLoad, reason: str) -> str:
    """The explanation of a rule's range, if it depends on the file's name."""
    month = month_of(load.version.key)
    if month is None or reason not in (Reason.PICKUP_OUT_OF_RANGE, Reason.DROPOFF_OUT_OF_RANGE):
        return ""
    earliest, latest = pickup_range(month, datetime.now().astimezone())
    what = PICKUP if reason == Reason.PICKUP_OUT_OF_RANGE else DROPOFF
    return (
        f"{what} must be from {earliest:%Y-%m-%d} until {latest:%Y-%m-%d} "
        f"for the month {month_text(month)} in the file name"
    )
