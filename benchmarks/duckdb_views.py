"""Views of any trip file in DuckDB, for the benchmark and the transform tests.

Unlike `duckdb_engine`, they read every CSV file: Python parses those that DuckDB would read differently.
"""

import csv
import gzip
import io
import uuid
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from duckdb_engine.parquet_source import parquet_query
from duckdb_engine.sql import LOCAL_PATH, quoted, translated_expression
from lambdas.validate_input.parquet_footer import read_footer
from taxi_etl.contents import HEAD_BYTES, Contents, inspect_csv
from taxi_etl.documents import AcceptedFile
from taxi_etl.transform.sources import source_columns


def contents_of(path: Path) -> Contents:
    """The contents that validation finds in a file's first or last bytes."""
    with path.open("rb") as file:
        if path.suffix != ".parquet":
            return inspect_csv(file.read(HEAD_BYTES), path.stat().st_size, gzipped=path.suffix == ".gz")
        file.seek(-8, 2)
        length = int.from_bytes(file.read(4), "little")
        file.seek(-length - 8, 2)
        return Contents(columns=read_footer(file.read()).columns)


def create_source_view(
    database: duckdb.DuckDBPyConnection,
    view: str,
    path: Path,
    file: AcceptedFile,
    lineage: Mapping[str, str],
    *,
    plain: bool = False,
) -> None:
    """Create the view that `statements.transform_sql` reads from; `lineage` holds Spark SQL literals.

    DuckDB parses a `plain` CSV file: each line has as many fields as the header, and no quotes.
    """
    values = {column: translated_expression(text) for column, text in lineage.items()}
    listed = ", ".join(f"{text} AS {column}" for column, text in values.items())
    if file.format == "csv":
        read = _csv(database, path, file, plain=plain)
    else:
        read = f"SELECT * EXCLUDE ({LOCAL_PATH}) FROM ({parquet_query([path], file)})"  # noqa: S608 (generated)
    database.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT *, {listed} FROM ({read})").fetchall()  # noqa: S608


def _csv(database: duckdb.DuckDBPyConnection, path: Path, file: AcceptedFile, *, plain: bool) -> str:
    """A query for the rows of a CSV file, all columns as text.

    Python parses files that are not plain, because it can check each line's number of fields.
    """
    names = [quoted(column.name) for column in source_columns(file.columns)]
    fields = [f"c{place}" for place in range(len(names))]
    listed = ", ".join(f"{field} AS {name}" for field, name in zip(fields, names, strict=True))
    if plain:
        typed = ", ".join(f"'{field}': 'VARCHAR'" for field in fields)
        rows, text = (
            f"read_csv('{path}', columns={{{typed}}}, header=true, delim=',', quote='', escape='', "
            f"auto_detect=false, compression='{file.compression}')",
            "CAST(NULL AS varchar)",
        )
    else:
        rows, text = f"csv_{uuid.uuid4().hex}", "_row_text"
        database.register(rows, _parsed(path, file))
    return f"SELECT {listed}, CAST(NULL AS bigint) AS _position, {text} AS _row_text FROM {rows}"  # noqa: S608


def _parsed(path: Path, file: AcceptedFile) -> pa.Table:
    """The rows of a small CSV file: fields `c0`, `c1`, … and the text of rows with a wrong field count."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if file.compression == "gzip" else content).decode(file.encoding)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    width, delimiter = len(file.columns), file.dialect.delimiter
    if file.encoding.startswith("utf-16"):
        records = filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        pairs = [(delimiter.join(fields), fields) for fields in records]
    else:
        lines = [line for line in text.split("\n") if line.strip()]
        pairs = [(line, next(csv.reader([line], delimiter=delimiter))) for line in lines]
    rows: list[list[str | None]] = []
    for line, fields in pairs[1 + file.dialect.skip_lines :]:
        surplus = any(field.strip() for field in fields[width:])
        wrong = len(fields) < width or surplus or (line.count('"') % 2 == 1)
        padded = [field or None for field in fields[:width]] + [None] * (width - len(fields))
        rows.append([*padded, line if wrong else None])
    names = [*(f"c{place}" for place in range(width)), "_row_text"]
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table(
        {name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=True)}
    )
