"""Columns of files and tables, datasets, and how the columns of a file match those of its dataset."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Self


class SourceType(StrEnum):
    """The type of a source column, as the readers distinguish it; every CSV column is `text`.

    `integer` is any whole number that fits 64 signed bits, `unsigned` one of 64 bits without a sign, `double`
    includes single precision. `timestamp` is a wall clock in at most microseconds, `nanoseconds` the finer
    one that pandas saves, `instant` a time with a zone; `utc_instant` and `new_york_instant` are instants
    that a setting allows to be read as the wall clock of UTC or of New York, `utc_nanoseconds` and
    `new_york_nanoseconds` the finer ones that pandas saves. `bytes` is text without
    Parquet's mark for UTF-8, or anything else: see `glue_scripts.parquet_columns`. `null` is Parquet's column
    without any value. `unsupported` is everything without an exact text form, such as nested values.
    """

    TEXT = "text"
    STRING = "string"
    INTEGER = "integer"
    DOUBLE = "double"
    DECIMAL = "decimal"
    TIMESTAMP = "timestamp"
    NANOSECONDS = "nanoseconds"
    UTC_INSTANT = "utc_instant"
    NEW_YORK_INSTANT = "new_york_instant"
    UTC_NANOSECONDS = "utc_nanoseconds"
    NEW_YORK_NANOSECONDS = "new_york_nanoseconds"
    DATE = "date"
    BOOLEAN = "boolean"
    UNSIGNED = "unsigned"
    BYTES = "bytes"
    UUID = "uuid"
    INSTANT = "instant"
    TIME = "time"
    DURATION = "duration"
    NULL = "null"
    UNSUPPORTED = "unsupported"


class Instants(StrEnum):
    """How Parquet's instants (INT96, or adjusted to UTC) are read; their wall clock is unknown."""

    REJECT = "reject"
    UTC_IS_WALL_CLOCK = "utc_is_wall_clock"
    TO_NEW_YORK = "to_new_york"


class DateOrder(StrEnum):
    """The order of year, month and day in the texts of a column."""

    YMD = "ymd"
    MDY = "mdy"
    DMY = "dmy"


TEXTS = frozenset({SourceType.TEXT, SourceType.STRING, SourceType.BYTES})
NUMBERS = frozenset({SourceType.INTEGER, SourceType.DOUBLE, SourceType.DECIMAL, SourceType.UNSIGNED})
INSTANTS = frozenset(
    {
        SourceType.UTC_INSTANT,
        SourceType.NEW_YORK_INSTANT,
        SourceType.UTC_NANOSECONDS,
        SourceType.NEW_YORK_NANOSECONDS,
    }
)
TIMES = INSTANTS | {SourceType.TIMESTAMP, SourceType.NANOSECONDS}
WITHOUT_VALUES = frozenset({SourceType.NULL, SourceType.UNSUPPORTED})
"""The types of columns that hold nothing, or nothing that can be kept."""
INT96 = "timestamp[int96]"
"""The Arrow type that footer readers report for the physical type INT96. Its writers store instants, shifted
by the time zone of their session, so the original wall clock is unknown."""

