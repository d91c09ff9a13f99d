"""How is a value read? The few casts and text conversions that Spark and DuckDB answer alike.

Nobody writes a bare `cast(… as int)`: engines round or truncate, and differ on `1.0`, `1d`, `1_000`, ` 1`,
`inf`, `24:00:00` and time zones. So a pattern decides what a number or a time looks like, then `try_cast`
converts.
"""

from collections.abc import Mapping, Sequence

from taxi_etl.schema import NUMBERS, TEXTS, Column, ColumnType, SourceType

NUMBER_PATTERN = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\z"
TIMESTAMP_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([+]00:00)?\z"
)
WALL_CLOCK_ZONE = "+00:00"
"""The zone under which BigQuery exports a wall clock, because its TIMESTAMP has one: it says nothing."""
LARGEST_DOUBLE = "1.7976931348623157E308D"
LARGEST_EXACT = "9007199254740992D"
"""Up to here every whole number has a double of its own."""


def name(identifier: str) -> str:
    """A column's name in backticks, whatever characters it holds."""
    return "`" + identifier.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def present(value: str, source: SourceType) -> str:
    """A value as read, null where it says nothing: empty or blank text, and NaN, which is how pandas
    writes null."""
    if source in TEXTS:
        return f"nullif({trimmed(value)}, '')"
    if source is SourceType.DOUBLE:
        return f"nullif({value}, CAST('NaN' AS double))"
    return value


def trimmed(text: str) -> str:
    """A text without the blanks around it. Spark copies a text twice to trim it, which few need."""
    has_blanks = f"{text} LIKE ' %' OR {text} LIKE '% '"
    return f"CASE WHEN {has_blanks} THEN trim(BOTH ' ' FROM {text}) ELSE {text} END"


def as_text(value: str, source: SourceType) -> str:
    """Any value as text, null where it is null or empty.

    Doubles outside [1e-3, 1e7) with a fraction print differently by engine; TLC files hold none. Decimals
    print as the doubles they are nearest to, since engines print `0E-9` or nine zeros.
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
    """A present value as double, null where it is a text that is no number."""
    if source in TEXTS:
        return f"CASE WHEN {matches(value, NUMBER_PATTERN)} THEN try_cast({value} AS double) END"
    return value if source is SourceType.DOUBLE else f"CAST({value} AS double)"


def whole(number: str) -> str:
    """A double as int where it is a whole number in range: engines round differently, so nothing is
    rounded."""
    return (
        f"CASE WHEN {number} BETWEEN -2147483648D AND 2147483647D AND {number} = floor({number}) "
        f"THEN CAST({number} AS int) END"
    )


def finite(number: str) -> str:
    """A double that was a text, null where the text says more than a double can hold."""
    return f"CASE WHEN {number} BETWEEN -{LARGEST_DOUBLE} AND {LARGEST_DOUBLE} THEN {number} END"


def as_timestamp(value: str) -> str:
    """A text as wall-clock time; it has a date and a time of day, digits beyond microseconds are cut off.

    `WALL_CLOCK_ZONE` is dropped: exports of the TLC's rows write New York's wall clock so, and the hours
    are the published ones. Any other zone is refused: such a value is an instant, and which wall clock it
    once was is a guess.
    """
    parsed = f"try_cast(substring(replace({value}, '{WALL_CLOCK_ZONE}', ''), 1, 26) AS timestamp_ntz)"
    return f"CASE WHEN {matches(value, TIMESTAMP_PATTERN)} THEN {parsed} END"


def decoded(value: str, codes: Mapping[str, int], otherwise: str) -> str:
    """The code of a name, whatever its case; `otherwise` for every other value."""
    by_code: dict[int, list[str]] = {}
    for text, code in codes.items():
        by_code.setdefault(code, []).append(literal(text))
    cases = [f"WHEN lower({value}) IN ({', '.join(texts)}) THEN {code}" for code, texts in by_code.items()]
    return f"CASE {' '.join(cases)} ELSE {otherwise} END"


def needs_number(column: Column, source: SourceType) -> bool:
    """Whether a value takes a step as double on its way: texts and doubles for whole numbers, texts for
    doubles."""
    if column.type is ColumnType.INTEGER:
        return source in TEXTS or source in (SourceType.DOUBLE, SourceType.DECIMAL)
    return column.type is ColumnType.DOUBLE and source in TEXTS


def can_fail(column: Column, source: SourceType) -> bool:
    """Whether a value can be there that the column's type cannot hold."""
    held = {
        ColumnType.STRING: frozenset(SourceType),
        ColumnType.INTEGER: frozenset({SourceType.NULL}),
        ColumnType.DOUBLE: NUMBERS | {SourceType.NULL},
        ColumnType.TIMESTAMP: frozenset({SourceType.TIMESTAMP, SourceType.NANOSECONDS, SourceType.NULL}),
    }
    return source not in held[column.type]


def typed(column: Column, source: SourceType, value: str, number: str) -> str:
    """A present `value` (and the same as `number` where `needs_number`) in the column's type, null where
    it cannot."""
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
    """A map<string, string> of (key, text expression) without the entries that are null."""
    if not entries:
        return "map_from_entries(CAST(array() AS array<struct<key: string, value: string>>))"
    structs = ", ".join(f"struct({literal(key)} AS key, {value} AS value)" for key, value in entries)
    return f"map_from_entries(filter(array({structs}), entry -> entry.value IS NOT NULL))"


def matches(value: str, pattern: str) -> str:
    """Whether a text matches a pattern from its first to its last character (a raw literal, no
    look-arounds)."""
    return f"{value} RLIKE r'{pattern}'"
