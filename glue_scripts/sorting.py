"""Sorting by pickup time: one shuffle into ranges of days, each sorted by one task."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn

from taxi_etl.identity import FileVersion
from taxi_etl.transform.day_ranges import day_ranges


def in_day_ranges(spark: SparkSession, rows: DataFrame, versions: Sequence[FileVersion]) -> DataFrame:
    """Repartition and sort the rows of these files so that no pickup day spans two data files of a source.

    Each file gets as many ranges of days as it has Spark input partitions.
    """
    session: Any = spark
    part_bytes = session._jsparkSession.sessionState().conf().filesMaxPartitionBytes()
    count, row_range = day_ranges(versions, int(part_bytes))
    return rows.repartitionById(count, fn.expr(row_range)).sortWithinPartitions(
        "source_id", "pickup_datetime"
    )
