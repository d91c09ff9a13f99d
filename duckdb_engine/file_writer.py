"""Turns one file into local data files of its two tables: reads, transforms and writes it with DuckDB.

Runs in the child process. Whatever DuckDB may read or print differently from Spark raises NotLoadable.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from duckdb_engine.csv_source import csv_query, header_condition, write_plain
from duckdb_engine.messages import Answer, FieldIds, NotLoadable, Task, WrittenFile
from duckdb_engine.parquet_pages import refuse_unlike_pages
from duckdb_engine.parquet_source import (
    first_pages,
    parquet_query,
    parquet_rows,
    refuse_dotted_i,
)
from duckdb_engine.printed_values import refuse_unlike_texts
from duckdb_engine.sql import quoted, translated, translated_expression
from taxi_etl.datasets import DATASETS
from taxi_etl.schema import SourceColumn
from taxi_etl.tables import LINEAGE, QUARANTINE, TableColumn, columns_of
from taxi_etl.transform.expressions import literal
from taxi_etl.transform.predicates import PICKUP_MONTH, Reason
from taxi_etl.transform.sources import SOURCE, constants, lineage, source_columns
from taxi_etl.transform.statements import reasons_of, transform_sql
from taxi_etl.unusual_values import counted_rows, day_totals

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
"""The table of transformed rows; see `_kept`."""
ROW_GROUP_ROWS = 122_880
"""Rows of a row group; DuckDB holds whole row groups in memory while it writes."""


def write_file(database: duckdb.DuckDBPyConnection, task: Task) -> Answer:
    """Write the data files of a file's trips and quarantined rows into the task's folder.

    Raises NotLoadable, duckdb.Error, OSError and others for a file that cannot be loaded.
    """
    read = _create_source(database, task)
    file = task.file
    query = _transform(file.dataset, file.all_columns)
    # For text and for few rows, keeping the rows is faster than transforming them again for quarantine.
    # Rows beyond the memory limit go to temporary files.
    keeps = file.format == "csv" or read <= ROW_GROUP_ROWS
    if keeps:
        query = _kept(database, task, query)
    database.execute(f"CREATE OR REPLACE TEMP VIEW transformed AS {query}").fetchall()
    try:
        return _write_tables(database, task, read)
    finally:
        if keeps:
            database.execute(f"DROP TABLE {KEPT}").fetchall()


def _kept(database: duckdb.DuckDBPyConnection, task: Task, query: str) -> str:
    """Create a table of transformed rows; returns the query that reads them.

    The table has no lineage: texts that are equal in all rows would take a quarter of its memory.
    """
    names = ", ".join(column.name for column in LINEAGE)
    database.execute(f"CREATE TEMP TABLE {KEPT} AS SELECT * EXCLUDE ({names}) FROM ({query})").fetchall()  # noqa: S608 (generated)
    values = lineage(task.file.version, task.run)
    listed = ", ".join(
        f"{translated_expression(values[f'_{column.name}'])} AS {column.name}" for column in LINEAGE
    )
    return f"SELECT *, {listed} FROM {KEPT}"  # noqa: S608 (generated)


@lru_cache(maxsize=128)
def _transform(dataset: str, columns: tuple[SourceColumn, ...]) -> str:
    """The transform of files with these columns. Composing it takes longer than loading a small file."""
    return translated(transform_sql(dataset, source_columns(columns)))


def _write_tables(database: duckdb.DuckDBPyConnection, task: Task, read: int) -> Answer:
    """Write the data files of `read` transformed rows."""
    table = DATASETS[task.file.dataset].table
    trips = _copy(
        database,
        f"SELECT {_columns(columns_of(table), {})} FROM transformed WHERE reason_bits = 0",  # noqa: S608 (generated)
        task.folder / "trips.parquet",
        task.trips,
    )
    quarantine = None
    reasons: dict[str, int] = {}
    if trips.rows != read:
        quarantine = _write_quarantine(database, task)
        reasons = _count_reasons(database, quarantine)
    kept = trips.rows + (quarantine.rows if quarantine else 0)
    if kept != read:
        raise NotLoadable(f"{read} rows were read, but {kept} written or quarantined")
    refuse_unlike_texts(database, task, trips, quarantine)
    return Answer(
        read=read,
        trips=trips if trips.rows else None,
        quarantine=quarantine,
        reasons=reasons,
        other_months=_count_other_months(database, task, trips),
        day_totals=_day_totals(database, task, trips),
    )


def _create_source(database: duckdb.DuckDBPyConnection, task: Task) -> int:
    """Create the view from which the transform reads; returns the number of rows that it must have."""
    file = task.file
    if file.format == "csv":
        if task.rows is None:
            raise NotLoadable("its rows were not counted")
        plain, rows = task.folder / "plain.csv", task.rows
        write_plain(task.path, plain, file)
        query = csv_query(plain, file)
    else:
        rows = parquet_rows(database, task.path)
        refuse_unlike_pages(database, task.path)
        query = parquet_query(task.path, file)
        refuse_dotted_i(database, query, file)
    known = {name: translated_expression(text) for name, text in constants(file, task.run).items()}
    listed = ", ".join(f"{text} AS {_unquoted(name)}" for name, text in known.items())
    view = f"CREATE OR REPLACE TEMP VIEW {SOURCE} AS SELECT *, {listed} FROM ({query})"  # noqa: S608 (generated)
    database.execute(view).fetchall()
    if file.dialect.skip_lines:
        repeated = f"SELECT 1 FROM {SOURCE} WHERE {header_condition(file)} LIMIT 1"  # noqa: S608 (generated)
        if database.execute(repeated).fetchall():
            raise NotLoadable("a row repeats the header")
    return rows


def _unquoted(name: str) -> str:
    """A name from `constants` as a DuckDB identifier; names of key values are in backticks there."""
    if not name.startswith("`"):
        return name
    return quoted(name[1:-1].replace("``", "`"))


def _write_quarantine(database: duckdb.DuckDBPyConnection, task: Task) -> WrittenFile:
    values = {
        "dataset": translated_expression(literal(task.file.dataset)),
        "reasons": translated_expression(reasons_of("reason_bits")),
        "file_failure": "NULL",
    }
    listed = _columns(columns_of(QUARANTINE), values)
    query = f"SELECT {listed} FROM transformed WHERE reason_bits <> 0"  # noqa: S608 (generated)
    return _copy(database, query, task.folder / "quarantine.parquet", task.quarantine)


def _columns(columns: tuple[TableColumn, ...], values: Mapping[str, str]) -> str:
    """The select list of a table's columns, from `values` or from columns of the same names."""
    return ", ".join(
        f"CAST({values.get(column.name, quoted(column.name))} AS {DUCKDB_TYPES[column.type]}) "
        f"AS {quoted(column.name)}"
        for column in columns
    )


