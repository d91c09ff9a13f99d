"""Reads, transforms and writes the files of one schema in a single scan, without committing anything."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as fn

from glue_scripts import quarantine_side_output
from glue_scripts.iceberg import LakeTable
from glue_scripts.reading import decoder, footer_rows, read_csv, read_errors, read_parquet, with_lineage
from glue_scripts.sorting import in_day_ranges
from glue_scripts.spark_errors import RowsLostError, read_failure
from loading.discarding import data_files_of, discard_on_error
from loading.file_load import FileLoad, loadable
from loading.source_file import SourceFile
from taxi_etl.datasets import DATASETS
from taxi_etl.failures import FailureCode
from taxi_etl.transform import sources, statements


@dataclass(frozen=True)
class DataFileWriter:
    """Writes the rows of files with one schema as data files of a dataset's table.

    The `quarantine` of the loads is the side output (`quarantine_side_output.py`), which `write_quarantine`
    replaces.
    """

    spark: SparkSession
    trips: LakeTable
    run: sources.JobRun
    sort_by_pickup: bool = False

    def write(self, files: Sequence[SourceFile]) -> list[FileLoad]:
        """One load per file, failed ones included. Raises one of SPARK_ERRORS if the whole scan fails."""
        loads = [FileLoad(file) for file in files]
        with discard_on_error(lambda: data_files_of(self.trips, self.trips, loads)):
            if files[0].file.format == "csv":
                self._write_csv(loads)
            else:
                self._write_parquet(loads)
        return loads

    def _write_parquet(self, loads: Sequence[FileLoad]) -> None:
        """Write Parquet files; a file fails unless all rows of its footer are written or quarantined."""
        files = [load.source for load in loads]
        rows = footer_rows(self.spark, files)
        for load in loads:
            found = rows[load.source]
            if isinstance(found, Exception):
                failure = read_failure(found)
                load.fail(failure.code, failure.message)
            else:
                load.read = found
        with decoder(self.spark, by_row=files[0].file.row_decoder):
            self._write_readable(loadable(loads))

    def _write_readable(self, loads: Sequence[FileLoad]) -> None:
        """Write files in one scan. Only damaged ones are then read again, each alone.

        The scan of several files leaves out damaged parts instead of failing, so that a damaged file has
        fewer rows than its footer counts.
        """
        if not loads:
            return
        files = [load.source for load in loads]
        self._write(loads, read_parquet(self.spark, files, skip_damage=len(files) > 1))
        incomplete = [load for load in loads if not load.is_complete]
        if len(loads) == 1:
            for load in incomplete:
                load.fail(FailureCode.ROWS_LOST, f"{load.read} rows were read, but {load.kept}")
        elif incomplete:
            self._explain(incomplete)

    def _explain(self, loads: Sequence[FileLoad]) -> None:
        """Discard the data files of incomplete loads, and fail each with its error or write it alone."""
        for load in loads:
            self.trips.discard([*load.trips, *load.quarantine])
            load.trips, load.quarantine, load.reasons = [], [], {}
        errors = read_errors(self.spark, [load.source for load in loads])
        for load, error in zip(loads, errors, strict=True):
            if error is None:
                self._write_readable([load])
            else:
                failure = read_failure(error)
                load.fail(failure.code, failure.message)

    def _write_csv(self, loads: Sequence[FileLoad]) -> None:
        """Write CSV files in one scan. Raises RowsLostError unless each row of each file is kept once."""
        files = [load.source for load in loads]
        rows = read_csv(self.spark, files)
        if any(file.rows is None for file in files):
            self._write_counted(loads, rows)
            return
        self._write(loads, rows)
        for load in loads:
            load.read = load.source.rows or 0
        incomplete = [load for load in loads if not load.is_complete]
        if incomplete:
            raise RowsLostError(f"the file has {incomplete[0].read} rows, but {incomplete[0].kept}")

    def _write_counted(self, loads: Sequence[FileLoad], rows: DataFrame) -> None:
        """Write files whose rows only the reader can count, all files together."""
        count = Observation()
        self._write(loads, rows.observe(count, fn.count(fn.lit(1)).alias("rows")))
        for load in loads:
            load.read = load.written + load.quarantined
        read, kept = int(count.get.get("rows", 0)), sum(load.read for load in loads)
        if read != kept:
            raise RowsLostError(f"{read} rows were read, but {kept} written or quarantined")

    def _write(self, loads: Sequence[FileLoad], rows: DataFrame) -> None:
        """Write the trips, with the quarantined rows as side output."""
        result = quarantine_side_output.flatten_quarantined(self._transformed(loads, rows))
        if self.sort_by_pickup and DATASETS[loads[0].source.file.dataset].has_trips:
            result = in_day_ranges(self.spark, result, [load.version for load in loads])
        staged = self.trips.stage(result)
        for load in loads:
            load.trips = staged.get(load.source_id, [])
            load.quarantine = staged.get(quarantine_side_output.staging_id(load.source_id), [])

    def _transformed(self, loads: Sequence[FileLoad], rows: DataFrame) -> DataFrame:
        """The rows after the transform's SQL, which reads them from a temporary view."""
        files = [load.source for load in loads]
        view = f"source_{uuid.uuid4().hex}"
        with_lineage(self.spark, rows, files, self.run).createOrReplaceTempView(view)
        file = files[0].file
        columns = sources.source_columns(file.all_columns)
        try:
            return self.spark.sql(statements.transform_sql(file.dataset, columns, view))
        finally:
            self.spark.catalog.dropTempView(view)
