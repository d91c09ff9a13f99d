"""How do files become data files, and what if one of them is damaged? Read, transform, write; nothing is
committed. Each file is read once: rows for quarantine leave the scan in files of their own (`held`).

Files of one schema share a plan. When the plan fails, the file that Spark names, or else each file tried
alone, is marked failed, and the rest run once more. When the plan stands still, Parquet files are decoded
row by row from then on, which names the culprit; what stands still even so is tried alone.
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as fn

from glue_scripts import quarantine_side_output
from glue_scripts.iceberg import LakeTable, Staged
from glue_scripts.line_lengths import find_overlong_lines
from glue_scripts.reading import (
    Located,
    footer_rows,
    read_csv,
    read_parquet,
    spark_path,
    with_lineage,
)
from glue_scripts.sorting import in_day_ranges
from glue_scripts.spark_errors import SPARK_ERRORS, RowsLostError, one_line, whole_text
from glue_scripts.stall_watchdog import StalledError, StallWatchdog
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.identity import source_id
from taxi_etl.transform import sources, statements
from taxi_etl.transform.predicates import Reason


@dataclass
class Attempt:
    """What became of one file: its data files, or why there are none. Rows are counts."""

    located: Located
    read: int = 0
    trips: Staged = field(default_factory=Staged)
    quarantine: Staged = field(default_factory=Staged)
    reasons: dict[str, int] = field(default_factory=dict)
    failure: Failure | None = None

    @property
    def source_id(self) -> str:
        """The partition that the file owns."""
        return source_id(self.located.file.version.bucket, self.located.file.version.key)

    @property
    def written(self) -> int:
        """Rows in data files of the trips table, by Iceberg's count."""
        return self.trips.row_count(self.source_id)

    @property
    def quarantined(self) -> int:
        """Rows in data files of the quarantine table, by Iceberg's count."""
        return self.quarantine.row_count(self.source_id)

    def fail(self, code: FailureCode, message: str) -> "Attempt":
        """Mark the file as failed; returns the attempt itself."""
        self.failure = Failure(code, message)
        return self


