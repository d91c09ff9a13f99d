"""The job's SQL in DuckDB's dialect, and connections with the settings that it needs."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import duckdb
import sqlglot

LOCAL_PATH = "_source_file"
"""The column in which the readers return the local path of a row's file, until the view replaces it."""


def connect(**config: str | int) -> duckdb.DuckDBPyConnection:
    """An in-memory database.

    It does not use Parquet statistics, which leave out NaN: DuckDB would assume that a column has none.
    It compares with the values of an IN list one by one. By default, DuckDB would join with a table of them,
    which takes longer to plan and to run for the short lists of the transform.
    """
    database = duckdb.connect(config=dict(config))
    database.execute("SET disabled_optimizers = 'statistics_propagation,in_clause'").fetchall()
    return database


@lru_cache(maxsize=128)
def translated(statement: str) -> str:
    """A statement of Spark SQL in DuckDB's dialect. It is cached, because files of one layout share it."""
    return sqlglot.transpile(statement, read="spark", write="duckdb")[0]


def translated_expression(expression: str) -> str:
    """An expression of Spark SQL in DuckDB's dialect."""
    return translated(f"SELECT {expression}").removeprefix("SELECT ")


def text(value: str) -> str:
    """A text as a literal."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def path_list(paths: Iterable[Path]) -> str:
    """Paths as an SQL list."""
    return "[" + ", ".join(text(str(path)) for path in paths) + "]"


def rows_in(paths: Iterable[Path]) -> str:
    """The rows of own Parquet files, as a table of a query."""
    return f"read_parquet({path_list(paths)}, hive_partitioning=false)"
