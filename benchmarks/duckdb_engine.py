"""DuckDB as a second engine for the job's SQL, used by the benchmark and the transform tests."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import sqlglot

from lambdas.validate_input.parquet_footer import read_footer
from taxi_etl.contents import HEAD_BYTES, Contents, inspect_csv
from taxi_etl.documents import AcceptedFile
from taxi_etl.schema import SourceColumn, SourceType
from taxi_etl.transform.sources import SPARE_FIELDS, source_columns


def connect(**config: str | int) -> duckdb.DuckDBPyConnection:
    """An in-memory database.

    It does not use Parquet statistics, which leave out NaN: DuckDB would assume that a column has none.
    """
    database = duckdb.connect(config=dict(config))
    database.execute("SET disabled_optimizers = 'statistics_propagation'")
    return database


def translated(text: str) -> str:
    """Spark SQL in DuckDB's dialect."""
    return sqlglot.transpile(text, read="spark", write="duckdb")[0]


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
    database: duckdb.DuckDBPyConnection, view: str, path: Path, file: AcceptedFile, lineage: Mapping[str, str]
) -> None:
    """Create the view that `statements.judged` reads from; `lineage` holds Spark SQL literals."""
    values = {
        column: translated(f"SELECT {text}").removeprefix("SELECT ") for column, text in lineage.items()
    }
    listed = ", ".join(f"{text} AS {column}" for column, text in values.items())
    read = _csv(path, file) if file.format == "csv" else _parquet(path, file)
    database.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT *, {listed} FROM ({read})")  # noqa: S608


def _csv(path: Path, file: AcceptedFile) -> str:
    """A query for the rows of a CSV file, all columns as text. Spare fields hold what exceeds the header."""
    names = [_quoted(column.name) for column in source_columns("csv", file.columns)]
    width = len(file.columns)
    fields = [f"c{place}" for place in range(width + SPARE_FIELDS)]
    typed = ", ".join(f"'{field}': 'VARCHAR'" for field in fields)
    listed = ", ".join(f"{field} AS {name}" for field, name in zip(fields[:width], names, strict=False))
    surplus = f"nullif(trim(concat_ws(',', {', '.join(fields[width:])}), ','), '')"
    encoding = "utf-16" if file.encoding == "utf-16" else "utf-8"
    return (
        f"SELECT {listed}, {surplus} AS {names[-1]}, CAST(NULL AS bigint) AS _position "  # noqa: S608
        f"FROM read_csv('{path}', "
        f"columns={{{typed}}}, header=true, delim=',', quote='\"', escape='\"', null_padding=true, "
        f"strict_mode=false, auto_detect=false, encoding='{encoding}', compression='{file.compression}') "
        "WHERE c0 IS NOT NULL OR c1 IS NOT NULL"
    )


def _parquet(path: Path, file: AcceptedFile) -> str:
    """A query for the rows of a Parquet file. Nanoseconds are truncated, where a cast would round them."""
    offered = source_columns("parquet", file.columns)
    values = [
        f"{_value(column)} AS {_quoted(offer.name)}"
        for column, offer in zip(file.columns, offered, strict=True)
    ]
    listed = ", ".join([*values, "file_row_number AS _position"])
    return f"SELECT {listed} FROM read_parquet('{path}', file_row_number=true)"  # noqa: S608


def _value(column: SourceColumn) -> str:
    quoted = _quoted(column.name)
    return _micros(quoted) if column.type is SourceType.NANOSECONDS else quoted


def _micros(column: str) -> str:
    nanos = f"epoch_ns({column})"
    return f"make_timestamp(({nanos} - (({nanos} % 1000) + 1000) % 1000) // 1000)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
