"""What is a dataset made of? Kinds of source columns, types of table columns, columns and datasets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a source column holds, as far as reading it goes: every CSV column is `text`.

    `integer` is any whole number that fits 64 signed bits, `double` also single precision, `timestamp` one
    without a zone in at most microseconds, `nanoseconds` the finer one that pandas saves, `null` Parquet's
    column without any value. A decimal is written with its digits, as SQL spells it: `decimal(7,3)`. Of
    everything else (nested, binary, times with a zone) the Arrow type's own name stands in a column's place,
    so that people read what their file holds; `kind_family` calls it `unsupported`.
    """

    TEXT = "text"
    STRING = "string"
    INTEGER = "integer"
    DOUBLE = "double"
    DECIMAL = "decimal"
    TIMESTAMP = "timestamp"
    NANOSECONDS = "nanoseconds"
    DATE = "date"
    BOOLEAN = "boolean"
    NULL = "null"
    UNSUPPORTED = "unsupported"


TEXTS = frozenset({Kind.TEXT, Kind.STRING})


class ColumnType(StrEnum):
    """The type of a table's column, as Spark and Iceberg's DDL spell it."""

    STRING = "string"
    INTEGER = "int"
    DOUBLE = "double"
    TIMESTAMP = "timestamp_ntz"


READABLE: Mapping[ColumnType, frozenset[Kind]] = {
    ColumnType.STRING: TEXTS | {Kind.INTEGER, Kind.DOUBLE, Kind.DECIMAL, Kind.BOOLEAN, Kind.NULL},
    ColumnType.INTEGER: TEXTS | {Kind.INTEGER, Kind.DOUBLE, Kind.DECIMAL, Kind.NULL},
    ColumnType.DOUBLE: TEXTS | {Kind.INTEGER, Kind.DOUBLE, Kind.DECIMAL, Kind.NULL},
    ColumnType.TIMESTAMP: TEXTS | {Kind.TIMESTAMP, Kind.NANOSECONDS, Kind.NULL},
}
"""From which kinds of source column a table's column can be read."""

_ARROW_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("string", "large_string", "string_view"), Kind.STRING),
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"), Kind.INTEGER),
    **dict.fromkeys(("float", "double"), Kind.DOUBLE),
    **dict.fromkeys(("timestamp[s]", "timestamp[ms]", "timestamp[us]"), Kind.TIMESTAMP),
    "timestamp[ns]": Kind.NANOSECONDS,
    "date32[day]": Kind.DATE,
    "bool": Kind.BOOLEAN,
    "null": Kind.NULL,
}


_DECIMAL = re.compile(r"decimal(?:32|64|128)?\((\d+), ?(\d+)\)")


def kind_of_arrow(arrow_type: str) -> str:
    """The kind of a Parquet column whose Arrow type prints so, e.g. `large_string` or `timestamp[us]`.

    A type that is not read gives its own name: nested ones, times with a zone, `uint64`, which no table type
    holds. Nanoseconds that Parquet stores as INT96 look like any others here: see `INT96`.
    """
    if arrow_type.startswith("dictionary<values="):
        return kind_of_arrow(arrow_type.removeprefix("dictionary<values=").split(",")[0])
    digits = _DECIMAL.fullmatch(arrow_type)
    if digits:
        return f"{Kind.DECIMAL}({digits[1]},{digits[2]})"
    return str(_ARROW_KINDS.get(arrow_type, arrow_type))


INT96 = "timestamp[int96]"
"""What a reader of footers calls a column of the physical type INT96. It is not read: its writers store
instants, moved by whatever zone their session had, so the wall clock it once was is a guess."""


def kind_family(kind: str) -> Kind:
    """A kind without its digits; `unsupported` for a type that is not read."""
    name = kind.partition("(")[0] if kind.endswith(")") else kind
    return Kind(name) if name in _KINDS else Kind.UNSUPPORTED


_KINDS = frozenset(str(kind) for kind in Kind)


@dataclass(frozen=True)
class Column:
    """A typed column of a table, and how files spell it.

    `aliases` are other names in order of preference; a file's names match whatever their case and spaces.
    `codes` translate texts (lower case) into numbers. A non-empty `lenient` is the reason why a value that
    the type cannot hold does not condemn its row: it becomes null, and the value as read goes into
    `extra_columns`.
    """

    name: str
    type: ColumnType
    doc: str
    aliases: tuple[str, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)
    lenient: str = ""

    @property
    def spellings(self) -> tuple[str, ...]:
        """The normalised names by which files call this column, the preferred one first."""
        return tuple(dict.fromkeys(normalize(name) for name in (*self.aliases, self.name)))


@dataclass(frozen=True)
class Dataset:
    """One kind of trip files: the table they go to, its columns, and what a trip of it must have.

    `required` columns must be in every file; `distances` are miles, `zones` TLC taxi zone ids. Drop-off
    times may be null where `dropoff_required` is false.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    distances: tuple[str, ...] = ()
    zones: tuple[str, ...] = ("pickup_location_id", "dropoff_location_id")
    dropoff_required: bool = True

    @property
    def table(self) -> str:
        """The name of the table that holds its trips."""
        return f"{self.name}_trips"


@dataclass(frozen=True)
class ColumnMatches:
    """Which source column feeds which table column.

    `sources` maps a table column to the file's columns of that meaning, the preferred one first: further
    ones fill its gaps. `extra` are the columns without a typed home, further ones among them: nothing a
    file holds is lost.
    """

    sources: Mapping[str, tuple[str, ...]]
    extra: tuple[str, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]


def normalize(name: str) -> str:
    """A column's name without spaces and byte-order mark, in lower case: how names are compared."""
    return "".join(name.replace("\ufeff", "").split()).lower()


def match_columns(dataset: Dataset, names: Sequence[str]) -> ColumnMatches:
    """Find the home of every source column; `names` as the file spells them, each different from the
    others."""
    sources: dict[str, tuple[str, ...]] = {}
    for column in dataset.columns:
        order = {spelling: place for place, spelling in enumerate(column.spellings)}
        found = [name for name in names if normalize(name) in order]
        if found:
            sources[column.name] = tuple(sorted(found, key=lambda name: order[normalize(name)]))
    preferred = {found[0] for found in sources.values()}
    known = {name for found in sources.values() for name in found}
    return ColumnMatches(
        sources=sources,
        extra=tuple(name for name in names if name not in preferred),
        unknown=tuple(name for name in names if name not in known),
        missing=tuple(column.name for column in dataset.columns if column.name not in sources),
    )
