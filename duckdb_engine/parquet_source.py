"""Reads Parquet files with DuckDB, with the same values as Spark's reader."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from duckdb_engine.messages import DOTTED_I, NotLoadable
from duckdb_engine.parquet_pages import FIRST_PAGE
from duckdb_engine.sql import LOCAL_PATH, path_list, quoted
from loading.text_times import FIRST_ROWS
from taxi_etl.documents import AcceptedFile
from taxi_etl.schema import TEXTS, SourceColumn, SourceType
from taxi_etl.text_values import CONTROL_CHARACTERS
from taxi_etl.transform.sources import source_columns


def parquet_query(paths: Sequence[Path], file: AcceptedFile) -> str:
    """A query for the rows of Parquet files with one schema.

    Nanoseconds are truncated, where a cast would round them.
    """
    offered = source_columns(file.columns)
    # DuckDB appends a number to names that differ only in case.
    seen = [column.name.casefold() for column in file.columns]
    repeats = [seen[:place].count(name) for place, name in enumerate(seen)]
    values = [
        f"{_value(replace(column, name=column.name + (f'_{repeat}' if repeat else '')))} "
        f"AS {quoted(offer.name)}"
        for column, offer, repeat in zip(file.columns, offered, repeats, strict=True)
    ]
    listed = ", ".join(
        [*values, "file_row_number AS _position", "CAST(NULL AS varchar) AS _row_text", LOCAL_PATH]
    )
    reader = (
        f"read_parquet({path_list(paths)}, file_row_number=true, filename='{LOCAL_PATH}', "
        "hive_partitioning=false)"
    )
    return f"SELECT {listed} FROM {reader}"  # noqa: S608 (generated)


def refuse_dotted_i(database: duckdb.DuckDBPyConnection, query: str, file: AcceptedFile) -> None:
    """Raise NotLoadable if a text in the rows of `query` contains İ, which the engines lower differently."""
    names = [quoted(column.name) for column in source_columns(file.columns) if column.type in TEXTS]
    if names:
        found = " OR ".join(f"contains({name}, '{DOTTED_I}')" for name in names)
        # A text that is null makes its part of the condition null, not false.
        count = f"SELECT count(*) FROM ({query}) WHERE {found}"  # noqa: S608 (generated)
        if database.execute(count).fetchall() != [(0,)]:
            raise NotLoadable("a value contains a capital i with a dot")


def first_values(
    database: duckdb.DuckDBPyConnection, path: Path, file: AcceptedFile, names: Sequence[str]
) -> dict[str, list[str]]:
    """The values of text columns in the file's first rows by column, without nulls."""
    offered = source_columns(file.columns)
    listed = ", ".join(
        quoted(offer.name)
        for column, offer in zip(file.columns, offered, strict=True)
        if column.name in names
    )
    rows = f"SELECT {listed} FROM ({parquet_query([path], file)}) ORDER BY _position LIMIT {FIRST_ROWS}"  # noqa: S608 (generated)
    found = database.execute(rows).fetchall()
    held = [column.name for column in file.columns if column.name in names]
    return {name: [row[place] for row in found if row[place] is not None] for place, name in enumerate(held)}


def parquet_rows(database: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> list[int]:
    """The numbers of rows that the footers declare."""
    query = f"SELECT file_name, num_rows FROM parquet_file_metadata({path_list(paths)})"  # noqa: S608 (own paths)
    found = dict(database.execute(query).fetchall())
    return [int(found[str(path)]) for path in paths]


def refuse_unlike_schemas(database: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    """Raise NotLoadable for files whose columns have different types, which DuckDB would cast to one."""
    if len(paths) == 1:
        return
    column = "(name, type, type_length, num_children, converted_type, scale, precision, logical_type)"
    query = (
        f"SELECT count(DISTINCT columns) FROM (SELECT list({column}) AS columns "  # noqa: S608 (own paths)
        f"FROM parquet_schema({path_list(paths)}) GROUP BY file_name)"
    )
    if database.execute(query).fetchall() != [(1,)]:
        raise NotLoadable("the files have different schemas")


def first_pages(database: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> dict[str, tuple[int, ...]]:
    """The byte offset of the first page of each row group with values, by path."""
    query = (
        f"SELECT file_name, row_group_id, min({FIRST_PAGE}) FROM parquet_metadata({path_list(paths)}) "  # noqa: S608 (own paths)
        "WHERE num_values > 0 GROUP BY ALL ORDER BY ALL"
    )
    found: dict[str, tuple[int, ...]] = {str(path): () for path in paths}
    for path, _, offset in database.execute(query).fetchall():
        found[path] += (int(offset),)
    return found


def _value(column: SourceColumn) -> str:
    """The SQL for a Parquet column's value as Spark's reader returns it."""
    name = quoted(column.name)
    text = f"TRY(decode({name}))"
    return {
        # Spark reads single precision as double: 0.1 prints as 0.10000000149011612.
        SourceType.DOUBLE: f"CAST({name} AS DOUBLE)",
        SourceType.NANOSECONDS: _micros(name),
        SourceType.UTC_NANOSECONDS: _micros(name),
        SourceType.NEW_YORK_NANOSECONDS: (
            f"(({_micros(name)} AT TIME ZONE 'UTC') AT TIME ZONE 'America/New_York')"
        ),
        SourceType.UTC_INSTANT: f"({name}::timestamptz AT TIME ZONE 'UTC')",
        SourceType.NEW_YORK_INSTANT: f"({name}::timestamptz AT TIME ZONE 'America/New_York')",
        # A JSON column has a type of its own in DuckDB.
        SourceType.STRING: f"CAST({name} AS VARCHAR)",
        SourceType.NULL: "CAST(NULL AS VARCHAR)",
        SourceType.UNSUPPORTED: "CAST(NULL AS VARCHAR)",
        SourceType.UNSIGNED: f"CAST({name} AS DECIMAL(20, 0))",
        SourceType.UUID: f"CAST({name} AS VARCHAR)",
        SourceType.INSTANT: _micros(name)
        if column.unit == "ns"
        else f"CAST({name}::timestamptz AT TIME ZONE 'UTC' AS TIMESTAMP)",
        SourceType.TIME: f"CAST({name} AS VARCHAR)",
        SourceType.DURATION: f"{name} || ' {column.unit}'",
        SourceType.BYTES: f"CASE WHEN NOT regexp_matches({text}, '{CONTROL_CHARACTERS}') THEN {text} "
        f"ELSE '0x' || hex({name}) END",
    }.get(column.type, name)


def _micros(column: str) -> str:
    nanos = f"epoch_ns({column})"
    return f"make_timestamp(({nanos} - (({nanos} % 1000) + 1000) % 1000) // 1000)"
