"""Iceberg's metadata of a data file, from the statistics that DuckDB returns.

They match those of Iceberg's Java library: counts of values, nulls and NaN, and bounds of columns that are
not nested. Bounds of strings have at most 16 characters, except those of `FULL_BOUNDS`.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pyiceberg.conversions import to_bytes
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.types import (
    DoubleType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    PrimitiveType,
    StringType,
)
from pyiceberg.utils.truncate import truncate_upper_bound_text_string

from duckdb_engine.messages import WrittenFile
from taxi_etl.tables import FULL_BOUNDS

BOUND_CHARACTERS = 16
"""Source: Iceberg, `write.metadata.metrics.default`, whose default is `truncate(16)`."""
EPOCH = datetime(1970, 1, 1)


class IncompleteStatisticsError(Exception):
    """DuckDB did not return all statistics of a data file."""


def data_file(schema: Schema, source_id: str, location: str, written: WrittenFile) -> DataFile:
    """The metadata of a data file of one source. Raises IncompleteStatisticsError."""
    sizes: dict[int, int] = {}
    values: dict[int, int] = {}
    nulls: dict[int, int] = {}
    nans: dict[int, int] = {}
    lower: dict[int, bytes] = {}
    upper: dict[int, bytes] = {}
    for field in schema.fields:
        for number, name in _leaves(field):
            sizes[number] = int(_statistics(written, name)["column_size_bytes"])
        if not isinstance(field.field_type, PrimitiveType):
            continue
        found = _statistics(written, _quoted(field.name))
        number, kind = field.field_id, field.field_type
        values[number], nulls[number] = int(found["num_values"]), int(found["null_count"])
        if isinstance(kind, DoubleType):
            nans[number] = int(found["nan_count"])
        if values[number] == nulls[number] + nans.get(number, 0):
            continue
        low, high = _bounds(field.name, kind, found)
        lower[number] = to_bytes(kind, low)
        if high is not None:
            upper[number] = to_bytes(kind, high)
    file = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record(source_id),
        record_count=written.rows,
        file_size_in_bytes=written.size,
        column_sizes=sizes,
        value_counts=values,
        null_value_counts=nulls,
        nan_value_counts=nans,
        lower_bounds=lower,
        upper_bounds=upper,
        key_metadata=None,
        split_offsets=list(written.row_groups),
        equality_ids=None,
        sort_order_id=0,
    )
    file.spec_id = 0
    return file


def _leaves(field: NestedField) -> Iterator[tuple[int, str]]:
    """The IDs of a field's Parquet columns, and their names in DuckDB's statistics."""
    kind, name = field.field_type, _quoted(field.name)
    if isinstance(kind, MapType):
        yield kind.key_id, f'{name}."key"'
        yield kind.value_id, f'{name}."value"'
    elif isinstance(kind, ListType):
        yield kind.element_id, f'{name}."element"'
    else:
        yield field.field_id, name


def _quoted(name: str) -> str:
    return f'"{name}"'


def _statistics(written: WrittenFile, name: str) -> Mapping[str, str]:
    try:
        return written.columns[name]
    except KeyError:
        raise IncompleteStatisticsError(f"DuckDB returned no statistics of {name}") from None


def _bounds(name: str, kind: PrimitiveType, found: Mapping[str, str]) -> tuple[Any, Any]:
    """The bounds as Iceberg records them; the upper one is None for a text that cannot be shortened."""
    if found.get("min_is_exact") != "true" or found.get("max_is_exact") != "true":
        # DuckDB returns no bounds for long texts.
        raise IncompleteStatisticsError(f"DuckDB returned no bounds of {name}")
    low, high = found["min"], found["max"]
    if isinstance(kind, StringType) and name in FULL_BOUNDS:
        return low, high
    if isinstance(kind, StringType):
        is_short = len(high) <= BOUND_CHARACTERS
        last = high if is_short else truncate_upper_bound_text_string(high, BOUND_CHARACTERS)
        return low[:BOUND_CHARACTERS], last
    if isinstance(kind, IntegerType | LongType):
        return int(low), int(high)
    if isinstance(kind, DoubleType):
        return float(low), float(high)
    return _micros(name, low), _micros(name, high)


def _micros(name: str, text: str) -> int:
    """Microseconds since 1970 of a time as DuckDB prints it."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise IncompleteStatisticsError(
            f"the bound {text} of {name} is outside the range of Python times"
        ) from None
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    return (time - EPOCH) // timedelta(microseconds=1)
