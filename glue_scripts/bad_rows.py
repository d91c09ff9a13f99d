"""Reads and writes bad rows of failed files with Spark; see `loading.bad_rows`."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from glue_scripts.iceberg import LakeTable
from loading.bad_rows import ROWS_MAX, quarantine_rows
from loading.file_load import BadRow, FileLoad
from taxi_etl import tables
from taxi_etl.datasets import DATASETS
from taxi_etl.failures import FailureCode
from taxi_etl.identity import failed_source_id
from taxi_etl.schema import match_columns
from taxi_etl.transform.expressions import text_map
from taxi_etl.transform.sources import JobRun


def first_rows(rows: DataFrame) -> tuple[BadRow, ...]:
    """The first rows of data files of quarantine."""
    found = rows.select("reasons", "row_as_read", "position").limit(ROWS_MAX).collect()
    return tuple(BadRow(tuple(row[0]), dict(row[1]), row[2]) for row in found)


def trips_that_fail(
    spark: SparkSession, load: FileLoad, condition: str, reason: FailureCode
) -> tuple[BadRow, ...]:
    """The first staged trips of a file that meet a condition over its table's columns.

    Their values are texts under the names of the file's columns.
    """
    dataset = DATASETS[load.source.file.dataset]
    sources = match_columns(dataset, load.source.file.all_columns).sources
    schema = ", ".join(f"{column.name} {column.type}" for column in dataset.columns)
    values = {found[0].name: f"CAST({column} AS string)" for column, found in sources.items()}
    rows = (
        spark.read.schema(schema)
        .parquet(*(file.location for file in load.trips))
        .where(condition)
        .limit(ROWS_MAX)
        .selectExpr(f"{text_map(list(values.items()))} AS row")
    )
    return tuple(BadRow((str(reason),), dict(row[0])) for row in rows.collect())


@dataclass(frozen=True)
class BadRowWriter:
    """Writes bad rows of failed files as data files of quarantine."""

    spark: SparkSession
    quarantine: LakeTable
    run: JobRun

    def write(self, loads: Sequence[FileLoad]) -> None:
        """Write the rows of all failed files that have any, without committing them."""
        values = quarantine_rows(loads, self.run)
        if not values:
            return
        schema = ", ".join(f"{column.name} {column.type}" for column in tables.quarantine_columns())
        staged = self.quarantine.stage(self.spark.createDataFrame(values, schema).coalesce(1))
        for load in loads:
            load.bad_row_files = staged.get(failed_source_id(load.source_id), [])
