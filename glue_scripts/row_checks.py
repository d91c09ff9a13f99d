"""Reads back the data files of staged files: the months of pickups, key values, and quarantined rows.

The limits and messages are in `loading.row_failures`.
"""

import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as fn

from glue_scripts.bad_rows import first_rows, trips_that_fail
from glue_scripts.iceberg import LakeTable
from glue_scripts.quarantine_writer import quarantined_rows
from loading.file_load import FileLoad, loadable
from loading.row_failures import (
    differs,
    fail_for_key_value,
    fail_for_month,
    fail_for_quarantined,
    has_too_many_outside,
    has_too_many_quarantined,
    repeated_values,
    unreadable_phrases,
    unreadable_sql,
)
from loading.storage import THREADS
from taxi_etl.datasets import DATASETS, PICKUP
from taxi_etl.failures import FailureCode
from taxi_etl.transform.predicates import PICKUP_MONTH, Reason
from taxi_etl.unusual_values import DayTotals, counted_rows, day_totals, measured_columns


def check_quarantine_shares(spark: SparkSession, loads: Sequence[FileLoad], limit: float) -> None:
    """Fail files whose share of quarantined rows is larger than `limit`, and explain their reasons.

    The failed files keep some of their rows.
    """
    failing = [load for load in loadable(loads) if has_too_many_quarantined(load, limit)]
    if not failing:
        return
    with ThreadPoolExecutor(min(THREADS, len(failing))) as pool:
        kept = list(pool.map(lambda load: first_rows(quarantined_rows(spark, [load])), failing))
    phrases = _unreadable(spark, [load for load in failing if Reason.UNPARSEABLE in load.reasons])
    for load, rows in zip(failing, kept, strict=True):
        load.bad_rows = rows
        fail_for_quarantined(load, limit, phrases.get(load.source_id, []))


def _unreadable(spark: SparkSession, loads: Sequence[FileLoad]) -> dict[str, list[str]]:
    """Phrases about the unreadable values of each file; files with the same columns share a query."""
    groups: dict[tuple[object, ...], list[FileLoad]] = {}
    for load in loads:
        groups.setdefault((load.source.file.dataset, load.source.file.all_columns), []).append(load)
    phrases: dict[str, list[str]] = {}
    for group in groups.values():
        view = f"quarantined_{uuid.uuid4().hex}"
        quarantined_rows(spark, group).createOrReplaceTempView(view)
        try:
            found = {row[0]: row for row in spark.sql(unreadable_sql(group[0], view)).collect()}
        finally:
            spark.catalog.dropTempView(view)
        phrases |= {load.source_id: unreadable_phrases(load, found[load.source_id]) for load in group}
    return phrases


def check_months(spark: SparkSession, trips: LakeTable, loads: Sequence[FileLoad]) -> None:
    """Fail files with too many pickups outside the month in their names.

    Only data files that hold such pickups by Iceberg's bounds are read.
    """
    mixed = [load for load in loadable(loads) if load.source.file.month and not _is_within(trips, load)]
    if not mixed:
        return
    months = {load.source_id: load.source.file.month for load in mixed}
    # An observation counts rows during the scan; a grouped query would need a shuffle.
    observation = Observation()
    counts = [fn.expr(f"count_if(source_id = '{source_id}')").alias(source_id) for source_id in months]
    outside = _pickup_months(spark, mixed).where(f"month <> {_by_source(months)}")
    outside.observe(observation, *counts).write.format("noop").mode("overwrite").save()
    for load in mixed:
        number = int(observation.get.get(load.source_id, 0))
        if has_too_many_outside(load, number):
            _fail_for_month(spark, load, number)


def day_totals_by_source(spark: SparkSession, loads: Sequence[FileLoad]) -> dict[str, list[DayTotals]]:
    """The trips of staged files by day and source: a scan of the few columns that it needs."""
    groups: dict[str, list[FileLoad]] = {}
    for load in loads:
        groups.setdefault(counted_rows(load.written), []).append(load)
    found: dict[str, list[DayTotals]] = {}
    for condition, group in groups.items():
        dataset = DATASETS[group[0].source.file.dataset]
        measured = "".join(f", {column} double" for column in measured_columns(dataset))
        rows = spark.read.schema(f"source_id string, {PICKUP} timestamp_ntz{measured}").parquet(
            *(file.location for load in group for file in load.trips)
        )
        texts = enumerate(day_totals(dataset))
        day, *totals = (fn.expr(text).alias(f"c{place}") for place, text in texts)
        for row in rows.where(condition).groupBy("source_id", day).agg(*totals).collect():
            found.setdefault(row[0], []).append(DayTotals.of_row(row[1:]))
    return found


def _pickup_months(spark: SparkSession, loads: Sequence[FileLoad]) -> DataFrame:
    """The source and the pickup's month of each row in the data files, for example 202401."""
    locations = [file.location for load in loads for file in load.trips]
    rows = spark.read.schema(f"source_id string, {PICKUP} timestamp_ntz").parquet(*locations)
    return rows.selectExpr("source_id", f"{PICKUP_MONTH} AS month")


def _by_source(months: Mapping[str, int | None]) -> str:
    """The SQL of the month that belongs to a row's source."""
    if len(set(months.values())) == 1:
        return str(next(iter(months.values())))
    entries = ", ".join(f"'{source_id}', {month}" for source_id, month in months.items())
    return f"element_at(map({entries}), source_id)"


def _is_within(trips: LakeTable, load: FileLoad) -> bool:
    """Whether all pickups of a file are in the month in its name, as far as Iceberg recorded their bounds."""
    bounds = [trips.time_bounds(file, PICKUP) for file in load.trips]
    month = load.source.file.month
    return all(each and all(100 * time.year + time.month == month for time in each) for each in bounds)


def _fail_for_month(spark: SparkSession, load: FileLoad, outside: int) -> None:
    """Fail a file because `outside` of its pickups are outside the month in its name."""
    month = load.source.file.month
    others = _pickup_months(spark, [load]).where(f"month <> {month}").groupBy("month").count()
    most = others.orderBy(fn.desc("count"), "month").first()
    fail_for_month(load, outside, (most["month"], most["count"]) if most else None)
    load.bad_rows = trips_that_fail(spark, load, f"{PICKUP_MONTH} <> {month}", FailureCode.WRONG_MONTH)


def check_key_values(spark: SparkSession, loads: Sequence[FileLoad]) -> None:
    """Fail files whose rows contradict the value in a folder of their key."""
    for load in loadable(loads):
        repeated = repeated_values(load)
        if not repeated or not load.trips:
            continue
        schema = ", ".join(f"{column.name} {column.type}" for column, _ in repeated)
        rows = spark.read.schema(schema).parquet(*(file.location for file in load.trips))
        conditions = [differs(column, value) for column, value in repeated]
        counts = rows.selectExpr(*(f"count_if({condition})" for condition in conditions)).collect()[0]
        for (column, value), condition, count in zip(repeated, conditions, counts, strict=True):
            if count:
                fail_for_key_value(load, column, value, count)
                load.bad_rows = trips_that_fail(spark, load, condition, FailureCode.CONTRADICTING_KEY)
