"""The order of dates in Parquet files whose times are texts, decided from their first rows.

Validation reads only the footers of Parquet files, which hold no values.
"""

from collections.abc import Sequence
from dataclasses import replace

from pyspark.sql import SparkSession

from glue_scripts.file_load import FileLoad
from glue_scripts.parquet_columns import spark_type, value_of
from glue_scripts.reading import FILE_OPTIONS, SourceFile
from glue_scripts.spark_errors import SPARK_ERRORS
from glue_scripts.stall_watchdog import StalledError, StallWatchdog
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import AcceptedFile
from taxi_etl.failures import FailureCode
from taxi_etl.schema import TEXTS, ColumnType, SourceColumn, match_columns
from taxi_etl.text_values import date_orders
from taxi_etl.transform.expressions import name

FIRST_ROWS = 1000


def decide_date_orders(spark: SparkSession, watchdog: StallWatchdog, loads: Sequence[FileLoad]) -> None:
    """Set the date orders of the files' columns, and fail files whose dates are ambiguous.

    A file that cannot be read keeps the usual order; staging reports its error.
    """
    for load in loads:
        texts = _text_times(load.source.file)
        if not texts:
            continue
        try:
            with watchdog.watch():
                values = _first_values(spark, load.source, texts)
        except (*SPARK_ERRORS, StalledError):
            continue
        orders, problem = date_orders(values)
        if problem:
            load.fail(FailureCode.AMBIGUOUS_DATES, problem)
            continue
        file = load.source.file
        columns = tuple(
            replace(column, date_order=orders.get(column.name, column.date_order)) for column in file.columns
        )
        load.source = replace(load.source, file=replace(file, columns=columns))


def _text_times(file: AcceptedFile) -> list[SourceColumn]:
    """A Parquet file's columns that hold times as texts; validation decides the date orders of CSV files."""
    if file.format != "parquet":
        return []
    dataset = DATASETS[file.dataset]
    sources = match_columns(dataset, file.columns).sources
    return [
        source
        for column in dataset.columns
        if column.type is ColumnType.TIMESTAMP
        for source in sources.get(column.name, ())
        if source.type in TEXTS
    ]


def _first_values(
    spark: SparkSession, source: SourceFile, texts: Sequence[SourceColumn]
) -> dict[str, list[str]]:
    """The values in a file's first rows by column, without nulls."""
    schema = ", ".join(f"{name(column.name)} {spark_type(column)}" for column in texts)
    values = [value_of(column) for column in texts]
    reader = spark.read.options(**FILE_OPTIONS).schema(schema)
    rows = reader.parquet(source.uri).limit(FIRST_ROWS).selectExpr(*values).collect()
    return {
        column.name: [row[place] for row in rows if row[place] is not None]
        for place, column in enumerate(texts)
    }
