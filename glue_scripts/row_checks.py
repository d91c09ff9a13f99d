"""Checks of the rows of each file before they are committed: the month in its name, and quarantined rows."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as fn

from glue_scripts.bad_rows import quarantined_rows, trips_that_fail
from glue_scripts.file_load import FileLoad, loadable
from glue_scripts.iceberg import LakeTable
from taxi_etl.datasets import DATASETS, DROPOFF, PICKUP
from taxi_etl.failures import FailureCode
from taxi_etl.first_values import unreadable_text
from taxi_etl.partitions import repeated_columns
from taxi_etl.recognition import month_of
from taxi_etl.schema import Column, SourceColumn, SourceType
from taxi_etl.transform import explanations, sources
from taxi_etl.transform.expressions import as_number, literal, typed
from taxi_etl.transform.predicates import Reason, pickup_range

OUTSIDE_SHARE_MAX = 0.05
"""The largest share of pickups outside the month in a file's name; the TLC's files have 1 in 1,000."""
OUTSIDE_ROWS_MIN = 10
"""Number of pickups that may be outside in any file; a month's first rows hold most of its outliers."""
EXPLAINED_COLUMNS_MAX = 3
"""How many columns a failure's message names."""


def check_months(spark: SparkSession, trips: LakeTable, loads: Sequence[FileLoad]) -> None:
    """Fail files with too many pickups outside the month in their names.

    Only data files that hold such pickups by Iceberg's bounds are read.
    """
    mixed: dict[str, list[Any]] = {}
    for load in loadable(loads):
        month = _month(load)
        if month is not None:
            mixed[load.source_id] = [file for file in load.trips if not _is_within(month, trips, file)]
    locations = [str(file.location()) for files in mixed.values() for file in files]
    if not locations:
        return
    month_of_row = fn.date_format(PICKUP, "yyyy-MM").alias("month")
    rows = spark.read.schema(f"source_id string, {PICKUP} timestamp_ntz").parquet(*locations)
    counts = rows.groupBy("source_id", month_of_row).count().collect()
    for load in loadable(loads):
        by_month = {row["month"]: int(row["count"]) for row in counts if row["source_id"] == load.source_id}
        if by_month:
            _check_month(spark, load, by_month)


def _is_within(month: tuple[int, int], trips: LakeTable, file: Any) -> bool:
    """Whether all pickups in a data file are in the month, as far as Iceberg noted their bounds."""
    bounds = trips.time_bounds(file, PICKUP)
    return bounds is not None and all((time.year, time.month) == month for time in bounds)


def check_key_values(spark: SparkSession, loads: Sequence[FileLoad]) -> None:
    """Fail files whose rows contradict the value in a folder of their key."""
    for load in loadable(loads):
        file = load.source.file
        repeated = repeated_columns(load.version.key, DATASETS[file.dataset], file.columns)
        if not repeated or not load.trips:
            continue
        columns = [column for column in DATASETS[file.dataset].columns if column.name in repeated]
        schema = ", ".join(f"{column.name} {column.type}" for column in columns)
        rows = spark.read.schema(schema).parquet(*(str(data_file.location()) for data_file in load.trips))
        others = [f"count_if({_differs(column, repeated[column.name])})" for column in columns]
        counts = rows.selectExpr(*others).collect()[0]
        for column, count in zip(columns, counts, strict=True):
            if count:
                load.fail(
                    FailureCode.CONTRADICTING_KEY,
                    f"{count:,} of {load.written:,} rows have another {column.name} than "
                    f"{repeated[column.name]!r}, which a folder of the key says; move the file",
                )
                differs = _differs(column, repeated[column.name])
                load.bad_rows = trips_that_fail(spark, load, differs, FailureCode.CONTRADICTING_KEY)


def _differs(column: Column, value: str | None) -> str:
    """The SQL condition of a row with another value; rows without a value do not contradict."""
    if value is None:
        return f"{column.name} IS NOT NULL"
    text, source = literal(value), SourceColumn(column.name, SourceType.TEXT)
    number = f"({as_number(text, source.type)})"
    return f"{column.name} <> {typed(column, source, text, number)}"


