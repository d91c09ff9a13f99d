"""Spark as the engine of a load."""

from collections.abc import Sequence

from pyspark.sql import SparkSession

from glue_scripts.bad_rows import BadRowWriter
from glue_scripts.data_file_writer import DataFileWriter
from glue_scripts.iceberg import LakeTable
from glue_scripts.quarantine_writer import write_quarantine
from glue_scripts.reading import must_be_read_alone
from glue_scripts.row_checks import (
    check_key_values,
    check_months,
    check_quarantine_shares,
    day_totals_by_source,
)
from glue_scripts.spark_errors import SPARK_ERRORS, one_line
from glue_scripts.staging import Stager
from glue_scripts.stall_watchdog import StallWatchdog
from glue_scripts.text_times import decide_date_orders
from loading.discarding import data_files_of, discard_on_error
from loading.file_load import FileLoad
from loading.options import Options
from loading.source_file import SourceFile
from taxi_etl.transform.sources import JobRun
from taxi_etl.unusual_values import DayTotals


class SparkEngine:
    """Implements `loading.engine.Engine` with a Spark session whose catalog has the tables."""

    errors: tuple[type[Exception], ...] = SPARK_ERRORS

    def __init__(
        self, spark: SparkSession, catalog: str, options: Options, run: JobRun, stall_minutes: float
    ) -> None:
        """`catalog` is Spark's name of the catalog with the database, which must exist.

        `stall_minutes` is the stall timeout: how long Spark may make no progress.
        """
        self.spark, self.options, self.run = spark, options, run
        self.database = f"{catalog}.{options.database}"
        self.watchdog = StallWatchdog(spark, stall_minutes * 60)

    def table(self, name: str) -> LakeTable:
        """The table of this name in the load's database; it may not exist yet."""
        return LakeTable(self.spark, self.database, name)

    def decide_date_orders(self, loads: Sequence[FileLoad]) -> None:
        """Set the date orders of columns with text times in Parquet files; fail files with ambiguous dates.

        Raises no error for a file that cannot be read; `stage` reports it.
        """
        decide_date_orders(self.spark, self.watchdog, loads)

    def stage(self, trips: LakeTable, quarantine: LakeTable, files: Sequence[SourceFile]) -> list[FileLoad]:
        """Write the data files of both tables, with one plan for each layout; one load per file.

        Raises StalledError after too many stalls, and errors that no file causes, such as a lost JVM.
        """
        writer = DataFileWriter(self.spark, trips, self.run, self.options.sort_by_pickup)
        stager = Stager(writer, self.watchdog)
        groups: dict[tuple[object, ...], list[SourceFile]] = {}
        for file in files:
            alone = file.uri if must_be_read_alone(file) else ""
            groups.setdefault((*file.layout, alone), []).append(file)
        loads = stager.stage_each(groups.values())
        with discard_on_error(lambda: data_files_of(trips, quarantine, loads)), self.watchdog.watch():
            write_quarantine(self.spark, quarantine, loads, self.run)
        return loads

    def check_rows(self, trips: LakeTable, loads: Sequence[FileLoad]) -> None:
        """Fail staged files with too many quarantined rows, a wrong month or contradicting key values."""
        check_quarantine_shares(self.spark, loads, self.options.max_quarantine_share)
        check_months(self.spark, trips, loads)
        check_key_values(self.spark, loads)

    def day_totals(self, loads: Sequence[FileLoad]) -> dict[str, list[DayTotals]]:
        """Count the trips of staged files by source and day; only files with a month in their name count."""
        return day_totals_by_source(self.spark, loads)

    def write_bad_rows(self, quarantine: LakeTable, loads: Sequence[FileLoad]) -> None:
        """Write the bad rows of failed files as data files of quarantine, without committing them."""
        BadRowWriter(self.spark, quarantine, self.run).write(loads)

    def error_line(self, error: BaseException) -> str:
        """The message of an error and its innermost cause in one line of limited length."""
        return one_line(error)