@dataclass(frozen=True)
class Stager:
    """Writes the rows of files that share a schema into data files of two tables."""

    spark: SparkSession
    trips: LakeTable
    quarantine: LakeTable
    run: sources.Run
    watchdog: StallWatchdog
    sort_by_pickup: bool = False

    def stage(self, files: Sequence[Located]) -> list[Attempt]:
        """One attempt per file, failed ones among them. Raises only when Spark itself is gone, or stood still
        too often."""
        try:
            with self.watchdog.watch():
                return self._stage_together(files)
        except StalledError as error:
            if self.watchdog.limit_exceeded:
                raise
            return self._stage_after_stall(files, str(error))
        except SPARK_ERRORS as error:
            if len(files) == 1:
                code = FailureCode.ROWS_LOST if isinstance(error, RowsLostError) else FailureCode.UNREADABLE
                return [Attempt(files[0]).fail(code, one_line(error))]
            named = [file for file in files if self._names(whole_text(error), file)]
            if not named or len(named) == len(files):
                return [attempt for file in files for attempt in self.stage([file])]
            failed = [Attempt(file).fail(FailureCode.UNREADABLE, one_line(error)) for file in named]
            return failed + self.stage([file for file in files if file not in named])

    def _stage_after_stall(self, files: Sequence[Located], error: str) -> list[Attempt]:
        """The same files once more, the slower and surer way; alone where that stood still too."""
        if files[0].file.format == "parquet" and self.watchdog.disable_vectorized_reader():
            return self.stage(files)
        if len(files) == 1:
            return [Attempt(files[0]).fail(FailureCode.UNREADABLE, error)]
        return [attempt for file in files for attempt in self.stage([file])]

    def _stage_together(self, files: Sequence[Located]) -> list[Attempt]:
        """All files in one scan. Raises for all of them."""
        if files[0].file.format == "csv":
            return self._stage_csv(files)
        attempts = []
        for file, rows in footer_rows(self.spark, files).items():
            attempt = Attempt(file)
            attempts.append(attempt)
            if isinstance(rows, Exception):
                attempt.fail(FailureCode.UNREADABLE, one_line(rows))
            else:
                attempt.read = rows
        readable = [attempt for attempt in attempts if attempt.failure is None]
        if readable:
            self._write(readable, read_parquet(self.spark, [attempt.located for attempt in readable]))
            self._check(readable)
        return attempts

    def _stage_csv(self, files: Sequence[Located]) -> list[Attempt]:
        """CSV files have no footer: their lines are counted where they are read, all files' together."""
        overlong = find_overlong_lines(self.spark, files)
        failed = [Attempt(file).fail(FailureCode.UNREADABLE, reason) for file, reason in overlong.items()]
        files = [file for file in files if file not in overlong]
        if not files:
            return failed
        attempts = [Attempt(file) for file in files]
        lines = Observation()
        rows = read_csv(self.spark, files).observe(lines, fn.count(fn.lit(1)).alias("rows"))
        self._write(attempts, rows)
        read = int(lines.get.get("rows", 0))
        for attempt in attempts:
            attempt.read = attempt.written + attempt.quarantined
        if read != sum(attempt.read for attempt in attempts):
            self._discard(attempts)
            raise RowsLostError(
                f"{read} lines were read, {sum(attempt.read for attempt in attempts)} rows came out"
            )
        return failed + attempts

    def _write(self, attempts: Sequence[Attempt], rows: DataFrame) -> None:
        """Write the files' rows, those to be held first beside the trips, then into quarantine."""
        result = quarantine_side_output.pack_quarantined(self._judged(attempts, rows))
        if self.sort_by_pickup:
            versions = [attempt.located.file.version for attempt in attempts]
            result = in_day_ranges(self.spark, result, versions)
        staged = self.trips.stage(result)
        for attempt in attempts:
            attempt.trips.files[attempt.source_id] = staged.files.get(attempt.source_id, [])
        beside = staged.files_of(quarantine_side_output.staging_id(attempt.source_id) for attempt in attempts)
        if beside:
            self._write_quarantine(attempts, [str(file.location()) for file in beside])
            self.trips.discard(beside)

    def _write_quarantine(self, attempts: Sequence[Attempt], locations: Sequence[str]) -> None:
        result = quarantine_side_output.unpack_quarantined(
            self.spark, locations, attempts[0].located.file.dataset, self.run.run_id
        )
        reasons = Observation()
        counts = {
            f"{place}_{reason}": f"count_if(source_id = '{attempt.source_id}' AND "
            f"array_contains(reasons, '{reason}'))"
            for place, attempt in enumerate(attempts)
            for reason in Reason
        }
        columns = [fn.expr(count).alias(name) for name, count in counts.items()]
        staged = self.quarantine.stage(result.observe(reasons, *columns))
        counted = reasons.get
        for place, attempt in enumerate(attempts):
            attempt.quarantine.files[attempt.source_id] = staged.files.get(attempt.source_id, [])
            found = {str(reason): int(counted.get(f"{place}_{reason}", 0)) for reason in Reason}
            attempt.reasons = {reason: count for reason, count in found.items() if count}

    def _judged(self, attempts: Sequence[Attempt], rows: DataFrame) -> DataFrame:
        """The rows after the core's SQL. The view that the text reads from lives for this one analysis."""
        located = [attempt.located for attempt in attempts]
        view = f"source_{uuid.uuid4().hex}"
        with_lineage(self.spark, rows, located, self.run).createOrReplaceTempView(view)
        file = located[0].file
        try:
            return self.spark.sql(
                statements.judged(file.dataset, sources.source_columns(file.format, file.columns), view)
            )
        finally:
            self.spark.catalog.dropTempView(view)

    def _check(self, attempts: Sequence[Attempt]) -> None:
        """Every row that a footer promised is in a table or in quarantine, or the file fails."""
        for attempt in attempts:
            if attempt.read != attempt.written + attempt.quarantined:
                counts = f"{attempt.read} read, {attempt.written} written, {attempt.quarantined} quarantined"
                attempt.fail(FailureCode.ROWS_LOST, f"the rows do not add up: {counts}")

    def _discard(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            discard(attempt, self.trips, self.quarantine)

    def _names(self, text: str, file: Located) -> bool:
        """Whether an error's text names this file, and not only one whose name begins alike."""
        spellings = {file.uri, spark_path(self.spark, file.uri)}
        return any(re.search(re.escape(spelling) + r"(?!\.?[\w/-])", text) for spelling in spellings)


def discard(attempt: Attempt, trips: LakeTable, quarantine: LakeTable) -> None:
    """Delete the data files of an attempt that will not be committed."""
    trips.discard(attempt.trips.files_of([attempt.source_id]))
    quarantine.discard(attempt.quarantine.files_of([attempt.source_id]))
    attempt.trips, attempt.quarantine = Staged(), Staged()
