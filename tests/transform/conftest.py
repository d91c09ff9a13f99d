"""Fixtures of the transform's tests: Spark and DuckDB, which must give the same rows for the same SQL."""

import math
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import functions as fn

from benchmarks import duckdb_views
from duckdb_engine.sql import connect, translated
from glue_scripts.process_taxi_data import SESSION
from glue_scripts.reading import decoder, read_csv, read_parquet, with_lineage
from loading.source_file import SourceFile
from taxi_etl.documents import AcceptedFile
from taxi_etl.identity import FileVersion
from taxi_etl.recognition import recognize
from taxi_etl.transform.sources import LINEAGE_COLUMNS, JobRun, constants, lineage, source_columns
from taxi_etl.transform.statements import reasons_of, transform_sql
from tests.fixtures.file_checks import scan

NOW = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)
RUN = JobRun("jr_1", NOW)
INGESTED_AT = "TIMESTAMP_NTZ '2025-07-01 12:00:00'"
"""A time without a zone, which both engines return to Python alike."""
SPARK_NAMES = {"text": "string", "string": "string", "integer": "bigint", "timestamp": "timestamp_ntz"}

AFTER_TABLE_COLUMNS = ("row_as_read", "position", "reason_bits", "reasons")
"""The columns that follow those of the table in the result of `Engines.statement`."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Transformed:
    """The rows of a transformed file, equal on both engines; `view` is DuckDB's view of the file."""

    dataset: str
    trips: pa.Table
    quarantined: pa.Table
    view: str

    @property
    def rows(self) -> tuple[int, int]:
        """The numbers of trips and of quarantined rows."""
        return len(self.trips), len(self.quarantined)


@dataclass
class Engines:
    """Spark and DuckDB; each runs the same text, and must give the same rows."""

    spark: Any
    duck: Any

    def values(self, kind: str, values: Sequence[Any], expression: str) -> list[Any]:
        """The results of an expression over the column `x`, one for each value, equal on both engines."""
        kinds = SPARK_NAMES.get(kind, kind)
        listed = ", ".join(f"({place}, {_literal(value, kinds)})" for place, value in enumerate(values))
        text = f"SELECT {expression} AS y FROM VALUES {listed} AS source(place, x) ORDER BY place"
        return [row[0] for row in self.same(text, ordered=True)]

    def same(self, text: str, ordered: bool = False) -> list[Row]:
        """The rows of a query, which both engines must agree on."""
        with_spark = [_plain(tuple(row)) for row in self.spark.sql(text).collect()]
        with_duck = [_plain(row) for row in self.duck.execute(translated(text)).fetchall()]
        if not ordered:
            with_spark, with_duck = sorted(with_spark, key=repr), sorted(with_duck, key=repr)
        assert with_spark == with_duck, "Spark and DuckDB disagree"
        return with_spark

    def one_row(self, columns: dict[str, str]) -> str:
        """A `source` of one row: the given columns as SQL, lineage columns as a file of January 2024 has
        them."""
        version = FileVersion("lake", "raw/taxi/x_2024-01.csv", "v1")
        known = lineage(version, RUN) | {
            "_position": "CAST(7 AS bigint)",
            "_row_text": "CAST(NULL AS string)",
            "_ingested_at": INGESTED_AT,
        }
        assert set(known) == set(LINEAGE_COLUMNS)
        return f"(SELECT {', '.join(f'{text} AS {column}' for column, text in (columns | known).items())})"

    def transform(self, path: Path, name: str = "") -> Transformed:
        """A file's way through validation's reading of it, recognition, both readers and the statement.

        `name` is the file's name in the bucket where it is not the path's. Fails where an engine has a row
        that the other has not.
        """
        name = name or path.name
        found = duckdb_views.contents_of(path)
        recognition = recognize(found.columns, name)
        assert recognition.dataset, f"{name}: {recognition.failures}"
        version = FileVersion("lake", f"raw/taxi/{name}", "v1")
        return self.transform_accepted(path, AcceptedFile.of(version, recognition.dataset, found))

    def transform_accepted(self, path: Path, file: AcceptedFile) -> Transformed:
        """The rows of an accepted file. Fails where an engine has a row that the other has not."""
        view = self.offer(path, file)
        offered = source_columns(file.all_columns)
        with decoder(self.spark, by_row=file.row_decoder):
            rows = self.same_table(self.statement(file.dataset, offered, view))
        valid = pc.equal(rows["reason_bits"], 0)
        trips = rows.filter(valid).drop_columns(list(AFTER_TABLE_COLUMNS))
        return Transformed(file.dataset, trips, rows.filter(pc.invert(valid)), view)

    @staticmethod
    def statement(dataset: str, offered: Sequence[tuple[str, str]], view: str) -> str:
        """The SQL of `transform_sql`, with each row's reasons as an array in a last column."""
        text = transform_sql(dataset, offered, view)
        return f"SELECT *, {reasons_of('reason_bits')} AS reasons FROM ({text})"

    def same_table(self, text: str) -> pa.Table:
        """The rows of a query as an Arrow table. Fails unless both engines return the same rows."""
        spark_rows = self.spark.sql(text).toArrow()
        duck_rows = self.duck.sql(translated(text)).to_arrow_table()
        assert spark_rows.column_names == duck_rows.column_names
        self.duck.register("spark_rows", spark_rows)
        self.duck.register("duck_rows", duck_rows)
        try:
            for some, others in (("spark_rows", "duck_rows"), ("duck_rows", "spark_rows")):
                only = f"(SELECT * FROM {some} EXCEPT ALL SELECT * FROM {others})"
                rows = self.duck.execute(f"SELECT * FROM {only} LIMIT 3").fetchall()
                assert rows == [], f"rows that are in {some} only, the first three"
        finally:
            self.duck.unregister("spark_rows")
            self.duck.unregister("duck_rows")
        return spark_rows

    def offer(self, path: Path, accepted: AcceptedFile) -> str:
        """Make a file's rows available to both engines; returns the name of the view."""
        view = f"source_{uuid.uuid4().hex}"
        file = SourceFile(accepted, f"file:{path}", unbalanced_quotes=_unbalanced_quotes(path, accepted))
        rows = (read_csv if accepted.format == "csv" else read_parquet)(self.spark, [file])
        known = with_lineage(self.spark, rows, [file], RUN).withColumn("_ingested_at", fn.expr(INGESTED_AT))
        known.createOrReplaceTempView(view)
        known_here = constants(accepted, RUN) | {"_ingested_at": INGESTED_AT}
        duckdb_views.create_source_view(self.duck, view, path, accepted, known_here)
        return view


@pytest.fixture(scope="session")
def engines(spark: Any) -> Engines:
    """Both engines, Spark with the settings of the job."""
    for key, value in SESSION.items():
        spark.conf.set(key, value)
    return Engines(spark, connect())


@pytest.fixture
def interpreted(spark: Any) -> Iterator[None]:
    """Spark without compiling each plan, four times as fast for small files."""
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    yield
    spark.conf.set("spark.sql.codegen.wholeStage", "true")


def _unbalanced_quotes(path: Path, file: AcceptedFile) -> bool:
    if file.format != "csv":
        return False
    return scan(path, file).unbalanced_quotes


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
    """A value that compares equal across engines: NaN to NaN, maps in any order."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, dict):
        return dict(sorted(value.items()))
    return value
