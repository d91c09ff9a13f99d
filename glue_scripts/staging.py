"""Stages files as data files and isolates the ones that fail.

Files of one schema share a plan. When the plan fails, the files that Spark's error names are marked as failed
and the others are staged again; if it names none, each file is staged alone. When the plan stalls, Parquet
files are decoded row by row from then on; files that stall even so are staged alone.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from glue_scripts.data_file_writer import DataFileWriter
from glue_scripts.reading import spark_path
from glue_scripts.spark_errors import SPARK_ERRORS, RowsLostError, one_line, read_failure, whole_text
from glue_scripts.stall_watchdog import StalledError, StallWatchdog
from loading.discarding import data_files_of, discard_on_error
from loading.file_load import FileLoad
from loading.source_file import SourceFile
from taxi_etl.failures import FailureCode


@dataclass(frozen=True)
class Stager:
    """Stages the files of one schema with a writer, under the watchdog."""

    writer: DataFileWriter
    watchdog: StallWatchdog

    def stage_each(self, groups: Iterable[Sequence[SourceFile]]) -> list[FileLoad]:
        """Stage one group of files after another; an error deletes the data files of the earlier ones."""
        loads: list[FileLoad] = []
        trips = self.writer.trips
        with discard_on_error(lambda: data_files_of(trips, trips, loads)):
            for files in groups:
                loads += self.stage(files)
        return loads

    def stage(self, files: Sequence[SourceFile]) -> list[FileLoad]:
        """One load per file, failed ones included.

        Raises StalledError after too many stalls, and errors that no file causes, such as a lost JVM.
        """
        try:
            with self.watchdog.watch():
                return self.writer.write(files)
        except StalledError as error:
            if self.watchdog.limit_exceeded:
                raise
            return self._stage_after_stall(files, str(error))
        except SPARK_ERRORS as error:
            return self._stage_after_error(files, error)

    def _stage_after_stall(self, files: Sequence[SourceFile], message: str) -> list[FileLoad]:
        if files[0].file.format == "parquet" and self.watchdog.disable_vectorized_reader():
            return self.stage(files)
        if len(files) == 1:
            return [FileLoad(files[0]).fail(FailureCode.UNREADABLE, message)]
        return self.stage_each([file] for file in files)

    def _stage_after_error(self, files: Sequence[SourceFile], error: Exception) -> list[FileLoad]:
        if len(files) == 1:
            if isinstance(error, RowsLostError):
                return [FileLoad(files[0]).fail(FailureCode.ROWS_LOST, one_line(error))]
            failure = read_failure(error)
            return [FileLoad(files[0]).fail(failure.code, failure.message)]
        named = [file for file in files if self._is_named(file, whole_text(error))]
        if not named or len(named) == len(files):
            return self.stage_each([file] for file in files)
        failure = read_failure(error)
        failed = [FileLoad(file).fail(failure.code, failure.message) for file in named]
        return failed + self.stage([file for file in files if file not in named])

    def _is_named(self, file: SourceFile, text: str) -> bool:
        """Whether a text contains the file's path, and not only as the beginning of a longer path."""
        spellings = {file.uri, spark_path(self.writer.spark, file.uri)}
        return any(re.search(re.escape(spelling) + r"(?!\.?[\w/-])", text) for spelling in spellings)
