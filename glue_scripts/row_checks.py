"""Checks of the rows of each file before they are committed: the month in its name, and quarantined rows."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from pyspark.sql import DataFrame, Observation, SparkSession
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
    mixed = [load for load in loadable(loads) if _month(load) and not _is_within(trips, load)]
    if not mixed:
        return
    months = {load.source_id: _month_number(load) for load in mixed}
    # Counted as rows pass by: a grouped query would shuffle, and be planned and compiled for that.
    observation = Observation()
    counts = [fn.expr(f"count_if(source_id = '{source_id}')").alias(source_id) for source_id in months]
    outside = _pickup_months(spark, mixed).where(f"month <> {_by_source(months)}")
    outside.observe(observation, *counts).write.format("noop").mode("overwrite").save()
    for load in mixed:
        number = int(observation.get.get(load.source_id, 0))
        if number > max(OUTSIDE_ROWS_MIN, OUTSIDE_SHARE_MAX * load.written):
            _fail_for_month(spark, load, number)


def _pickup_months(spark: SparkSession, loads: Sequence[FileLoad]) -> DataFrame:
    """The source and the pickup's month of each row in the data files, for example 202401."""
    locations = [str(file.location()) for load in loads for file in load.trips]
    rows = spark.read.schema(f"source_id string, {PICKUP} timestamp_ntz").parquet(*locations)
    return rows.selectExpr("source_id", f"100 * year({PICKUP}) + month({PICKUP}) AS month")


def _by_source(months: Mapping[str, int]) -> str:
    """The SQL of the month that belongs to a row's source."""
    if len(set(months.values())) == 1:
        return str(next(iter(months.values())))
    entries = ", ".join(f"'{source_id}', {month}" for source_id, month in months.items())
    return f"element_at(map({entries}), source_id)"


def _is_within(trips: LakeTable, load: FileLoad) -> bool:
    """Whether all pickups of a file are in the month in its name, as far as Iceberg noted their bounds."""
    bounds = [trips.time_bounds(file, PICKUP) for file in load.trips]
    return all(each and all((time.year, time.month) == _month(load) for time in each) for each in bounds)


def _month_number(load: FileLoad) -> int:
    """The month in a file's name, for example 202401."""
    year, month = _month(load) or (0, 0)
    return 100 * year + month


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


def _fail_for_month(spark: SparkSession, load: FileLoad, outside: int) -> None:
    """Fail a file because this number of its pickups is outside the month in its name."""
    month = _month_number(load)
    others = _pickup_months(spark, [load]).where(f"month <> {month}").groupBy("month").count()
    most = others.orderBy(fn.desc("count"), "month").first()
    in_one = f"{most['count']:,} are in {_month_text(most['month'])}; " if most else ""
    load.fail(
        FailureCode.WRONG_MONTH,
        f"{outside:,} of {load.written:,} pickups are outside {_month_text(month)}, the month in the file "
        f"name; {in_one}rename the file, or upload it again if it is damaged",
    )
    in_other_month = f"100 * year({PICKUP}) + month({PICKUP}) <> {month}"
    load.bad_rows = trips_that_fail(spark, load, in_other_month, FailureCode.WRONG_MONTH)


def _month_text(number: int) -> str:
    return f"{number // 100:04d}-{number % 100:02d}"


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
