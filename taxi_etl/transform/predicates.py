"""Row-level quarantine rules, one function each.

A predicate is a SQL condition over the columns of the step `typed`: the table's columns, the present values
under `read_…`, those of sources with an unreadable type under `other_…`, and the file's `_pickup_from` and
`_pickup_until`. It is None if the file lacks the columns. A condition that evaluates to null counts as false.
Negative fares, missing passenger counts, zones 264 and 265,
zero distances and duplicate rows occur in real trips, so no rule covers them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Self

from taxi_etl.datasets import DROPOFF, PICKUP
from taxi_etl.recognition import FIRST_YEAR
from taxi_etl.schema import (
    READABLE,
    TEXTS,
    WITHOUT_VALUES,
    Column,
    ColumnMatches,
    ColumnType,
    Dataset,
    SourceColumn,
    SourceType,
    common_source,
    match_columns,
)
from taxi_etl.transform.expressions import can_fail, is_null_token, trimmed, unique_name

ROW = "_row"
"""The column that holds all values of a row as read, as a struct: engines pass it on as one value."""
RAW_NAME_MAX = 40
"""Characters of a source column's name in a generated name."""
FARTHEST_MILES = 1000
LAST_ZONE = 265
PICKUP_MONTH = f"100 * year({PICKUP}) + month({PICKUP})"
"""The SQL of a pickup's month as the number that `recognition.month_number` gives a file's month."""


class Reason(StrEnum):
    """Stable reasons why a row is in quarantine."""

    UNPARSEABLE = "unparseable"
    MISSING_DATETIME = "missing_datetime"
    NEGATIVE_DURATION = "negative_duration"
    PICKUP_OUT_OF_RANGE = "pickup_out_of_range"
    DROPOFF_OUT_OF_RANGE = "dropoff_out_of_range"
    IMPLAUSIBLE_DISTANCE = "implausible_distance"
    UNKNOWN_LOCATION = "unknown_location"
    WRONG_FIELD_COUNT = "wrong_field_count"


@dataclass(frozen=True)
class FileSchema:
    """The columns of a file, matched to those of its dataset."""

    dataset: Dataset
    columns: tuple[SourceColumn, ...]
    matches: ColumnMatches

    @classmethod
    def of(cls, dataset: Dataset, columns: Sequence[SourceColumn]) -> Self:
        """The schema of a file of that dataset with these columns."""
        return cls(dataset, tuple(columns), match_columns(dataset, columns))

    @property
    def is_text(self) -> bool:
        """Whether the columns are those of a CSV file."""
        return any(column.type is SourceType.TEXT for column in self.columns)

    def matched_columns(self) -> list[tuple[Column, SourceType]]:
        """The typed columns that the file has a source for, each with the type in which it is read."""
        sources = self.matches.sources
        return [
            (column, self.source(column).type) for column in self.dataset.columns if column.name in sources
        ]

    def source(self, column: Column) -> SourceColumn:
        """The form in which the values of a typed column are read, whichever source they come from."""
        return common_source(column.type, self.readable(column))

    def readable(self, column: Column) -> list[SourceColumn]:
        """The sources of a typed column whose values its type can hold, the preferred one first."""
        sources = self.matches.sources[column.name]
        return [each for each in sources if each.type in READABLE[column.type]] or [sources[0]]

    def unreadable(self, column: Column) -> list[SourceColumn]:
        """The sources of a typed column whose values do not fit its type, but have a text form."""
        held = self.readable(column)
        return [
            each
            for each in self.matches.sources[column.name]
            if each not in held and each.type not in WITHOUT_VALUES
        ]

    @cached_property
    def raw(self) -> Mapping[SourceColumn, str]:
        """The SQL of each source column as read, e.g. `_row.raw_trip_distance`.

        A further column of the same name gets a number. A column without values has nothing to keep.
        """
        taken: set[str] = set()
        return {
            column: f"{ROW}.{unique_name(f'raw_{_plain(column.name)}', taken)}"
            for column in self.columns
            if column.type not in WITHOUT_VALUES
        }

    def converted_as_read(self, column: Column) -> bool:
        """Whether the conversion of a typed column needs no other form of its values than the file's."""
        sources = self.matches.sources[column.name]
        return (
            len(sources) == 1
            and sources[0].type in TEXTS
            and column.type is not ColumnType.STRING
            and not (column.codes or column.padded or column.lenient)
        )

    def value(self, column: Column) -> str:
        """The SQL of the value that is converted; a text as read may have surrounding blanks."""
        if self.converted_as_read(column):
            return self.raw[self.matches.sources[column.name][0]]
        return f"read_{column.name}"

    def text(self, column: Column) -> str:
        """The SQL of a typed column's text without surrounding blanks."""
        value = self.value(column)
        return trimmed(value) if self.converted_as_read(column) else value

    def has(self, column: str) -> bool:
        """Whether the file has a source for a typed column."""
        return column in self.matches.sources


