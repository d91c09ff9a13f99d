"""What do the transform's tests share? Two engines that must give the same rows for the same SQL."""

import math
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from pyspark.sql import functions as fn

from glue_scripts.process_taxi_data import SESSION
from glue_scripts.reading import Located, read_csv, read_parquet, with_lineage
from lambdas.validate_input.parquet_footer import read_schema
from taxi_etl.contents import Contents, inspect_csv
from taxi_etl.documents import AcceptedFile
from taxi_etl.identity import FileVersion
from taxi_etl.recognition import recognise
from taxi_etl.schema import Kind
from taxi_etl.transform.sources import LINEAGE_COLUMNS, SPARE_FIELDS, Run, lineage, source_columns
from taxi_etl.transform.statements import quarantined, trips

NOW = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)
RUN = Run("jr_1", NOW)
INGESTED_AT = "TIMESTAMP_NTZ '2025-07-01 12:00:00'"
"""An instant as both engines hand it to Python without asking for a zone."""
SPARK_NAMES = {"text": "string", "string": "string", "integer": "bigint", "timestamp": "timestamp_ntz"}

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Transformed:
    """What became of a file on both engines alike, as Arrow tables, and DuckDB's view of it as read."""

    dataset: str
    trips: pa.Table
    quarantined: pa.Table
    view: str

    @property
    def rows(self) -> tuple[int, int]:
        """How many trips and quarantined rows there are."""
        return len(self.trips), len(self.quarantined)


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

    def transform(self, path: Path, name: str = "") -> Transformed:
        """A file's way through validation's reading of it, recognition, both readers and both statements.

        `name` is the file's name in the bucket where it is not the path's. Fails where an engine has a row
        that the other has not.
        """
        name = name or path.name
        found = contents_of(path)
        recognition = recognise(found.columns, name)
        assert recognition.dataset, f"{name}: {recognition.rejections}"
        file_format = "parquet" if path.suffix == ".parquet" else "csv"
        version = FileVersion("lake", f"raw/taxi/{name}", "v1")
        file = AcceptedFile(
            version, recognition.dataset, file_format, found.columns, found.compression, found.encoding
        )
        view = self.offer(path, file)
        offered = source_columns(file_format, file.columns)
        return Transformed(
            file.dataset,
            self.same_table(trips(file.dataset, offered, view)),
            self.same_table(quarantined(file.dataset, offered, view)),
            view,
        )

    def same_table(self, text: str) -> pa.Table:
        """The rows of a query as an Arrow table; every row that one engine has, the other has as often."""
        spark_rows = self.spark.sql(text).toArrow()
        duck_rows = self.duck.sql(to_duckdb(text)).to_arrow_table()
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
        file = Located(accepted, f"file:{path}")
        is_csv = accepted.format == "csv"
        rows = (read_csv if is_csv else read_parquet)(self.spark, [file])
        known = with_lineage(self.spark, rows, [file], RUN).withColumn("_ingested_at", fn.expr(INGESTED_AT))
        known.createOrReplaceTempView(view)
        literals = lineage(accepted.version, RUN) | {"_ingested_at": INGESTED_AT}
        literals = {column: to_duckdb_literal(text) for column, text in literals.items()}
        listed = ", ".join(f"{text} AS {column}" for column, text in literals.items())
        read = _duck_csv(path, accepted) if is_csv else _duck_parquet(path, accepted)
        self.duck.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT *, {listed} FROM ({read})")
        return view


@pytest.fixture(scope="session")
def engines(spark: Any) -> Engines:
    """Both engines, Spark with the settings of the job."""
    for key, value in SESSION.items():
        spark.conf.set(key, value)
    duck = duckdb.connect()
    return Engines(spark, duck)


@pytest.fixture
def interpreted(spark: Any) -> Iterator[None]:
    """Spark without compiling each plan, four times as fast for small files."""
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    yield
    spark.conf.set("spark.sql.codegen.wholeStage", "true")


def to_duckdb(text: str) -> str:
    """The text as DuckDB reads it."""
    return sqlglot.transpile(text, read="spark", write="duckdb")[0]


def to_duckdb_literal(text: str) -> str:
    return to_duckdb(f"SELECT {text}").removeprefix("SELECT ")


def contents_of(path: Path) -> Contents:
    """What validation finds in a file's first or last bytes."""
    content = path.read_bytes()
    if path.suffix == ".parquet":
        length = int.from_bytes(content[-8:-4], "little")
        return Contents(columns=read_schema(content[-length - 8 :]).columns)
    return inspect_csv(content[: 64 * 1024], len(content), gzipped=path.suffix == ".gz")


def _duck_csv(path: Path, file: AcceptedFile) -> str:
    """DuckDB's way to the same view: all text, room for over-wide rows."""
    names = [name for name, _ in source_columns("csv", file.columns)]
    width = len(file.columns)
    fields = [f"c{place}" for place in range(width + SPARE_FIELDS)]
    typed = ", ".join(f"'{field}': 'VARCHAR'" for field in fields)
    quoted = [_quoted(name) for name in names]
    listed = ", ".join(f"{field} AS {name}" for field, name in zip(fields[:width], quoted, strict=False))
    surplus = f"nullif(trim(concat_ws(',', {', '.join(fields[width:])}), ','), '')"
    encoding = "utf-16" if file.encoding == "utf-16" else "utf-8"
    return (
        f"SELECT {listed}, {surplus} AS {quoted[-1]}, CAST(NULL AS bigint) AS _position "
        f"FROM read_csv('{path}', "
        f"columns={{{typed}}}, header=true, delim=',', quote='\"', escape='\"', null_padding=true, "
        f"strict_mode=false, auto_detect=false, encoding='{encoding}', compression='{file.compression}') "
        "WHERE c0 IS NOT NULL OR c1 IS NOT NULL"
    )


def _duck_parquet(path: Path, file: AcceptedFile) -> str:
    """DuckDB's way to the same view: nanoseconds are cut to microseconds, which a cast would round."""
    offered = source_columns("parquet", file.columns)
    values = [
        f"{_micros(_quoted(name)) if kind == Kind.NANOSECONDS else _quoted(name)} AS {_quoted(offer)}"
        for (name, kind), (offer, _) in zip(file.columns, offered, strict=True)
    ]
    listed = ", ".join([*values, "file_row_number AS _position"])
    return f"SELECT {listed} FROM read_parquet('{path}', file_row_number=true)"


def _micros(column: str) -> str:
    nanos = f"epoch_ns({column})"
    return f"make_timestamp(({nanos} - (({nanos} % 1000) + 1000) % 1000) // 1000)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


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
