"""Turns files of one layout into local data files of their two tables with DuckDB.

Runs in the child process. Whatever DuckDB may read or print differently from Spark raises NotLoadable.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import duckdb

from duckdb_engine.messages import Answer, FieldIds, NotLoadable, Outcome, Task, WrittenFile
from duckdb_engine.parquet_source import first_pages
from duckdb_engine.printed_values import refuse_unlike_texts
from duckdb_engine.source_view import create_source
from duckdb_engine.sql import quoted, text, translated, translated_expression
from duckdb_engine.written_rows import Written, count_days, count_other_months, count_reasons
from taxi_etl.datasets import DATASETS
from taxi_etl.schema import SourceColumn
from taxi_etl.tables import LINEAGE, PARTITION_COLUMN, QUARANTINE, TableColumn, columns_of
from taxi_etl.transform.expressions import literal
from taxi_etl.transform.sources import lineage, lineage_texts, source_columns
from taxi_etl.transform.statements import reasons_of, transform_sql

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMPTZ",
    "map<string,string>": "MAP(VARCHAR, VARCHAR)",
    "array<string>": "VARCHAR[]",
}
"""DuckDB's types of the tables' column types."""
KEPT = "kept_rows"
"""The table of transformed rows."""
ROW_GROUP_ROWS = 122_880
"""Rows of a row group; DuckDB holds whole row groups in memory while it writes."""


def write_files(database: duckdb.DuckDBPyConnection, task: Task) -> Answer:
    """Write the data files of the files' trips and quarantined rows into the task's folder.

    Raises NotLoadable, duckdb.Error, OSError and others for files that cannot be loaded.
    """
    read = create_source(database, task)
    query = _transform(task.layout.dataset, task.layout.all_columns)
    # For text and for few rows, keeping the rows is faster than transforming them again for quarantine.
    # Rows beyond the memory limit go to temporary files.
    keeps = task.layout.format == "csv" or sum(read) <= ROW_GROUP_ROWS
    if keeps:
        constants = _constants(task)
        left_out = f"EXCLUDE ({', '.join(constants)})" if constants else ""
        database.execute(f"CREATE TEMP TABLE {KEPT} AS SELECT * {left_out} FROM ({query})").fetchall()  # noqa: S608 (generated)
        query = f"FROM {KEPT}"
    database.execute(f"CREATE OR REPLACE TEMP VIEW transformed AS {query}").fetchall()
    try:
        return Answer(_write_tables(database, task, read))
    finally:
        if keeps:
            database.execute(f"DROP TABLE {KEPT}").fetchall()


@lru_cache(maxsize=128)
def _transform(dataset: str, columns: tuple[SourceColumn, ...]) -> str:
    """The transform of files with these columns. Composing it takes longer than loading a small file."""
    return translated(transform_sql(dataset, source_columns(columns)))


def _write_tables(database: duckdb.DuckDBPyConnection, task: Task, read: Sequence[int]) -> list[Outcome]:
    """Write the data files of the transformed rows; `read` are the numbers of rows that the files have."""
    table = columns_of(DATASETS[task.layout.dataset].table)
    trips = _copy(database, task, "trips", _selected(task, table, {}, "= 0"), task.trips)
    quarantine: Written = {}
    if sum(file.rows for file in trips.values()) != sum(read):
        quarantine = _write_quarantine(database, task)
    for file, rows in zip(task.files, read, strict=True):
        kept = sum(
            written[file.source_id].rows for written in (trips, quarantine) if file.source_id in written
        )
        if kept != rows:
            raise NotLoadable(f"{rows} rows were read, but {kept} written or quarantined")
    paths = ([file.path for file in written.values()] for written in (trips, quarantine))
    refuse_unlike_texts(database, task, *paths)
    reasons = count_reasons(database, quarantine)
    other_months = count_other_months(database, task, trips)
    days = count_days(database, task, trips)
    return [
        Outcome(
            read=rows,
            trips=trips.get(file.source_id),
            quarantine=quarantine.get(file.source_id),
            reasons=reasons.get(file.source_id, {}),
            other_months=other_months.get(file.source_id, 0),
            day_totals=days.get(file.source_id, ()),
        )
        for file, rows in zip(task.files, read, strict=True)
    ]


def _write_quarantine(database: duckdb.DuckDBPyConnection, task: Task) -> dict[str, WrittenFile]:
    values = {
        "dataset": translated_expression(literal(task.layout.dataset)),
        "reasons": translated_expression(reasons_of("reason_bits")),
        "file_failure": "NULL",
    }
    query = _selected(task, columns_of(QUARANTINE), values, "<> 0")
    return _copy(database, task, "quarantine", query, task.quarantine)


def _selected(task: Task, columns: tuple[TableColumn, ...], values: Mapping[str, str], condition: str) -> str:
    """The query of a table's columns, from `values`, constants, or columns of the same names."""
    constants = _constants(task)
    listed = ", ".join(
        f"{constants[column.name]} AS {column.name}"
        if column.name in constants
        else f"CAST({values.get(column.name, quoted(column.name))} AS {DUCKDB_TYPES[column.type]}) "
        f"AS {quoted(column.name)}"
        for column in columns
    )
    return f"SELECT {listed} FROM transformed WHERE reason_bits {condition}"  # noqa: S608 (generated)


