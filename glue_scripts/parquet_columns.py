"""Types and SQL expressions by which Spark reads the columns of Parquet files."""

from taxi_etl.schema import WITHOUT_VALUES, SourceColumn, SourceType
from taxi_etl.text_values import CONTROL_CHARACTERS
from taxi_etl.transform.expressions import name

SPARK_TYPES = {
    SourceType.STRING: "string",
    SourceType.INTEGER: "bigint",
    SourceType.DOUBLE: "double",
    SourceType.TIMESTAMP: "timestamp_ntz",
    # Spark has no type for nanoseconds; with `nanosAsLong` it reads the plain number.
    SourceType.NANOSECONDS: "bigint",
    SourceType.UTC_NANOSECONDS: "bigint",
    SourceType.NEW_YORK_NANOSECONDS: "bigint",
    SourceType.DATE: "date",
    SourceType.BOOLEAN: "boolean",
    SourceType.UNSIGNED: "decimal(20,0)",
    SourceType.BYTES: "binary",
    SourceType.UUID: "binary",
    SourceType.INSTANT: "timestamp",
    SourceType.UTC_INSTANT: "timestamp",
    SourceType.NEW_YORK_INSTANT: "timestamp",
    SourceType.TIME: "bigint",
    SourceType.DURATION: "bigint",
}
NANOSECONDS = frozenset({SourceType.NANOSECONDS, SourceType.UTC_NANOSECONDS, SourceType.NEW_YORK_NANOSECONDS})
UNITS = {"ms": "MILLISECOND", "us": "MICROSECOND"}
"""Spark's names of the units of times of day."""
EPOCH = "TIMESTAMP_NTZ '1970-01-01 00:00:00'"


def spark_type(column: SourceColumn) -> str:
    """The type by which Spark reads a column."""
    if column.type is SourceType.DECIMAL:
        return column.type_name
    return "bigint" if _counts_nanoseconds(column) else SPARK_TYPES[column.type]


def value_of(column: SourceColumn) -> str:
    """A column as the transform expects it; nanoseconds are truncated to microseconds.

    Bytes are text if they are valid UTF-8 without control characters, otherwise hexadecimal digits behind
    `0x`. A duration is a number and its unit, a time of day `HH:MM:SS` with a fraction where it has one.
    """
    value = name(column.name)
    if column.type in WITHOUT_VALUES:
        return "CAST(NULL AS string)"
    if _counts_nanoseconds(column):
        time = f"timestampadd(MICROSECOND, ({value} - pmod({value}, 1000)) DIV 1000, {EPOCH})"
        in_new_york = column.type is SourceType.NEW_YORK_NANOSECONDS
        return f"convert_timezone('UTC', 'America/New_York', {time})" if in_new_york else time
    unit = column.unit
    text = f"try_validate_utf8(CAST({value} AS string))"
    expressions = {
        # The session's time zone is UTC.
        SourceType.INSTANT: f"CAST({value} AS timestamp_ntz)",
        SourceType.UTC_INSTANT: f"CAST({value} AS timestamp_ntz)",
        SourceType.NEW_YORK_INSTANT: (
            f"CAST(from_utc_timestamp({value}, 'America/New_York') AS timestamp_ntz)"
        ),
        SourceType.TIME: (
            f"substring(CAST(timestampadd({UNITS.get(unit)}, {value}, {EPOCH}) AS string), 12)"
        ),
        SourceType.DURATION: f"concat(CAST({value} AS string), ' {unit}')",
        SourceType.UUID: (
            f"regexp_replace(lower(hex({value})), "
            "'^(.{8})(.{4})(.{4})(.{4})(.{12})$', '$1-$2-$3-$4-$5')"
        ),
        SourceType.BYTES: (
            f"CASE WHEN NOT {text} RLIKE r'{CONTROL_CHARACTERS}' THEN {text} "
            f"ELSE concat('0x', hex({value})) END"
        ),
    }
    return expressions.get(column.type, value)


def _counts_nanoseconds(column: SourceColumn) -> bool:
    """Whether Spark reads a time as the plain number of its nanoseconds."""
    return column.type in NANOSECONDS or (column.type is SourceType.INSTANT and column.unit == "ns")
