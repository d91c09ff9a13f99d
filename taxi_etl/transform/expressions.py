"""SQL expressions for casts and text conversions that Spark and DuckDB evaluate alike.

A plain `cast(… as int)` is not safe: engines round or truncate, and differ for `1.0`, `1d`, `1_000`, ` 1`,
`inf`, `24:00:00` and time zones. Therefore a pattern checks the text, and `try_cast` converts it.
"""

from collections.abc import Mapping, Sequence

from taxi_etl.schema import NUMBERS, TEXTS, Column, ColumnType, SourceType

NUMBER_PATTERN = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\z"
TIMESTAMP_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([+]00:00)?\z"
)
WALL_CLOCK_ZONE = "+00:00"
"""The time zone in BigQuery's exports of wall-clock times; it carries no information."""
LARGEST_DOUBLE = "1.7976931348623157E308D"
LARGEST_EXACT = "9007199254740992D"
"""The largest number up to which doubles represent every whole number."""


def name(identifier: str) -> str:
    """A column's name in backticks, whatever characters it holds."""
    return "`" + identifier.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def present(value: str, source: SourceType) -> str:
    """A value as read, but null for blank text and for NaN, with which pandas writes null."""
    if source in TEXTS:
        return f"nullif({trimmed(value)}, '')"
    if source is SourceType.DOUBLE:
        return f"nullif({value}, CAST('NaN' AS double))"
    return value


def trimmed(text: str) -> str:
    """A text without surrounding blanks. The test is cheaper than Spark's trim, which copies each text."""
    has_blanks = f"{text} LIKE ' %' OR {text} LIKE '% '"
    return f"CASE WHEN {has_blanks} THEN trim(BOTH ' ' FROM {text}) ELSE {text} END"


def as_text(value: str, source: SourceType) -> str:
    """Any value as text, null if it is null or empty.

    Engines print fractional doubles outside [1e-3, 1e7) differently; TLC files have none. Decimals are
    printed as doubles, because engines print `0E-9` or nine zeros.
    """
    if source is SourceType.DECIMAL:
        return as_text(f"CAST({value} AS double)", SourceType.DOUBLE)
    if source in TEXTS:
        return f"nullif({value}, '')"
    if source is SourceType.DOUBLE:
        whole = f"concat(CAST(CAST({value} AS bigint) AS string), '.0')"
        return (
            f"CASE WHEN isnan({value}) THEN 'NaN' "
            f"WHEN {value} > {LARGEST_DOUBLE} THEN 'Infinity' "
            f"WHEN {value} < -{LARGEST_DOUBLE} THEN '-Infinity' "
            f"WHEN abs({value}) < {LARGEST_EXACT} AND {value} = floor({value}) THEN {whole} "
            f"ELSE CAST({value} AS string) END"
        )
    return f"CAST({value} AS string)"


def as_number(value: str, source: SourceType) -> str:
    """A present value as double, null for a text that is not a number."""
    if source in TEXTS:
        return f"CASE WHEN {matches(value, NUMBER_PATTERN)} THEN try_cast({value} AS double) END"
    return value if source is SourceType.DOUBLE else f"CAST({value} AS double)"


def whole(number: str) -> str:
    """A double as int if it is a whole number in range, otherwise null. Nothing is rounded."""
    return (
        f"CASE WHEN {number} BETWEEN -2147483648D AND 2147483647D AND {number} = floor({number}) "
        f"THEN CAST({number} AS int) END"
    )


def finite(number: str) -> str:
    """A double parsed from text, null if the number is out of range."""
    return f"CASE WHEN {number} BETWEEN -{LARGEST_DOUBLE} AND {LARGEST_DOUBLE} THEN {number} END"


def as_timestamp(value: str) -> str:
    """A text with date and time of day as wall-clock time, truncated to microseconds.

    `WALL_CLOCK_ZONE` is dropped, because exports of the TLC's rows add it to New York wall-clock times. A
    text with any other zone is an instant of unknown wall-clock time, and gives null.
    """
    parsed = f"try_cast(substring(replace({value}, '{WALL_CLOCK_ZONE}', ''), 1, 26) AS timestamp_ntz)"
    return f"CASE WHEN {matches(value, TIMESTAMP_PATTERN)} THEN {parsed} END"


def decoded(value: str, codes: Mapping[str, int], otherwise: str) -> str:
    """The code of a name, ignoring case; `otherwise` for every other value."""
    by_code: dict[int, list[str]] = {}
    for text, code in codes.items():
        by_code.setdefault(code, []).append(literal(text))
    cases = [f"WHEN lower({value}) IN ({', '.join(texts)}) THEN {code}" for code, texts in by_code.items()]
    return f"CASE {' '.join(cases)} ELSE {otherwise} END"


def needs_number(column: Column, source: SourceType) -> bool:
    """Whether a value is converted through a double: texts, doubles and decimals for int columns, texts for
    double columns."""
    if column.type is ColumnType.INTEGER:
        return source in TEXTS or source in (SourceType.DOUBLE, SourceType.DECIMAL)
    return column.type is ColumnType.DOUBLE and source in TEXTS


def can_fail(column: Column, source: SourceType) -> bool:
    """Whether a value of that source type may not fit the column's type."""
    held = {
        ColumnType.STRING: frozenset(SourceType),
        ColumnType.INTEGER: frozenset({SourceType.NULL}),
        ColumnType.DOUBLE: NUMBERS | {SourceType.NULL},
        ColumnType.TIMESTAMP: frozenset({SourceType.TIMESTAMP, SourceType.NANOSECONDS, SourceType.NULL}),
    }
    return source not in held[column.type]


def typed(column: Column, source: SourceType, value: str, number: str) -> str:
    """A present `value` in the column's type, null if it does not fit; `number` is the value as double if
    `needs_number`."""
    if source is SourceType.NULL:
        return null_of(column.type)
    if column.type is ColumnType.TIMESTAMP:
        return as_timestamp(value) if source in TEXTS else value
    if column.type is ColumnType.DOUBLE:
        return finite(number) if source in TEXTS else as_number(value, source)
    if column.type is ColumnType.INTEGER:
        converted = whole(number) if needs_number(column, source) else f"try_cast({value} AS int)"
        return decoded(value, column.codes, converted) if column.codes and source in TEXTS else converted
    return value if source in TEXTS else as_text(value, source)


def null_of(column_type: ColumnType) -> str:
    """A null of a type."""
    return f"CAST(NULL AS {column_type})"


def text_map(entries: Sequence[tuple[str, str]]) -> str:
    """A map<string, string> of (key, text expression) pairs; null values are left out."""
    if not entries:
        return "map_from_entries(CAST(array() AS array<struct<key: string, value: string>>))"
    structs = ", ".join(f"struct({literal(key)} AS key, {value} AS value)" for key, value in entries)
    return f"map_from_entries(filter(array({structs}), entry -> entry.value IS NOT NULL))"


def matches(value: str, pattern: str) -> str:
    """Whether a text matches a pattern, which is a raw literal without look-arounds."""
    return f"{value} RLIKE r'{pattern}'"
