"""Names, columns and DDL of the Iceberg tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from taxi_etl.datasets import DATASETS
from taxi_etl.schema import Dataset
from taxi_etl.transform.expressions import literal

QUARANTINE = "quarantined_trips"
FULL_BOUNDS = frozenset({"source_file"})
"""Columns whose bounds in Iceberg's metadata are not truncated: a file's name has its month."""

SEEN_COLUMNS_PROPERTY = "taxi-etl.source-columns"
"""The table property that lists, as JSON, the columns that loaded files of the dataset have had."""
CATALOGED_COLUMNS_PROPERTY = "taxi-etl.cataloged-columns"
"""The same of the files that the crawler catalogs (`taxi_etl.raw_folders`): a JSON object by bucket."""

PROPERTIES: Mapping[str, str] = {
    "format-version": "2",
    # No shuffle by source_id, which would put all rows of a large file into one task.
    "write.distribution-mode": "none",
    "write.spark.fanout.enabled": "true",
    # Large enough for few requests, small enough for even tasks in a query.
    "write.target-file-size-bytes": str(256 * 1024**2),
    # Every commit writes a metadata file; without this, Iceberg keeps them all.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
    **{f"write.metadata.metrics.column.{column}": "full" for column in FULL_BOUNDS},
}


PARTITION_COLUMN = "source_id"
"""The column by which all tables are partitioned: each file owns one partition."""


@dataclass(frozen=True)
class TableColumn:
    """A column of a table: its name, its type in Spark's DDL, and its comment."""

    name: str
    type: str
    doc: str


LINEAGE: tuple[TableColumn, ...] = (
    TableColumn(
        PARTITION_COLUMN, "string", "The file that owns the row: first 32 hex digits of sha256(bucket/key)"
    ),
    TableColumn("source_file", "string", "Full URI of the file"),
    TableColumn("source_version", "string", "S3 version id of the file"),
    TableColumn("ingested_at", "timestamp", "When the loading job run began"),
    TableColumn("run_id", "string", "The loading job run"),
)


def table_names() -> tuple[str, ...]:
    """The names of all tables: one per dataset, and the quarantine."""
    return (*(dataset.table for dataset in DATASETS.values()), QUARANTINE)


def trip_columns(dataset: Dataset) -> tuple[TableColumn, ...]:
    """The columns of a dataset's table, in order."""
    extra = TableColumn("extra_columns", "map<string,string>", "Values without a typed column, as read")
    return (
        *(TableColumn(column.name, str(column.type), column.doc) for column in dataset.columns),
        extra,
        *LINEAGE,
    )


def quarantine_columns() -> tuple[TableColumn, ...]:
    """The columns of the quarantine table, in order."""
    return (
        TableColumn("dataset", "string", "The dataset of the file"),
        TableColumn("reasons", "array<string>", "Every reason why the row is in quarantine"),
        TableColumn(
            "row_as_read", "map<string,string>", "The row's non-empty values by the file's column names"
        ),
        TableColumn("position", "bigint", "The row's place in its file, counted from 0; null for CSV"),
        *LINEAGE,
        TableColumn(
            "file_failure", "string", "Why the row's file failed, as a code; null if the file was loaded"
        ),
    )


def columns_of(table: str) -> tuple[TableColumn, ...]:
    """The columns of the table of that name. Raises KeyError for an unknown name."""
    if table == QUARANTINE:
        return quarantine_columns()
    return trip_columns({dataset.table: dataset for dataset in DATASETS.values()}[table])


def create_table(table: str, qualified: str) -> str:
    """The DDL that creates a table unless it exists; `qualified` is its name with catalog and database."""
    columns = ",\n".join(
        f"  {column.name} {column.type} COMMENT {literal(column.doc)}" for column in columns_of(table)
    )
    properties = ",\n".join(f"  {literal(key)} = {literal(value)}" for key, value in PROPERTIES.items())
    return (
        f"CREATE TABLE IF NOT EXISTS {qualified} (\n{columns}\n)\nUSING iceberg\n"
        f"PARTITIONED BY ({PARTITION_COLUMN})\nTBLPROPERTIES (\n{properties}\n)"
    )


def add_columns(qualified: str, columns: tuple[TableColumn, ...]) -> str:
    """The DDL that adds columns to a table."""
    added = ", ".join(f"{column.name} {column.type} COMMENT {literal(column.doc)}" for column in columns)
    return f"ALTER TABLE {qualified} ADD COLUMNS ({added})"
