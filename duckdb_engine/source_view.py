"""Creates the view from which the transform reads: the rows of a task's files, and their lineage."""

from pathlib import Path

import duckdb

from duckdb_engine.csv_source import csv_query, header_condition, write_plain
from duckdb_engine.messages import NotLoadable, Task
from duckdb_engine.parquet_pages import refuse_unlike_pages
from duckdb_engine.parquet_source import parquet_query, parquet_rows, refuse_dotted_i, refuse_unlike_schemas
from duckdb_engine.sql import LOCAL_PATH, quoted, translated, translated_expression
from taxi_etl.transform.expressions import literal
from taxi_etl.transform.sources import SOURCE, constants

CONSTANTS = "file_constants"
"""The table of the lineage of several files, by local path."""


def create_source(database: duckdb.DuckDBPyConnection, task: Task) -> list[int]:
    """Create the view; returns the number of rows that each file must have."""
    query, rows = _csv(task) if task.layout.format == "csv" else _parquet(database, task)
    view = _with_constants(database, task, query)
    database.execute(f"CREATE OR REPLACE TEMP VIEW {SOURCE} AS {view}").fetchall()
    if task.layout.dialect.skip_lines:
        repeated = f"SELECT 1 FROM {SOURCE} WHERE {header_condition(task.layout)} LIMIT 1"  # noqa: S608 (generated)
        if database.execute(repeated).fetchall():
            raise NotLoadable("a row repeats the header")
    return rows


def _csv(task: Task) -> tuple[str, list[int]]:
    rows = []
    paths = _paths(task)
    for file, path in zip(task.files, paths, strict=True):
        if file.rows is None:
            raise NotLoadable("its rows were not counted")
        write_plain(file.path, path, file.entry)
        rows.append(file.rows)
    return csv_query(paths, task.layout), rows


def _parquet(database: duckdb.DuckDBPyConnection, task: Task) -> tuple[str, list[int]]:
    paths = _paths(task)
    rows = parquet_rows(database, paths)
    refuse_unlike_pages(database, paths)
    refuse_unlike_schemas(database, paths)
    query = parquet_query(paths, task.layout)
    refuse_dotted_i(database, query, task.layout)
    return query, rows


def _paths(task: Task) -> list[Path]:
    """The local files that DuckDB reads."""
    if task.layout.format == "csv":
        return [task.folder / f"plain-{number}.csv" for number in range(len(task.files))]
    return [file.path for file in task.files]


def _with_constants(database: duckdb.DuckDBPyConnection, task: Task, query: str) -> str:
    """The rows of `query` with the columns that are equal in all rows of a file.

    They are literals if there is one file, and otherwise come from a table of constants by local path.
    """
    if len(task.files) == 1:
        known = constants(task.layout, task.run)
        listed = ", ".join(
            f"{translated_expression(text)} AS {_unquoted(name)}" for name, text in known.items()
        )
        return f"SELECT * EXCLUDE ({LOCAL_PATH}), {listed} FROM ({query})"  # noqa: S608 (generated)
    rows = []
    for file, path in zip(task.files, _paths(task), strict=True):
        known = {"_path": literal(str(path)), **constants(file.entry, task.run)}
        rows.append("SELECT " + ", ".join(f"{text} AS {name}" for name, text in known.items()))
    # One translation for all files takes less time than one for each.
    table = translated(" UNION ALL ".join(rows))
    database.execute(f"CREATE OR REPLACE TEMP TABLE {CONSTANTS} AS {table}").fetchall()
    return (
        f"SELECT rows.* EXCLUDE ({LOCAL_PATH}), {CONSTANTS}.* EXCLUDE (_path) "  # noqa: S608 (generated)
        f"FROM ({query}) AS rows JOIN {CONSTANTS} ON rows.{LOCAL_PATH} = {CONSTANTS}._path"
    )


def _unquoted(name: str) -> str:
    """A name from `constants` as a DuckDB identifier; names of key values are in backticks there."""
    if not name.startswith("`"):
        return name
    return quoted(name[1:-1].replace("``", "`"))