_TYPE_OF_ARROW: Mapping[str, SourceType] = {
    **dict.fromkeys(("string", "large_string", "string_view"), SourceType.STRING),
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"), SourceType.INTEGER),
    **dict.fromkeys(("float", "double"), SourceType.DOUBLE),
    **dict.fromkeys(("timestamp[s]", "timestamp[ms]", "timestamp[us]"), SourceType.TIMESTAMP),
    "timestamp[ns]": SourceType.NANOSECONDS,
    "date32[day]": SourceType.DATE,
    "bool": SourceType.BOOLEAN,
    "null": SourceType.NULL,
    "uint64": SourceType.UNSIGNED,
    **dict.fromkeys(("binary", "large_binary", "binary_view"), SourceType.BYTES),
    "extension<arrow.uuid>": SourceType.UUID,
    "extension<arrow.json>": SourceType.STRING,
    "extension<arrow.bool8>": SourceType.INTEGER,
}
_ARROW_INSTANT = re.compile(r"timestamp\[(s|ms|us|ns), tz=.+\]")
_TYPE_OF_INSTANTS = {
    Instants.UTC_IS_WALL_CLOCK: SourceType.UTC_INSTANT,
    Instants.TO_NEW_YORK: SourceType.NEW_YORK_INSTANT,
}
_TYPE_OF_NANOSECOND_INSTANTS = {
    Instants.UTC_IS_WALL_CLOCK: SourceType.UTC_NANOSECONDS,
    Instants.TO_NEW_YORK: SourceType.NEW_YORK_NANOSECONDS,
}
_ARROW_PATTERNS = (
    (re.compile(r"fixed_size_binary\[\d+\]"), SourceType.BYTES),
    (re.compile(r"timestamp\[\w+, tz=.*\]"), SourceType.INSTANT),
    (re.compile(re.escape(INT96)), SourceType.INSTANT),
    # Parquet has no time of day in seconds; one in nanoseconds is finer than what Spark can print.
    (re.compile(r"time32\[ms\]|time64\[us\]"), SourceType.TIME),
    (re.compile(r"duration\[(?:s|ms|us|ns)\]"), SourceType.DURATION),
)
_ARROW_DICTIONARY = re.compile(r"dictionary<values=(.+), indices=.*>")
_ARROW_DECIMAL = re.compile(r"decimal(?:32|64|128)?\((\d+), ?(\d+)\)")
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_TYPE_OF_NAME = {str(each): each for each in SourceType}


@dataclass(frozen=True)
class SourceColumn:
    """A column of a file: its name as the file spells it, and its type.

    `precision` and `scale` describe a decimal, `arrow_type` is the printed Arrow type of a column whose
    source type does not say all, such as its unit. `date_order` applies to texts that hold times, `decimal`
    is the decimal separator of texts that hold numbers.
    """

    name: str
    type: SourceType
    precision: int = 0
    scale: int = 0
    arrow_type: str = ""
    date_order: DateOrder = DateOrder.YMD
    decimal: str = "."

    @classmethod
    def of_arrow(cls, name: str, arrow_type: str) -> Self:
        """The Parquet column whose Arrow type prints so, e.g. `large_string` or `timestamp[us]`.

        INT96 looks like any other nanoseconds in Arrow: see `INT96`.
        """
        dictionary = _ARROW_DICTIONARY.fullmatch(arrow_type)
        if dictionary:
            return cls.of_arrow(name, dictionary[1])
        digits = _ARROW_DECIMAL.fullmatch(arrow_type)
        if digits:
            return cls(name, SourceType.DECIMAL, int(digits[1]), int(digits[2]))
        known = _TYPE_OF_ARROW.get(arrow_type)
        if known:
            return cls(name, known)
        found = (source for pattern, source in _ARROW_PATTERNS if pattern.fullmatch(arrow_type))
        return cls(name, next(found, SourceType.UNSUPPORTED), arrow_type=arrow_type)

    @property
    def holds_instants(self) -> bool:
        """Whether the values are instants, which are supported only if a setting defines how to read them."""
        return self.arrow_type == INT96 or bool(_ARROW_INSTANT.fullmatch(self.arrow_type))

    @property
    def type_name(self) -> str:
        """The type as people and manifests spell it, e.g. `decimal(7,3)`."""
        if self.type is SourceType.DECIMAL:
            return f"{self.type}({self.precision},{self.scale})"
        return self.arrow_type or str(self.type)

    @property
    def unit(self) -> str:
        """The unit of the Arrow type, such as `us` of `duration[us]`; empty without one."""
        found = re.search(r"\[(\w+)", self.arrow_type)
        return found[1] if found else ""

    def has_form_of(self, other: Self) -> bool:
        """Whether the values of two columns are read alike."""
        return self._form() == other._form()

    def _form(self) -> tuple[object, ...]:
        return self.type, self.precision, self.scale, self.date_order, self.decimal

    def to_json(self) -> list[str]:
        """The manifest's entry: name and type, then date order and decimal separator unless usual."""
        usual = (DateOrder.YMD, ".")
        written = (self.date_order, self.decimal)
        return [self.name, self.type_name, *([] if written == usual else map(str, written))]

    @classmethod
    def from_json(cls, entry: Sequence[str]) -> Self:
        """The column that `to_json` wrote."""
        name, type_name, *written = entry
        if written:
            order, decimal = written
            return cls(name, _TYPE_OF_NAME[type_name], date_order=DateOrder(order), decimal=decimal)
        digits = _DECIMAL.fullmatch(type_name)
        if digits:
            return cls(name, SourceType.DECIMAL, int(digits[1]), int(digits[2]))
        known = _TYPE_OF_NAME.get(type_name)
        return cls(name, known) if known else cls.of_arrow(name, type_name)


