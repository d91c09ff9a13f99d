"""What do the transform's tests share? Two engines that must give the same rows for the same SQL."""

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from pyspark.sql import functions as fn

from glue_scripts.process_taxi_data import SESSION
from glue_scripts.reading import Located, read_csv, read_parquet, with_lineage
from taxi_etl.documents import AcceptedFile
from taxi_etl.identity import FileVersion
from taxi_etl.transform.sources import LINEAGE_COLUMNS, Run, lineage, source_columns

NOW = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)
RUN = Run("jr_1", NOW)
INGESTED_AT = "TIMESTAMP_NTZ '2025-07-01 12:00:00'"
"""An instant as both engines hand it to Python without asking for a zone."""
SPARK_NAMES = {"text": "string", "string": "string", "integer": "bigint", "timestamp": "timestamp_ntz"}

Row = tuple[Any, ...]


@dataclass
class Engines:
    """Spark and DuckDB; each runs the same text, and must give the same rows."""

    spark: Any
    duck: Any

    def values(self, kind: str, values: Sequence[Any], expression: str) -> list[Any]:
        """What an expression over the column `x` gives for each value, in order, on both engines alike."""
        kinds = SPARK_NAMES.get(kind, kind)
        listed = ", ".join(f"({place}, {_literal(value, kinds)})" for place, value in enumerate(values))
        text = f"SELECT {expression} AS y FROM VALUES {listed} AS source(place, x) ORDER BY place"
        return [row[0] for row in self.same(text, ordered=True)]

    def same(self, text: str, ordered: bool = False) -> list[Row]:
        """The rows of a query, which both engines must agree on."""
        with_spark = [_plain(tuple(row)) for row in self.spark.sql(text).collect()]
        with_duck = [_plain(row) for row in self.duck.execute(to_duckdb(text)).fetchall()]
        if not ordered:
            with_spark, with_duck = sorted(with_spark, key=repr), sorted(with_duck, key=repr)
        assert with_spark == with_duck, "Spark and DuckDB disagree"
        return with_spark

    def one_row(self, columns: dict[str, str]) -> str:
        """A `source` of one row: the given columns as SQL, lineage columns as a file of January 2024 has
        them."""
        version = FileVersion("lake", "raw/taxi/x_2024-01.csv", "v1")
        known = lineage(version, RUN) | {"_position": "CAST(7 AS bigint)", "_ingested_at": INGESTED_AT}
        assert set(known) == set(LINEAGE_COLUMNS)
        return f"(SELECT {', '.join(f'{text} AS {column}' for column, text in (columns | known).items())})"

    def offer(self, path: Path, dataset: str, file_format: str, columns: Sequence[tuple[str, str]]) -> str:
        """Make a file's rows available to both engines; returns the name of the view."""
        view = f"source_{uuid.uuid4().hex}"
        version = FileVersion("lake", f"raw/taxi/{path.name}", "v1")
        file = Located(AcceptedFile(version, dataset, file_format, tuple(columns)), f"file:{path}")
        rows = (read_csv if file_format == "csv" else read_parquet)(self.spark, [file])
        known = with_lineage(self.spark, rows, [file], RUN).withColumn("_ingested_at", fn.expr(INGESTED_AT))
        known.createOrReplaceTempView(view)
        literals = lineage(version, RUN) | {"_ingested_at": INGESTED_AT}
        literals = {column: to_duckdb_literal(text) for column, text in literals.items()}
        listed = ", ".join(f"{text} AS {column}" for column, text in literals.items())
        read = _duck_csv(path, columns) if file_format == "csv" else _duck_parquet(path)
        self.duck.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT *, {listed} FROM ({read})")
        return view


@pytest.fixture(scope="session")
def engines(spark: Any) -> Engines:
    """Both engines, Spark with the settings of the job."""
    for key, value in SESSION.items():
        spark.conf.set(key, value)
    duck = duckdb.connect()
    return Engines(spark, duck)


def to_duckdb(text: str) -> str:
    """The text as DuckDB reads it."""
    return sqlglot.transpile(text, read="spark", write="duckdb")[0]


def to_duckdb_literal(text: str) -> str:
    return to_duckdb(f"SELECT {text}").removeprefix("SELECT ")


def _duck_csv(path: Path, columns: Sequence[tuple[str, str]]) -> str:
    """DuckDB's way to the same view: all text, room for over-wide rows."""
    names = [name for name, _ in source_columns("csv", columns)]
    width = len(columns)
    fields = [f"c{place}" for place in range(width + 32)]
    typed = ", ".join(f"'{field}': 'VARCHAR'" for field in fields)
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    listed = ", ".join(f"{field} AS {name}" for field, name in zip(fields[:width], quoted, strict=False))
    surplus = f"nullif(trim(concat_ws(',', {', '.join(fields[width:])}), ','), '')"
    return (
        f"SELECT {listed}, {surplus} AS {quoted[-1]}, CAST(NULL AS bigint) AS _position "
        f"FROM read_csv('{path}', "
        f"columns={{{typed}}}, header=true, delim=',', quote='\"', escape='\"', null_padding=true, "
        "strict_mode=false, auto_detect=false) WHERE c0 IS NOT NULL OR c1 IS NOT NULL"
    )


def _duck_parquet(path: Path) -> str:
    numbered = f"read_parquet('{path}', file_row_number=true)"
    return f"SELECT * EXCLUDE (file_row_number), file_row_number AS _position FROM {numbered}"


def _literal(value: Any, kind: str) -> str:
    if value is None:
        return f"CAST(NULL AS {kind})"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"CAST('{escaped}' AS {kind})"
    return f"CAST('{value}' AS {kind})" if isinstance(value, float) else f"CAST({value} AS {kind})"


def _plain(row: Row) -> Row:
    return tuple(_comparable(value) for value in row)


def _comparable(value: Any) -> Any:
    """A value that compares equal across engines: NaN to NaN, maps whatever their order."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, dict):
        return dict(sorted(value.items()))
    return value
