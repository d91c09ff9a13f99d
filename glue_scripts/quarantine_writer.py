"""Writes the side output of quarantined rows to the quarantine table, for all files of a dataset together."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession

from glue_scripts.iceberg import LakeTable
from glue_scripts.quarantine_side_output import unpack_quarantined
from loading.discarding import discard_on_error
from loading.file_load import FileLoad, loadable
from taxi_etl.failures import FailureCode
from taxi_etl.transform.predicates import Reason
from taxi_etl.transform.sources import JobRun


def write_quarantine(
    spark: SparkSession, quarantine: LakeTable, loads: Sequence[FileLoad], run: JobRun
) -> None:
    """Replace each load's side output with data files of quarantine, and count their rows by reason.

    A file fails if it has another number of rows in quarantine than in the side output.
    """
    loads = [load for load in loadable(loads) if load.quarantine]
    if not loads:
        return
    side_output = [file for load in loads for file in load.quarantine]
    locations = [file.location for file in side_output]
    rows = unpack_quarantined(spark, locations, loads[0].source.file.dataset, run.run_id)
    with discard_on_error(lambda: [(quarantine, side_output)]):
        staged = quarantine.stage(rows)
    for load in loads:
        expected, load.quarantine = load.quarantined, staged.get(load.source_id, [])
        if load.quarantined != expected:
            kept = f"{expected} rows failed validation, but {load.quarantined} are in quarantine"
            load.fail(FailureCode.ROWS_LOST, kept)
    quarantine.discard(side_output)
    whole = loadable(loads)
    if whole:
        _count_reasons(spark, whole)


def quarantined_rows(spark: SparkSession, loads: Sequence[FileLoad]) -> DataFrame:
    """The rows in the loads' data files of quarantine."""
    schema = "source_id string, reasons array<string>, row_as_read map<string, string>, position bigint"
    return spark.read.schema(schema).parquet(*(file.location for load in loads for file in load.quarantine))


def _count_reasons(spark: SparkSession, loads: Sequence[FileLoad]) -> None:
    """Count each file's rows by reason; a row with two reasons counts under both."""
    counted = quarantined_rows(spark, loads).groupBy("source_id", "reasons").count().collect()
    for load in loads:
        found = [(row["reasons"], row["count"]) for row in counted if row["source_id"] == load.source_id]
        by_reason = {
            str(reason): sum(count for reasons, count in found if reason in reasons) for reason in Reason
        }
        load.reasons = {reason: count for reason, count in by_reason.items() if count}