def text_columns(header: Iterable[str]) -> tuple[SourceColumn, ...]:
    """The columns of a CSV file with these names in its header."""
    return tuple(SourceColumn(name, SourceType.TEXT) for name in header)


def with_instants(columns: Sequence[SourceColumn], instants: Instants) -> tuple[SourceColumn, ...]:
    """The columns of a Parquet file, with instants as the setting allows to read them."""
    if instants is Instants.REJECT:
        return tuple(columns)
    return tuple(_wall_clock(column, instants) if column.holds_instants else column for column in columns)


def _wall_clock(column: SourceColumn, instants: Instants) -> SourceColumn:
    """A column of instants as one of wall-clock times."""
    finer = column.arrow_type.startswith("timestamp[ns,")
    kinds = _TYPE_OF_NANOSECOND_INSTANTS if finer else _TYPE_OF_INSTANTS
    return SourceColumn(column.name, kinds[instants])


class ColumnType(StrEnum):
    """The type of a table's column, as Spark and Iceberg's DDL spell it."""

    STRING = "string"
    INTEGER = "int"
    DOUBLE = "double"
    TIMESTAMP = "timestamp_ntz"


READABLE: Mapping[ColumnType, frozenset[SourceType]] = {
    ColumnType.STRING: TEXTS | NUMBERS | {SourceType.BOOLEAN, SourceType.NULL},
    ColumnType.INTEGER: TEXTS | NUMBERS | {SourceType.NULL},
    ColumnType.DOUBLE: TEXTS | NUMBERS | {SourceType.NULL},
    ColumnType.TIMESTAMP: TEXTS | TIMES | {SourceType.NULL},
}
"""The source types from which a table's column can be read."""


@dataclass(frozen=True)
class Column:
    """A typed column of a table, and how files spell it.

    `aliases` are the TLC's other names in order of preference; several of them may feed the column.
    `synonyms` are names in copies made by other tools; the first one counts, if the file has no other source.
    Names are compared by `comparable`.

    Columns with `keeps_null_tokens` keep null tokens such as `N/A` as text; in all others, these are null.
    `codes` translate texts (lower case) into numbers. `padded` translates texts whose trailing spaces set
    them apart from a null token. A non-empty `lenient` is the reason why a value of the wrong type does not
    quarantine its row: it becomes null, and the value as read goes into `extra_columns`.
    """

    name: str
    type: ColumnType
    doc: str
    aliases: tuple[str, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)
    lenient: str = ""
    padded: Mapping[str, str] = field(default_factory=dict)
    synonyms: tuple[str, ...] = ()
    keeps_null_tokens: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All names by which files call this column."""
        return (*self.aliases, self.name, *self.synonyms)

    def sources_in(self, columns: Sequence[SourceColumn]) -> tuple[SourceColumn, ...]:
        """The columns of a file that feed this one, the preferred one first, those without values last."""
        found = _named(columns, (*self.aliases, self.name)) or _named(columns, self.synonyms)[:1]
        return tuple(sorted(found, key=lambda column: column.type in WITHOUT_VALUES))


@dataclass(frozen=True)
class Dataset:
    """One kind of files: its table, the columns of that table, and those that a file must have.

    `required` columns must be in every file; `distances` are miles, `fares` dollars, `zones` TLC taxi zone
    ids. Dropoff times may be null where `dropoff_required` is false. If `has_trips` is false, the rows are
    not trips: rules for pickups do not apply, and a month in a file's name has no meaning.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    distances: tuple[str, ...] = ()
    fares: tuple[str, ...] = ()
    zones: tuple[str, ...] = ("pickup_location_id", "dropoff_location_id")
    dropoff_required: bool = True
    has_trips: bool = True

    @property
    def table(self) -> str:
        """The name of the table that holds its rows."""
        return f"{self.name}_trips" if self.has_trips else f"taxi_{self.name}"


