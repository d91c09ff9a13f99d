"""SQL expressions for casts and text conversions that Spark and DuckDB evaluate alike.

A plain `cast(… as int)` is not safe: engines round or truncate, and differ for `1.0`, `1d`, `1_000`, ` 1`,
`inf`, `24:00:00` and time zones. Therefore a pattern checks the text, and `try_cast` converts it.
"""

from collections.abc import Mapping, Sequence

from taxi_etl.schema import NUMBERS, TEXTS, TIMES, Column, ColumnType, DateOrder, SourceColumn, SourceType
from taxi_etl.text_values import GROUPED_NUMBER, NULL_TEXTS, NULL_WORD_LENGTHS, NULL_WORDS, NUMBER, TIME

USUAL_TIME = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([+]00:00)?"
)
"""The form of the TLC's files and of BigQuery's exports, which one cast reads."""
WALL_CLOCK_ZONE = "+00:00"
LARGEST_DOUBLE = "1.7976931348623157E308D"
DOUBLE_DIGITS = 15
"""Decimal digits that every double keeps."""
LARGEST_EXACT = "9007199254740992D"
"""The largest number up to which doubles represent every whole number."""


def name(identifier: str) -> str:
    """A column's name in backticks, whatever characters it holds."""
    return "`" + identifier.replace("`", "``") + "`"