def _copy(database: duckdb.DuckDBPyConnection, query: str, path: Path, ids: FieldIds) -> WrittenFile:
    """Write a query's rows as a Parquet file with Iceberg's field IDs."""
    fields = ", ".join(f"{quoted(name)}: {_field_id(number)}" for name, number in ids.items())
    options = (
        f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS}, FIELD_IDS {{{fields}}}, "
        "RETURN_STATS"
    )
    found = database.execute(f"COPY ({query}) TO '{path}' ({options})").fetchall()
    [(_, rows, size, _, columns, _, _)] = found
    starts: dict[int, int] = {}
    for group, offset in first_pages(database, path):
        starts[group] = min(offset, starts.get(group, offset))
    return WrittenFile(path, int(rows), int(size), columns, tuple(starts[group] for group in sorted(starts)))


def _field_id(number: "int | Mapping[str, int]") -> str:
    if isinstance(number, int):
        return str(number)
    parts = (f"{name or '__duckdb_field_id'}: {part}" for name, part in number.items())
    return f"{{{', '.join(parts)}}}"


def _count_reasons(database: duckdb.DuckDBPyConnection, quarantine: WrittenFile) -> dict[str, int]:
    """The quarantined rows by reason, in the order of `Reason`."""
    query = f"SELECT unnest(reasons), count(*) FROM '{quarantine.path}' GROUP BY 1"  # noqa: S608 (own path)
    found = dict(database.execute(query).fetchall())
    return {str(reason): int(found[reason]) for reason in Reason if reason in found}


def _day_totals(database: duckdb.DuckDBPyConnection, task: Task, trips: WrittenFile) -> list[tuple[Any, ...]]:
    """The trips by day of a file with a month in its name."""
    if task.file.month is None or not trips.rows:
        return []
    day, *totals = map(translated_expression, day_totals(DATASETS[task.file.dataset]))
    condition = translated_expression(counted_rows(trips.rows))
    query = (
        f"SELECT CAST({day} AS VARCHAR), {', '.join(totals)} FROM '{trips.path}' WHERE {condition} GROUP BY 1"  # noqa: S608 (own path)
    )
    return database.execute(query).fetchall()


def _count_other_months(database: duckdb.DuckDBPyConnection, task: Task, trips: WrittenFile) -> int:
    """The trips with a pickup outside the month in the file's name; 0 if the name has none."""
    month = task.file.month
    if month is None or not trips.rows:
        return 0
    query = f"SELECT count(*) FROM '{trips.path}' WHERE {PICKUP_MONTH} <> {month}"  # noqa: S608 (own path and numbers)
    return int(database.execute(query).fetchall()[0][0])
