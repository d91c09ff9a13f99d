"""The SQL statement that turns the rows of a file into rows of its table.

Steps: `cleaned` (blank values become null), `numbers` (texts as doubles), `typed` (the table's columns),
`checked` (reasons for quarantine), `output` (only quarantined rows keep their raw values). Each is a step of
its own, so that an engine computes it once per row. Rows with `reason_bits` 0 go to the dataset's table, the
others to quarantine.
"""

import re
from collections.abc import Mapping, Sequence

from taxi_etl.datasets import DATASETS
from taxi_etl.schema import TEXTS, WITHOUT_VALUES, Column, ColumnType, SourceColumn, SourceType
from taxi_etl.tables import LINEAGE
from taxi_etl.transform import expressions as sql
from taxi_etl.transform.layout import wrapped
from taxi_etl.transform.predicates import PREDICATES, FileSchema, Reason
from taxi_etl.transform.sources import LINEAGE_COLUMNS, SOURCE, unique_name

INDENT = 2
"""Columns by which the text of a step is indented."""
RAW_NAME_MAX = 40
"""Characters of a source column's name in a generated name."""
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
    raw = _raw_names(columns)
    values = [(column.name, sql.column_text(f"_row.{raw[column]}", column)) for column in raw]
    as_read = f"WHEN reason_bits <> 0 THEN {sql.text_map(values)}"
    if schema.is_text:
        line = sql.text_map([(LINE, "_row._row_text")])
        as_read = f"WHEN _row._row_text IS NOT NULL THEN {line} {as_read}"
    output = [
        *(column.name for column in schema.dataset.columns),
        f"{_extra_columns(schema, raw)} AS extra_columns",
        *(f"_{column.name} AS {column.name}" for column in LINEAGE),
        f"CASE {as_read} END AS row_as_read",
        "_position AS position",
        "reason_bits",
    ]
    steps = [
        *_steps(schema, source, raw),
        ("checked", _select(["*", f"{_reason_bits(schema)} AS reason_bits"], "typed")),
        ("output", _select(_output_columns(schema, raw), "checked")),
    ]
    named = ", ".join(f"{name} AS (\n{text}\n)" for name, text in steps)
    return f"WITH {named}\n{_select(output, 'output', indent=0)}"


def typed_steps(dataset: str, columns: Sequence[SourceColumn], source: str) -> list[tuple[str, str]]:
    """The names and queries of the steps from `source` to `typed`."""
    return _steps(FileSchema.of(DATASETS[dataset], columns), source, _raw_names(columns))


def reasons_of(reason_bits: str) -> str:
    """The SQL of the reasons in `reason_bits`, as an array of texts in the order of `Reason`."""
    found = [
        f"CASE WHEN ({reason_bits} & {bit}) <> 0 THEN {sql.literal(reason)} END"
        for reason, bit in BITS.items()
    ]
    return f"filter(array({', '.join(found)}), reason -> reason IS NOT NULL)"


def _raw_names(columns: Sequence[SourceColumn]) -> dict[SourceColumn, str]:
    """The name under which each source column is kept as read, e.g. `raw_trip_distance`.

    A further column of the same name gets a number. A column without values has nothing to keep.
    """
    taken: set[str] = set()
    return {
        column: unique_name(f"raw_{_plain(column.name)}", taken)
        for column in columns
        if column.type not in WITHOUT_VALUES
    }


def _plain(name: str) -> str:
    """A column's name in letters, digits and underscores, shortened to RAW_NAME_MAX."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:RAW_NAME_MAX] or "column"


def _steps(schema: FileSchema, source: str, raw: Mapping[SourceColumn, str]) -> list[tuple[str, str]]:
    """The (name, text) of the steps up to `typed`; source columns are passed on under their `raw` names."""
    found = schema.matched_columns()
    cleaned = [
        *(f"{_cleaned(schema, column)} AS read_{column.name}" for column, _ in found),
        *(
            f"{_other(schema, column)} AS other_{column.name}"
            for column, _ in found
            if schema.unreadable(column)
        ),
        *(f"{sql.name(column.name)} AS {raw_name}" for column, raw_name in raw.items()),
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


def _output_columns(schema: FileSchema, raw: Mapping[SourceColumn, str]) -> list[str]:
    """The columns of the last step; only quarantined rows keep their raw values."""
    extra = [raw[column] for column in schema.matches.extra if column in raw]
    lenient = [f"read_{column.name}" for column, _ in _lenient(schema)]
    kept = [*raw.values(), *(["_row_text"] if schema.is_text else [])]
    fields = ", ".join(f"{name} AS {name}" for name in kept)
    return [
        *(column.name for column in schema.dataset.columns),
        *extra,
        *lenient,
        *(f"_{column.name}" for column in LINEAGE),
        "_position",
        "reason_bits",
        f"CASE WHEN reason_bits <> 0 THEN struct({fields}) END AS _row",
    ]


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
    grouped = column.type is ColumnType.DOUBLE
    return sql.as_number(f"read_{column.name}", source.type, source.decimal, grouped)


def _typed(schema: FileSchema, column: Column) -> str:
    if not schema.has(column.name):
        return sql.null_of(column.type)
    return sql.typed(column, schema.source(column), f"read_{column.name}", f"number_{column.name}")


def _lenient(schema: FileSchema) -> list[tuple[Column, SourceType]]:
    """The columns whose values are kept where their types cannot hold them, with their source types."""
    return [
        (column, source)
        for column, source in schema.matched_columns()
        if column.lenient and sql.can_fail(column, source)
    ]


def _extra_columns(schema: FileSchema, raw: Mapping[SourceColumn, str]) -> str:
    """The map of values without a typed column: those of extra columns, and what a lenient column could not
    hold, by the file's own names."""
    entries = [
        (column.name, sql.column_text(raw[column], column))
        for column in schema.matches.extra
        if column in raw
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
