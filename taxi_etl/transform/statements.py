"""The SQL statement that turns the rows of a file into rows of its table.

Steps: `cleaned` (blank values become null), `numbers` (texts as doubles), `typed` (the table's columns),
`checked` (reasons for quarantine). Each is a step of its own, so that an engine computes it once per row.
Spark copies each row in each step, so all values as read are passed on as one struct. Rows with `reason_bits`
0 go to the dataset's table, the others to quarantine.
"""

from collections.abc import Sequence

from taxi_etl.datasets import DATASETS
from taxi_etl.schema import TEXTS, WITHOUT_VALUES, Column, ColumnType, SourceColumn, SourceType
from taxi_etl.tables import LINEAGE
from taxi_etl.transform import expressions as sql
from taxi_etl.transform.layout import wrapped
from taxi_etl.transform.predicates import PREDICATES, ROW, FileSchema, Reason
from taxi_etl.transform.sources import LINEAGE_COLUMNS, SOURCE

INDENT = 2
"""Columns by which the text of a step is indented."""
BITS = {reason: 1 << place for place, reason in enumerate(Reason)}
"""The bit of each reason, valid within a job run; tables store the reasons' names."""

LINE = "line"
"""The key under which `row_as_read` holds the text of a row with a wrong number of fields."""


def transform_sql(dataset: str, columns: Sequence[SourceColumn], source: str = SOURCE) -> str:
    """The SQL of every row of `source`, in the columns of the dataset's table and of quarantine.

    `columns` are those of `sources.source_columns`, and `source` is the view that has them. A valid row has
    `reason_bits` 0 and no `row_as_read`. A quarantined row has the bits of all its reasons (`reasons_of`),
    and its raw values in `row_as_read`.
    """
    schema = FileSchema.of(DATASETS[dataset], columns)
    values = [(column.name, sql.column_text(value, column)) for column, value in schema.raw.items()]
    as_read = f"WHEN reason_bits <> 0 THEN {sql.text_map(values)}"
    if schema.is_text:
        line = sql.text_map([(LINE, "_row_text")])
        as_read = f"WHEN _row_text IS NOT NULL THEN {line} {as_read}"
    output = [
        *(column.name for column in schema.dataset.columns),
        f"{_extra_columns(schema)} AS extra_columns",
        *(f"_{column.name} AS {column.name}" for column in LINEAGE),
        f"CASE {as_read} END AS row_as_read",
        "_position AS position",
        "reason_bits",
    ]
    steps = [
        *_steps(schema, source),
        ("checked", _select(["*", f"{_reason_bits(schema)} AS reason_bits"], "typed")),
    ]
    named = ", ".join(f"{name} AS (\n{text}\n)" for name, text in steps)
    return f"WITH {named}\n{_select(output, 'checked', indent=0)}"


def typed_steps(dataset: str, columns: Sequence[SourceColumn], source: str) -> list[tuple[str, str]]:
    """The names and queries of the steps from `source` to `typed`."""
    return _steps(FileSchema.of(DATASETS[dataset], columns), source)


def reasons_of(reason_bits: str) -> str:
    """The SQL of the reasons in `reason_bits`, as an array of texts in the order of `Reason`."""
    found = [
        f"CASE WHEN ({reason_bits} & {bit}) <> 0 THEN {sql.literal(reason)} END"
        for reason, bit in BITS.items()
    ]
    return f"filter(array({', '.join(found)}), reason -> reason IS NOT NULL)"


def _steps(schema: FileSchema, source: str) -> list[tuple[str, str]]:
    """The (name, text) of the steps up to `typed`; source columns are passed on as fields of `_row`."""
    found = schema.matched_columns()
    fields = [
        f"{sql.name(column.name)} AS {value.removeprefix(ROW + '.')}" for column, value in schema.raw.items()
    ]
    cleaned = [
        *([f"struct({', '.join(fields)}) AS {ROW}"] if fields else []),
        *(
            f"{_cleaned(schema, column)} AS read_{column.name}"
            for column, _ in found
            if not schema.converted_as_read(column)
        ),
        *(
            f"{_other(schema, column)} AS other_{column.name}"
            for column, _ in found
            if schema.unreadable(column)
        ),
        *LINEAGE_COLUMNS,
    ]
    numbers = [
        f"{_number(schema, column)} AS number_{column.name}"
        for column, source_type in found
        if sql.needs_number(column, source_type)
    ]
    typed = [f"{_typed(schema, column)} AS {column.name}" for column in schema.dataset.columns]
    return [
        ("cleaned", _select(cleaned, source)),
        ("numbers", _select(["*", *numbers], "cleaned")),
        ("typed", _select(["*", *typed], "numbers")),
    ]