@dataclass(frozen=True)
class ColumnMatches:
    """Which columns of a file feed which columns of its dataset's table.

    `sources` maps a table column to the file's columns of that meaning, the preferred one first; the others
    fill its gaps. `extra` are all columns that are not preferred, so that nothing a file holds is lost;
    `unknown` are those that the dataset does not use, `missing` the table columns without a source.
    """

    sources: Mapping[str, tuple[SourceColumn, ...]]
    extra: tuple[SourceColumn, ...]
    unknown: tuple[SourceColumn, ...]
    missing: tuple[str, ...]


@lru_cache(maxsize=4096)
def comparable(name: str) -> str:
    """A column's name in lower case, without spaces and punctuation: how names are compared."""
    return "".join(letter for letter in name if letter.isalnum()).lower()


def normalize(name: str) -> str:
    """A column's name without spaces and byte-order mark, in lower case: how tables list seen columns."""
    return "".join(name.replace("\ufeff", "").split()).lower()


def match_columns(dataset: Dataset, columns: Sequence[SourceColumn]) -> ColumnMatches:
    """Match a file's columns, whose names are unique, to the dataset's."""
    sources: dict[str, tuple[SourceColumn, ...]] = {}
    for column in dataset.columns:
        found = column.sources_in(columns)
        if found:
            sources[column.name] = found
    preferred = {found[0].name for found in sources.values()}
    known = {each.name for found in sources.values() for each in found}
    return ColumnMatches(
        sources=sources,
        extra=tuple(each for each in columns if each.name not in preferred),
        unknown=tuple(each for each in columns if each.name not in known),
        missing=tuple(column.name for column in dataset.columns if column.name not in sources),
    )


def common_source(kind: ColumnType, sources: Sequence[SourceColumn]) -> SourceColumn:
    """The form in which the values of several columns that feed one are read: the preferred one's if all are
    alike.

    `sources` are readable as `kind`, which holds their values as exactly in the common form: numbers of
    several types are read as doubles, times of several units as timestamps, everything else as texts.
    """
    preferred = sources[0]
    valued = [source for source in sources if source.type not in WITHOUT_VALUES]
    if all(source.has_form_of(preferred) for source in valued):
        return preferred
    types = {source.type for source in valued}
    if types <= NUMBERS and kind is not ColumnType.STRING:
        return SourceColumn(preferred.name, SourceType.DOUBLE)
    if types <= TIMES:
        return SourceColumn(preferred.name, SourceType.TIMESTAMP)
    return SourceColumn(preferred.name, SourceType.STRING, decimal=preferred.decimal)


def _named(columns: Sequence[SourceColumn], names: Iterable[str]) -> list[SourceColumn]:
    """The columns with one of these names, in the order of the names."""
    order = {name: place for place, name in reversed(list(enumerate(map(comparable, names))))}
    found = [column for column in columns if comparable(column.name) in order]
    return sorted(found, key=lambda column: order[comparable(column.name)])
