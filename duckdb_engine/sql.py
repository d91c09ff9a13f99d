"""The job's SQL in DuckDB's dialect, and connections with the settings that it needs."""

from functools import lru_cache

import duckdb
import sqlglot


def connect(**config: str | int) -> duckdb.DuckDBPyConnection:
    """An in-memory database.

    It does not use Parquet statistics, which leave out NaN: DuckDB would assume that a column has none.
    """
    database = duckdb.connect(config=dict(config))
    database.execute("SET disabled_optimizers = 'statistics_propagation'").fetchall()
    return database


@lru_cache(maxsize=128)
def translated(text: str) -> str:
    """A statement of Spark SQL in DuckDB's dialect. It is cached, because files of one layout share it."""
    return sqlglot.transpile(text, read="spark", write="duckdb")[0]


def translated_expression(text: str) -> str:
    """An expression of Spark SQL in DuckDB's dialect."""
    return translated(f"SELECT {text}").removeprefix("SELECT ")


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