def check_quarantine_shares(spark: SparkSession, loads: Sequence[FileLoad], limit: float) -> None:
    """Fail files whose share of quarantined rows is larger than `limit`, and explain their reasons."""
    for load in loadable(loads):
        if load.read and load.quarantined / load.read > limit:
            reasons = ", ".join(f"{reason} {count}" for reason, count in load.reasons.items())
            text = (
                f"{load.quarantined} of {load.read} rows failed validation ({reasons}), "
                f"more than the allowed share of {limit:g}"
            )
            details = _explain(spark, load)
            load.fail(FailureCode.TOO_MANY_QUARANTINED, "; ".join([text, *details]))


def _check_month(spark: SparkSession, load: FileLoad, by_month: dict[str, int]) -> None:
    """Fail a file by its pickups by month; those in the right month may be missing."""
    year, number = _month(load) or (0, 0)
    name = f"{year:04d}-{number:02d}"
    total = load.written
    outside = sum(by_month.values()) - by_month.get(name, 0)
    if outside > max(OUTSIDE_ROWS_MIN, OUTSIDE_SHARE_MAX * total):
        most = max((month for month in by_month if month != name), key=lambda month: by_month[month])
        load.fail(
            FailureCode.WRONG_MONTH,
            f"{outside:,} of {total:,} pickups are outside {name}, the month in the file name; "
            f"{by_month[most]:,} are in {most}; rename the file, or upload it again if it is damaged",
        )
        in_other_month = f"date_format({PICKUP}, 'yyyy-MM') <> '{name}'"
        load.bad_rows = trips_that_fail(spark, load, in_other_month, FailureCode.WRONG_MONTH)


def _month(load: FileLoad) -> tuple[int, int] | None:
    return month_of(load.version.key)


def _explain(spark: SparkSession, load: FileLoad) -> list[str]:
    """Phrases about the values that failed validation. The load keeps some of the rows."""
    view = f"quarantined_{uuid.uuid4().hex}"
    locations = [str(file.location()) for file in load.quarantine]
    schema = "reasons array<string>, row_as_read map<string, string>, position bigint"
    rows = spark.read.schema(schema).parquet(*locations)
    rows.createOrReplaceTempView(view)
    try:
        load.bad_rows = quarantined_rows(rows)
        found = _unreadable(spark, load, view) if Reason.UNPARSEABLE in load.reasons else []
    finally:
        spark.catalog.dropTempView(view)
    return found + [hint for reason in load.reasons if (hint := _hint(load, reason))]


def _unreadable(spark: SparkSession, load: FileLoad, view: str) -> list[str]:
    """A phrase for each of the columns with the most unreadable values."""
    file = load.source.file
    columns = sources.source_columns(file.all_columns)
    checked = explanations.checked_columns(file.dataset, columns)
    counts = tuple(spark.sql(explanations.unreadable_values(file.dataset, columns, view)).collect()[0])
    found = sorted(zip(counts[::2], counts[1::2], checked, strict=False), key=lambda each: -int(each[0]))
    return [
        unreadable_text(each.source, int(unread), load.read, each.column.type, str(example))
        for unread, example, each in found[:EXPLAINED_COLUMNS_MAX]
        if unread
    ]


def _hint(load: FileLoad, reason: str) -> str:
    """The explanation of a rule's range, if it depends on the file's name."""
    month = _month(load)
    if month is None or reason not in (Reason.PICKUP_OUT_OF_RANGE, Reason.DROPOFF_OUT_OF_RANGE):
        return ""
    earliest, latest = pickup_range(month, datetime.now().astimezone())
    what = PICKUP if reason == Reason.PICKUP_OUT_OF_RANGE else DROPOFF
    return (
        f"{what} must be from {earliest:%Y-%m-%d} until {latest:%Y-%m-%d} "
        f"for the month {month[0]:04d}-{month[1]:02d} in the file name"
    )
