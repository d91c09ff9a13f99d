"""Queries the tables without a JVM: PyIceberg reads the Glue catalog, DuckDB runs the SQL.

DuckDB's own Iceberg extension is not on PyPI. Each table that a query names is therefore an Arrow dataset of
its current data files, of which DuckDB streams only the columns and row groups that it needs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.io.pyarrow import PyArrowFileIO, schema_to_pyarrow
from pyiceberg.table import Table

from ops.deployment import Deployment
from ops.errors import CliError
from ops.session import Session
from taxi_etl.saved_queries import CURRENT_ZONES

VIEWS = {"current_zones": CURRENT_ZONES}
"""The views that a query may name, by name."""


@dataclass(frozen=True)
class Answer:
    """The result of a query, cut at the limit; `more` is true if there are more rows."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    more: bool

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document of the result."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"columns": self.columns, "rows": rows, "more": self.more}


def glue_catalog(session: Session) -> Catalog:
    """Return PyIceberg's view of the account's Glue catalog."""
    access_key, secret_key, token = session.credentials()
    properties = {
        "client.region": session.region,
        "client.access-key-id": access_key,
        "client.secret-access-key": secret_key,
        "client.session-token": token,
        "glue.endpoint": session.endpoint_url,
        "s3.endpoint": session.endpoint_url,
    }
    return load_catalog("glue", type="glue", **{name: value for name, value in properties.items() if value})


def query(session: Session, deployment: Deployment, sql: str, limit: int = 100) -> Answer:
    """Run one SQL query on the deployment's tables; see `run`."""
    return run(glue_catalog(session), deployment.taxi_database_name, sql, limit)


def run(catalog: Catalog, database: str, sql: str, limit: int) -> Answer:
    """Run one SQL query in DuckDB's dialect on the tables of a database, which it names without the database.

    The query may also name the views of `VIEWS`, where their tables exist.

    Raises CliError with DuckDB's error and the names of the tables.
    """
    known = sorted(name for *_, name in catalog.list_tables(database))
    views = {name: text for name, text in VIEWS.items() if _names(name, sql)}
    named = [name for name in known if any(_names(name, text) for text in (sql, *views.values()))]
    tables = {name: arrow(catalog.load_table((database, name))) for name in named}
    try:
        return _select(tables, views, sql, limit)
    except duckdb.Error as error:
        step = f"correct the SQL; the tables are {', '.join(known)}" if known else "load a file first"
        raise CliError(str(error), step) from None


def _names(name: str, sql: str) -> bool:
    """Whether a query may name a table or view."""
    return bool(re.search(rf"\b{re.escape(name)}\b", sql, re.IGNORECASE))


def _select(
    tables: Mapping[str, ds.Dataset | pa.Table], views: Mapping[str, str], sql: str, limit: int
) -> Answer:
    """Run the query in a DuckDB that can read these tables and views, but no file and no variable of this
    program."""
    isolated: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "python_enable_replacements": "false",
    }
    with duckdb.connect(":memory:", config=isolated) as engine:
        for name, table in tables.items():
            engine.register(name, table)
        for name, text in views.items():
            engine.execute(f"CREATE VIEW {name} AS {text}")
        kinds = [statement.type for statement in engine.extract_statements(sql)]
        if kinds != [duckdb.StatementType.SELECT]:
            raise CliError(
                "the SQL is not a single SELECT", "give one SELECT statement; query cannot change tables"
            )
        # Through Arrow, because DuckDB's own conversion of times with a zone needs another library.
        found = engine.sql(sql).limit(limit + 1).to_arrow_table()
        columns = [_python_values(column) for column in found.columns]
        rows = list(zip(*columns, strict=True))
    return Answer(found.column_names, rows[:limit], len(rows) > limit)


def _python_values(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column; as texts if there are times that Python cannot hold, as of the year 10000."""
    try:
        # A map is a list of entries; for a duplicate key the last entry counts.
        values: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    except (ValueError, OverflowError):
        values = column.cast(pa.string()).to_pylist()
    return values


def arrow(table: Table) -> ds.Dataset | pa.Table:
    """Return the rows of a table's current snapshot as a lazy dataset of its data files.

    A dataset matches columns by name and ignores delete files. That is right as long as the table has no
    delete files, and each of its columns has had one name and each name one column, as the job writes it;
    otherwise PyIceberg, which matches columns by ID, reads the whole table.
    """
    tasks = list(table.scan().plan_files())
    if any(task.delete_files for task in tasks) or _names_are_ambiguous(table):
        return table.scan().to_arrow()
    schema = schema_to_pyarrow(table.schema(), include_field_ids=False)
    if not tasks:
        return ds.dataset(pa.Table.from_batches([], schema))
    if not isinstance(table.io, PyArrowFileIO):
        return table.scan().to_arrow()
    places = [PyArrowFileIO.parse_location(task.file.file_path) for task in tasks]
    files = table.io.fs_by_scheme(*places[0][:2])
    parquet = ds.ParquetFileFormat()
    fragments = [parquet.make_fragment(path, filesystem=files) for _, _, path in places]
    return ds.FileSystemDataset(fragments, schema, parquet, files)


def _names_are_ambiguous(table: Table) -> bool:
    """Return whether a column ever had two names, or a name two columns (one dropped, another added).

    Nested fields count too, by their full names; a data file may have been written under any schema.
    """
    pairs = {
        (field_id, schema.find_column_name(field_id))
        for schema in table.schemas().values()
        for field_id in schema.field_ids
    }
    ids, names = {field_id for field_id, _ in pairs}, {name for _, name in pairs}
    return not len(pairs) == len(ids) == len(names)
