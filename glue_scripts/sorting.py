"""How do rows come in the order of their pick-ups? One shuffle, into tasks that each sort some days."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn

from taxi_etl.identity import FileVersion
from taxi_etl.transform.day_ranges import day_ranges


def in_day_ranges(spark: SparkSession, rows: DataFrame, versions: Sequence[FileVersion]) -> DataFrame:
    """The rows of these files, so that data files of one source have no pick-up days in common.

    A file has as many ranges of days as Spark reads it in parts.
    """
    session: Any = spark
    part_bytes = session._jsparkSession.sessionState().conf().filesMaxPartitionBytes()
    count, row_range = day_ranges(versions, int(part_bytes))
    return rows.repartitionById(count, fn.expr(row_range)).sortWithinPartitions(
        "source_id", "pickup_datetime"
    )
