"""How does one query the tables without a JVM? PyIceberg reads the Glue catalog, DuckDB runs the SQL.

DuckDB's own Iceberg extension is not on PyPI, so each table that a query names is handed over as an Arrow
dataset of its current data files: DuckDB then reads only the columns and row groups it needs, in a stream.
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


@dataclass(frozen=True)
class Answer:
    """What a query found: at most as many rows as asked for; `more` says that there were others."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    more: bool

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"columns": self.columns, "rows": rows, "more": self.more}


def glue_catalog(session: Session) -> Catalog:
    """The account's Glue catalog, as PyIceberg sees it."""
    access_key, secret_key, token = session.credentials()
    given = {
        "client.region": session.region,
        "client.access-key-id": access_key,
        "client.secret-access-key": secret_key,
        "client.session-token": token,
        "glue.endpoint": session.endpoint_url,
        "s3.endpoint": session.endpoint_url,
    }
    return load_catalog("glue", type="glue", **{name: value for name, value in given.items() if value})


def query(session: Session, deployment: Deployment, sql: str, limit: int = 100) -> Answer:
    """Run one SQL query on the deployment's tables of trips; see `run`."""
    return run(glue_catalog(session), deployment.taxi_database_name, sql, limit)


def run(catalog: Catalog, database: str, sql: str, limit: int) -> Answer:
    """Run one SQL query of DuckDB's dialect on the tables of a database, named without it.

    Raises CliError for SQL that DuckDB refuses, naming the tables there are.
    """
    known = sorted(name for *_, name in catalog.list_tables(database))
    named = [name for name in known if re.search(rf"\b{re.escape(name)}\b", sql, re.IGNORECASE)]
    tables = {name: arrow(catalog.load_table((database, name))) for name in named}
    try:
        return _ask(tables, sql, limit)
    except duckdb.Error as error:
        there = (
            f"the tables are {', '.join(known)}" if known else "there are no tables yet: load a file first"
        )
        raise CliError(str(error), f"mend the SQL; {there}") from None


def _ask(tables: Mapping[str, ds.Dataset | pa.Table], sql: str, limit: int) -> Answer:
    """The answer of a DuckDB that sees these tables, no files, and no variables of this program."""
    shut: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "python_enable_replacements": "false",
    }
    with duckdb.connect(":memory:", config=shut) as engine:
        for name, table in tables.items():
            engine.register(name, table)
        kinds = [statement.type for statement in engine.extract_statements(sql)]
        if kinds != [duckdb.StatementType.SELECT]:
            raise CliError(
                "this is not one query", "ask with a single SELECT; nothing can be changed from here"
            )
        # Through Arrow: DuckDB's own conversion of times with a zone wants another library.
        found = engine.sql(sql).limit(limit + 1).to_arrow_table()
        # A map lists its entries; of a key that came twice the last counts.
        columns = [column.to_pylist(maps_as_pydicts="lossy") for column in found.columns]
        rows = list(zip(*columns, strict=True))
    return Answer(found.column_names, rows[:limit], len(rows) > limit)


def arrow(table: Table) -> ds.Dataset | pa.Table:
    """The rows of a table's current snapshot: a dataset of its files, read when and as far as needed.

    A dataset matches columns by name and knows no delete files. The job overwrites whole files and only ever
    adds columns; should anything else have changed the table, PyIceberg reads it whole.
    """
    tasks = list(table.scan().plan_files())
    if any(task.delete_files for task in tasks) or _was_renamed(table):
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


def _was_renamed(table: Table) -> bool:
    """Whether any column has had another name."""
    names: dict[int, str] = {}
    fields = (field for schema in table.schemas().values() for field in schema.fields)
    return any(names.setdefault(field.field_id, field.name) != field.name for field in fields)