def unique_name(name: str, taken: set[str]) -> str:
    """The name, or the first of `name_2`, `name_3` … that is not in `taken`; adds it to `taken`."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate.casefold())
    return candidate


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def non_blank(value: str, source: SourceType, padded: Mapping[str, str] | None = None) -> str:
    """A value as read, but null for blank text and for NaN, with which pandas writes null.

    `padded` replaces texts whose trailing spaces have a meaning.
    """
    if source in TEXTS:
        cases = [f"WHEN {value} = {literal(old)} THEN {literal(new)}" for old, new in (padded or {}).items()]
        # The test is cheaper than Spark's trim, which copies each text.
        cases += [
            f"WHEN {value} LIKE ' %' OR {value} LIKE '% ' THEN nullif({trimmed(value)}, '')",
            f"WHEN {value} <> '' THEN {value}",
        ]
        return f"CASE {' '.join(cases)} END"
    if source is SourceType.DOUBLE:
        return f"nullif({value}, CAST('NaN' AS double))"
    return value


def trimmed(text: str) -> str:
    """A text without surrounding blanks."""
    return f"trim(BOTH ' ' FROM {text})"


def as_text(value: str, source: SourceType) -> str:
    """Any value as text, null if it is null or empty.

    Engines print fractional doubles outside [1e-3, 1e7) differently; TLC files have none. Decimals are
    printed as doubles, because engines print `0E-9` or nine zeros.
    """
    if source is SourceType.INSTANT:
        return f"concat(CAST({value} AS string), '{WALL_CLOCK_ZONE}')"
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


def column_text(value: str, column: SourceColumn) -> str:
    """A value of a column as text: as `as_text`, but a decimal keeps the digits that a double would lose."""
    if column.type is not SourceType.DECIMAL or column.precision <= DOUBLE_DIGITS:
        return as_text(value, column.type)
    digits = f"CAST({value} AS string)"
    if not column.scale:
        return digits
    number = f"CAST({value} AS double)"
    held = f"try_cast({number} AS {column.type_name}) = {value}"
    return f"CASE WHEN {held} THEN {as_text(number, SourceType.DOUBLE)} ELSE {digits} END"


def in_form(value: str, source: SourceColumn, common: SourceColumn) -> str:
    """A value that is not blank, in the form of `schema.common_source`."""
    if source.has_form_of(common) or common.type is SourceType.TIMESTAMP:
        return value
    if common.type is SourceType.DOUBLE:
        return as_number(value, source.type)
    if source.type not in TEXTS:
        return as_text(value, source.type)
    if source.date_order is DateOrder.YMD:
        return value
    # A text that is not a time stays as it is, and is unparseable.
    return f"coalesce({as_text(as_timestamp(value, source.date_order), SourceType.TIMESTAMP)}, {value})"


def is_null_token(text: str, *, or_blank: bool = False) -> str:
    """Whether a present text means null, or with `or_blank` is empty.

    The length is tested first, because lower() copies each text.
    """
    shortest, longest = NULL_WORD_LENGTHS
    known = ("", *NULL_TEXTS) if or_blank else NULL_TEXTS
    texts, words = (", ".join(map(literal, listed)) for listed in (known, NULL_WORDS))
    return (
        f"({text} IN ({texts}) OR length({text}) BETWEEN {shortest} AND {longest} "
        f"AND lower({text}) IN ({words}))"
    )


def as_number(value: str, source: SourceType, decimal: str = ".", grouped: bool = False) -> str:
    """A present value as double, null for a text that is not a number.

    `decimal` is the decimal separator of texts; `grouped` accepts thousands separators too.
    """
    if source in TEXTS:
        cases = [f"WHEN {matches(value, NUMBER[decimal])} THEN {_plain_number(value, decimal)}"]
        if grouped:
            mark = "," if decimal == "." else "."
            text = f"replace({value}, {literal(mark)}, '')"
            cases.append(
                f"WHEN {matches(value, GROUPED_NUMBER[decimal])} THEN {_plain_number(text, decimal)}"
            )
        return f"CASE {' '.join(cases)} END"
    return value if source is SourceType.DOUBLE else f"CAST({value} AS double)"


def as_number_mostly_whole(value: str, source: SourceColumn) -> str:
    """A text as `as_number`. Whole numbers as engines print them need no regular expression."""
    whole_number = f"try_cast({value} AS int)"
    return (
        f"CASE WHEN CAST({whole_number} AS string) = {value} THEN CAST({whole_number} AS double) "
        f"ELSE {as_number(value, source.type, source.decimal)} END"
    )


def _plain_number(text: str, decimal: str) -> str:
    point = text if decimal == "." else f"replace({text}, {literal(decimal)}, '.')"
    return f"try_cast({point} AS double)"


def whole(number: str) -> str:
    """A double as int if it is a whole number in range, otherwise null. Nothing is rounded."""
    return (
        f"CASE WHEN {number} BETWEEN -2147483648D AND 2147483647D AND {number} = floor({number}) "
        f"THEN CAST({number} AS int) END"
    )


def finite(number: str) -> str:
    """A double parsed from text, null if the number is out of range."""
    return (
        f"CASE WHEN {number} BETWEEN -{LARGEST_DOUBLE} AND {LARGEST_DOUBLE} THEN {positive_zero(number)} END"
    )


def positive_zero(number: str) -> str:
    """A double without negative zero, which Spark finds neither with `= 0` nor with `>= 0`."""
    return f"{number} + 0.0D"


def as_timestamp(value: str, order: DateOrder = DateOrder.YMD) -> str:
    """A text with date and time of day as wall-clock time, truncated to microseconds.

    A zero offset is dropped, because exports of the TLC's rows add it to New York wall-clock times. A text
    with any other offset is an instant of unknown wall-clock time, and gives null.
    """
    cases = [f"WHEN {matches(value, TIME[order])} THEN {_composed_time(value, order)}"]
    if order is DateOrder.YMD:
        is_usual = f"{value} RLIKE r'^{USUAL_TIME}\\z'"
        usual = f"try_cast(substring(replace({value}, '{WALL_CLOCK_ZONE}', ''), 1, 26) AS timestamp_ntz)"
        cases.insert(0, f"WHEN {is_usual} THEN {usual}")
    return f"CASE {' '.join(cases)} END"


def _composed_time(value: str, order: DateOrder) -> str:
    """A text that matches `TIME` as wall-clock time, composed of its date and its time of day."""
    date = f"translate(regexp_extract({value}, r'[0-9./-]+', 0), '/.', '--')"
    if order is not DateOrder.YMD:
        month, day = (1, 2) if order is DateOrder.MDY else (2, 1)
        parts = ", ".join(f"split_part({date}, '-', {part})" for part in (3, month, day))
        date = f"concat_ws('-', {parts})"
    clock = f"regexp_extract({value}, r'[0-9]+:[0-9]+(:[0-9]+([.][0-9]{{1,6}})?)?', 0)"
    # Noon and midnight are the hour 0 of their halves of the day.
    at_twelve = f"{value} RLIKE r'[Tt ]12:.*[AaPp]([.] ?)?[Mm]'"
    hours = f"CASE WHEN {at_twelve} THEN concat('0', substring({clock}, 3)) ELSE {clock} END"
    half = f"CASE WHEN {value} RLIKE r'[Pp]([.] ?)?[Mm]' THEN INTERVAL 12 HOURS ELSE INTERVAL 0 HOURS END"
    return f"try_cast(concat({date}, ' ', {hours}) AS timestamp_ntz) + {half}"


def decoded(value: str, codes: Mapping[str, int], number: str) -> str:
    """The number where there is one, else the code of a name, ignoring case; null for every other value."""
    by_code: dict[int, list[str]] = {}
    for text, code in codes.items():
        by_code.setdefault(code, []).append(literal(text))
    cases = [f"WHEN lower({value}) IN ({', '.join(texts)}) THEN {code}" for code, texts in by_code.items()]
    return f"coalesce({number}, CASE {' '.join(cases)} END)"


def needs_number(column: Column, source: SourceType) -> bool:
    """Whether a value is converted through a double: texts, doubles and decimals for int columns, texts for
    double columns."""
    if column.type is ColumnType.INTEGER:
        return source in TEXTS or source in NUMBERS - {SourceType.INTEGER}
    return column.type is ColumnType.DOUBLE and source in TEXTS


def can_fail(column: Column, source: SourceType) -> bool:
    """Whether a value of that source type may not fit the column's type."""
    held = {
        ColumnType.STRING: frozenset(SourceType),
        ColumnType.INTEGER: frozenset({SourceType.NULL}),
        ColumnType.DOUBLE: NUMBERS | {SourceType.NULL},
        ColumnType.TIMESTAMP: TIMES | {SourceType.NULL},
    }
    return source not in held[column.type]


def typed(column: Column, source: SourceColumn, value: str, number: str) -> str:
    """A present `value` in the column's type, null if it does not fit; `number` is the value as double if
    `needs_number`."""
    is_text = source.type in TEXTS
    if source.type is SourceType.NULL:
        return null_of(column.type)
    if column.type is ColumnType.TIMESTAMP:
        return as_timestamp(value, source.date_order) if is_text else value
    if column.type is ColumnType.DOUBLE:
        return finite(number) if is_text else positive_zero(as_number(value, source.type))
    if column.type is ColumnType.INTEGER:
        converted = whole(number) if needs_number(column, source.type) else f"try_cast({value} AS int)"
        return decoded(value, column.codes, converted) if column.codes and is_text else converted
    if is_text:
        return value if column.keeps_null_tokens else f"CASE WHEN NOT {is_null_token(value)} THEN {value} END"
    return as_text(value, source.type)


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
    """Whether a whole text, surrounding blanks apart, matches a pattern without quotes, look-arounds, and `|`
    outside groups."""
    return f"{value} RLIKE r'^ *{pattern} *\\z'"