def unparseable(schema: FileSchema) -> str | None:
    """A value that its column's type cannot hold, unless the column is lenient.

    Texts that mean null are tested only in rows that have such a value. A source of another type counts where
    the readable ones have no value.
    """
    checked = [
        (column, source in TEXTS)
        for column, source in schema.matched_columns()
        if column.type is not ColumnType.STRING and can_fail(column, source) and not column.lenient
    ]
    conditions = [_unread(schema, column) for column, is_text in checked if not is_text]
    conditions += [
        f"other_{column.name} IS NOT NULL AND read_{column.name} IS NULL"
        for column, _ in schema.matched_columns()
        if schema.unreadable(column)
    ]
    texts = [column for column, is_text in checked if is_text]
    if texts:
        unread = ", ".join(f"CASE WHEN {each.name} IS NULL THEN {schema.text(each)} END" for each in texts)
        given = f"size(filter(array({unread}), value -> NOT {is_null_token('value', or_blank=True)})) > 0"
        conditions.append(f"({_any(_unread(schema, each) for each in texts)}) AND {given}")
    return _any(conditions)


def missing_datetime(schema: FileSchema) -> str | None:
    """No pickup time, or no dropoff time in a dataset that requires one."""
    needed = {PICKUP, DROPOFF} if schema.dataset.dropoff_required else {PICKUP}
    conditions = []
    for column, source in schema.matched_columns():
        if column.name in needed:
            conditions.append(f"{schema.value(column)} IS NULL")
            if source in TEXTS:
                is_null = is_null_token(schema.text(column), or_blank=True)
                conditions.append(f"{column.name} IS NULL AND {is_null}")
    return _any(conditions)


def negative_duration(schema: FileSchema) -> str | None:
    """Dropoff before pickup (TLC files of 2025 hold hundreds, nearly all of one vendor)."""
    return f"{DROPOFF} < {PICKUP}" if schema.has(DROPOFF) else None


def pickup_out_of_range(schema: FileSchema) -> str | None:
    """A pickup outside `pickup_range`."""
    return f"{PICKUP} < _pickup_from OR {PICKUP} >= _pickup_until" if schema.has(PICKUP) else None


def dropoff_out_of_range(schema: FileSchema) -> str | None:
    """A dropoff after the range, of a pickup within it; the TLC's trips take up to 30 hours.

    A dropoff before the range is before its pickup, or its pickup is out of range.
    """
    has_both = schema.has(PICKUP) and schema.has(DROPOFF)
    return f"{DROPOFF} >= _pickup_until AND {PICKUP} < _pickup_until" if has_both else None


def implausible_distance(schema: FileSchema) -> str | None:
    """A distance below zero or beyond any drive; more than 100 miles occur in every month."""
    distances = [column for column in schema.dataset.distances if schema.has(column)]
    return _any(f"{column} < 0 OR {column} > {FARTHEST_MILES}" for column in distances)


def unknown_location(schema: FileSchema) -> str | None:
    """A zone that the TLC's zone table lacks; 264 (unknown) and 265 (outside the city) are in it."""
    zones = [column for column in schema.dataset.zones if schema.has(column)]
    return _any(f"{column} NOT BETWEEN 1 AND {LAST_ZONE}" for column in zones)


PREDICATES: Mapping[Reason, Callable[[FileSchema], str | None]] = {
    Reason.UNPARSEABLE: unparseable,
    Reason.MISSING_DATETIME: missing_datetime,
    Reason.NEGATIVE_DURATION: negative_duration,
    Reason.PICKUP_OUT_OF_RANGE: pickup_out_of_range,
    Reason.DROPOFF_OUT_OF_RANGE: dropoff_out_of_range,
    Reason.IMPLAUSIBLE_DISTANCE: implausible_distance,
    Reason.UNKNOWN_LOCATION: unknown_location,
}


def pickup_range(month: tuple[int, int] | None, now: datetime) -> tuple[datetime, datetime]:
    """The valid range of pickups, start inclusive and end exclusive, as wall-clock times.

    It extends a year around the month in the file's name. Without a month, it is FIRST_YEAR to a day after
    `now`.
    """
    if month is None:
        return datetime(FIRST_YEAR, 1, 1), now.replace(tzinfo=None) + timedelta(days=1)
    year, number = month
    return datetime(year - 1, number, 1), datetime(year + 1 + number // 12, number % 12 + 1, 1)


def _unread(schema: FileSchema, column: Column) -> str:
    return f"{schema.value(column)} IS NOT NULL AND {column.name} IS NULL"


def _plain(name: str) -> str:
    """A column's name in letters, digits and underscores, shortened to RAW_NAME_MAX."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:RAW_NAME_MAX] or "column"


def _any(conditions: Iterable[str]) -> str | None:
    return " OR ".join(conditions) or None