def _reason_bits(schema: FileSchema) -> str:
    """The sum of the bits of a row's reasons; a predicate that is null does not quarantine."""
    conditions = {reason: predicate(schema) for reason, predicate in PREDICATES.items()}
    cases = [
        f"CASE WHEN {condition} THEN {BITS[reason]} ELSE 0 END"
        for reason, condition in conditions.items()
        if condition is not None
    ]
    bits = " + ".join(cases)
    if not schema.is_text:
        return bits
    # The values of such a row may be in the wrong columns, so no other rule applies to it.
    return f"CASE WHEN _row_text IS NOT NULL THEN {BITS[Reason.WRONG_FIELD_COUNT]} ELSE {bits} END"


def _cleaned(schema: FileSchema, column: Column) -> str:
    """The value of a column: its preferred source's, gaps filled from further sources."""
    common, readable = schema.source(column), schema.readable(column)
    sources = [each for each in readable if each.type not in WITHOUT_VALUES] or readable[:1]
    values = [sql.in_form(_value(column, each), each, common) for each in sources]
    if common.type in TEXTS and not column.keeps_null_tokens:
        # Joined tables have null tokens where one of them lacks a column.
        values[:-1] = [f"CASE WHEN NOT {sql.is_null_token(value)} THEN {value} END" for value in values[:-1]]
    return _first_of(values)


def _other(schema: FileSchema, column: Column) -> str:
    """The text of a column's sources whose values its type cannot hold."""
    return _first_of([sql.column_text(_value(column, each), each) for each in schema.unreadable(column)])


def _value(column: Column, source: SourceColumn) -> str:
    return sql.non_blank(sql.name(source.name), source.type, column.padded)


def _first_of(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _number(schema: FileSchema, column: Column) -> str:
    source = schema.source(column)
    value = schema.value(column)
    if column.type is ColumnType.INTEGER and source.type in TEXTS:
        return sql.as_number_mostly_whole(value, source)
    return sql.as_number(value, source.type, source.decimal, grouped=column.type is ColumnType.DOUBLE)


def _typed(schema: FileSchema, column: Column) -> str:
    if not schema.has(column.name):
        return sql.null_of(column.type)
    return sql.typed(column, schema.source(column), schema.value(column), f"number_{column.name}")


def _lenient(schema: FileSchema) -> list[tuple[Column, SourceType]]:
    """The columns whose values are kept where their types cannot hold them, with their source types."""
    return [
        (column, source)
        for column, source in schema.matched_columns()
        if column.lenient and sql.can_fail(column, source)
    ]


def _extra_columns(schema: FileSchema) -> str:
    """The map of values without a typed column: those of extra columns, and what a lenient column could not
    hold, by the file's own names."""
    entries = [
        (column.name, sql.column_text(schema.raw[column], column))
        for column in schema.matches.extra
        if column in schema.raw
    ]
    for column, source in _lenient(schema):
        preferred = schema.matches.sources[column.name][0]
        value = sql.as_text(f"read_{column.name}", source)
        unread = f"{column.name} IS NULL"
        if source in TEXTS:
            unread += f" AND NOT {sql.is_null_token(f'read_{column.name}')}"
        entries.append((preferred.name, f"CASE WHEN {unread} THEN {value} END"))
    if not entries:
        return sql.text_map([])
    # Most rows have nothing to keep: the test is cheap, the map is not.
    nothing = f"coalesce({', '.join(value for _, value in entries)}) IS NULL"
    return f"CASE WHEN {nothing} THEN {sql.text_map([])} ELSE {sql.text_map(entries)} END"


def _select(columns: Sequence[str], table: str, indent: int = INDENT) -> str:
    """A query of these expressions, `indent` columns from the left."""
    margin = " " * indent
    inner = indent + INDENT
    listed = ",\n".join(" " * inner + wrapped(column, inner) for column in columns)
    return f"{margin}SELECT\n{listed}\n{margin}FROM {table}"
