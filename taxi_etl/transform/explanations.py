"""SQL that counts the unreadable values of quarantined rows by column.

It repeats the steps of `statements` over the texts in `row_as_read`, because a row's reasons do not name
columns. The job runs it for files that fail for their share of quarantined rows only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from taxi_etl.datasets import DATASETS
from taxi_etl.schema import Column, ColumnType, SourceColumn, SourceType
from taxi_etl.transform import expressions as sql
from taxi_etl.transform.predicates import FileSchema
from taxi_etl.transform.sources import LINEAGE_COLUMNS
from taxi_etl.transform.statements import typed_steps

ROW = "row_as_read"
SOURCE_ID = "_source_id"


@dataclass(frozen=True)
class CheckedColumn:
    """A typed column whose values may be unreadable, and the name of the file's column."""

    column: Column
    source: str


def checked_columns(dataset: str, columns: Sequence[SourceColumn]) -> list[CheckedColumn]:
    """The columns that `unreadable_values` reports, in order."""
    schema = FileSchema.of(DATASETS[dataset], columns)
    return [
        CheckedColumn(column, schema.matches.sources[column.name][0].name)
        for column, source in schema.matched_columns()
        if column.type is not ColumnType.STRING
        and not column.lenient
        and (sql.can_fail(column, source) or schema.unreadable(column))
    ]


def unreadable_values(dataset: str, columns: Sequence[SourceColumn], quarantined: str) -> str:
    """The SQL of a row for each file: its `source_id`, then for each of `checked_columns` the number of
    unreadable values and an example.

    `columns` are those of the view that the files' rows were read from. `quarantined` is a view of the
    quarantined rows, with `source_id` and their texts.
    """
    texts = [
        replace(column, type=SourceType.TEXT, precision=0, scale=0, arrow_type="")
        for column in columns
        if column.type is not SourceType.NULL
    ]
    source = [
        *(f"{ROW}[{sql.literal(column.name)}] AS {sql.name(column.name)}" for column in texts),
        *(f"CAST(NULL AS string) AS {name}" for name in LINEAGE_COLUMNS if name != SOURCE_ID),
        f"source_id AS {SOURCE_ID}",
    ]
    schema = FileSchema.of(DATASETS[dataset], texts)
    counts = []
    for checked in checked_columns(dataset, columns):
        name = checked.column.name
        text = schema.text(checked.column)
        unread = f"{text} IS NOT NULL AND {name} IS NULL AND NOT {sql.is_null_token(text, or_blank=True)}"
        counts += [f"count_if({unread})", f"min(CASE WHEN {unread} THEN {text} END)"]
    steps = ", ".join(f"{name} AS ({text})" for name, text in typed_steps(dataset, texts, "texts"))
    return (
        f"WITH texts AS (SELECT {', '.join(source)} FROM {quarantined}), {steps} "  # noqa: S608
        f"SELECT {', '.join([SOURCE_ID, *counts])} FROM typed GROUP BY {SOURCE_ID}"
    )
