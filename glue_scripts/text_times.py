"""Reads the first rows of Parquet files whose times are texts, which decide the order of dates."""

from collections.abc import Sequence

from pyspark.sql import SparkSession

from glue_scripts.parquet_columns import spark_type, value_of
from glue_scripts.reading import FILE_OPTIONS
from glue_scripts.spark_errors import SPARK_ERRORS
from glue_scripts.stall_watchdog import StalledError, StallWatchdog
from loading.file_load import FileLoad
from loading.source_file import SourceFile
from loading.text_times import FIRST_ROWS, set_date_orders, text_times
from taxi_etl.schema import SourceColumn
from taxi_etl.transform.expressions import name


def decide_date_orders(spark: SparkSession, watchdog: StallWatchdog, loads: Sequence[FileLoad]) -> None:
    """Set the date orders of the files' columns, and fail files whose dates are ambiguous.

    A file that cannot be read keeps the default order; staging reports its error.
    """
    for load in loads:
        texts = text_times(load.source.file)
        if not texts:
            continue
        try:
            with watchdog.watch():
                values = _first_values(spark, load.source, texts)
        except (*SPARK_ERRORS, StalledError):
            continue
        set_date_orders(load, values)


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