def _constants(task: Task) -> dict[str, str]:
    """The SQL of the lineage of the task's only file by column; empty for several files.

    Texts are enums: DuckDB writes them as texts, but without hashing the text of each row.
    """
    if len(task.files) > 1:
        return {}
    version, run = task.layout.version, task.run
    enums = {
        name: f"{text(value)}::ENUM({text(value)})" for name, value in lineage_texts(version, run).items()
    }
    values = lineage(version, run)
    return {
        column.name: enums.get(column.name) or translated_expression(values[f"_{column.name}"])
        for column in LINEAGE
    }


def _copy(
    database: duckdb.DuckDBPyConnection, task: Task, name: str, query: str, ids: FieldIds
) -> dict[str, WrittenFile]:
    """Write a query's rows as Parquet files with Iceberg's field IDs; returns those with rows by source."""
    fields = ", ".join(f"{quoted(column)}: {_field_id(number)}" for column, number in ids.items())
    options = (
        f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS}, FIELD_IDS {{{fields}}}, "
        "RETURN_STATS"
    )
    target = task.folder / f"{name}.parquet"
    if len(task.files) > 1:
        target = task.folder / name
        options += f", PARTITION_BY ({PARTITION_COLUMN}), WRITE_PARTITION_COLUMNS"
    copied = database.execute(f"COPY ({query}) TO '{target}' ({options})").fetchall()
    written = [row for row in copied if row[1]]
    starts = first_pages(database, [Path(path) for path, *_ in written]) if written else {}
    files = {file.source_id: file for file in task.files}
    found: dict[str, WrittenFile] = {}
    for path, rows, size, _, columns, partition, _ in written:
        source = partition[PARTITION_COLUMN] if partition else task.files[0].source_id
        statistics = _statistics(columns, lineage_texts(files[source].entry.version, task.run))
        found[source] = WrittenFile(Path(path), int(rows), int(size), statistics, starts[path])
    return found


def _statistics(
    columns: Mapping[str, Mapping[str, str]], known: Mapping[str, str]
) -> dict[str, Mapping[str, str]]:
    """DuckDB's statistics with the bounds of columns whose value is known.

    It returns none of enums and of long texts.
    """
    bounds = {
        quoted(name): {"min": value, "max": value, "min_is_exact": "true", "max_is_exact": "true"}
        for name, value in known.items()
    }
    return {name: {**values, **bounds.get(name, {})} for name, values in columns.items()}


def _field_id(number: "int | Mapping[str, int]") -> str:
    if isinstance(number, int):
        return str(number)
    parts = (f"{name or '__duckdb_field_id'}: {part}" for name, part in number.items())
    return f"{{{', '.join(parts)}}}"
