"""The engine for small batches: DuckDB writes the data files of each file, pyiceberg commits them.

It loads only what it loads exactly as Spark does. Anything else raises Declined: the manifest goes to Glue.
"""

import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.catalog import Catalog

from duckdb_engine.data_files import IncompleteStatisticsError, data_file
from duckdb_engine.groups import groups
from duckdb_engine.iceberg_schema import field_ids
from duckdb_engine.lake_table import LakeTable
from duckdb_engine.limits import Limits
from duckdb_engine.messages import Answer, Outcome, Task, TaskFile, WrittenFile
from duckdb_engine.refusals import decline, refuse_unlike
from duckdb_engine.writer import Writer
from loading.discarding import data_files_of, discard_on_error
from loading.engine import Declined
from loading.file_load import FileLoad, StagedFile, loadable
from loading.options import Options
from loading.row_failures import has_too_many_outside, has_too_many_quarantined
from loading.source_file import SourceFile
from loading.storage import THREADS, RefusedObjectError
from loading.text_times import set_date_orders, text_times
from taxi_etl.tables import PARTITION_COLUMN
from taxi_etl.transform.sources import JobRun
from taxi_etl.unusual_values import DayTotals

ERROR_CHARACTERS_MAX = 500


class DuckDBEngine:
    """Loads small files of a database; implements `loading.engine.Engine`.

    `folder` is an empty local folder. `copy_of` returns a file's local copy, which must be in this folder,
    because the child process sees no other. Use it as a context manager.
    """

    errors: tuple[type[Exception], ...] = (duckdb.Error, OSError, ClientError, BotoCoreError, ValueError)

    def __init__(
        self,
        catalog: Catalog,
        options: Options,
        run: JobRun,
        folder: Path,
        *,
        copy_of: Callable[[SourceFile], Path],
        limits: Limits | None = None,
    ) -> None:
        """Raises Declined for options that only Spark supports."""
        if options.sort_by_pickup:
            raise Declined("the rows must be sorted by pickup time")
        self.catalog, self.options, self.run = catalog, options, run
        self.folder, self.copy_of = folder, copy_of
        self._writer = Writer(folder, limits or Limits.of_machine())
        self._outcomes: dict[str, Outcome] = {}

    def __enter__(self) -> Self:
        # It takes as long as the requests before the first file is read.
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def table(self, name: str) -> LakeTable:
        """The table of this name in the load's database; it may not exist yet."""
        return LakeTable(self.catalog, self.options.database, name)

    def decide_date_orders(self, loads: Sequence[FileLoad]) -> None:
        """Set the date orders of the files' columns; decline files with ambiguous dates, which would fail."""
        for load in loads:
            names = tuple(column.name for column in text_times(load.source.file))
            if not names:
                continue
            refuse_unlike(load)
            with self._task_folder() as folder:
                answer = self._answer([load], folder, first_values=names)
            set_date_orders(load, answer.first_values)
            if load.failure:
                decline(load.source, load.failure.message)

    def stage(self, trips: LakeTable, quarantine: LakeTable, files: Sequence[SourceFile]) -> list[FileLoad]:
        """Write and upload the data files of both tables; one load per file.

        Raises Declined if any file is declined.
        """
        loads = [FileLoad(source) for source in files]
        for load in loads:
            refuse_unlike(load)
        # All downloads at once; the tasks find the copies.
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._copy, files))
        with discard_on_error(lambda: data_files_of(trips, quarantine, loads)):
            for group in groups(loads):
                self._stage(group, trips, quarantine)
        return loads

    def check_rows(self, trips: LakeTable, loads: Sequence[FileLoad]) -> None:
        """Decline files that would fail because of their rows; the messages quote Spark's rows."""
        for load in loadable(loads):
            if has_too_many_quarantined(load, self.options.max_quarantine_share):
                decline(load.source, f"{load.quarantined} of {load.read} rows failed validation")
            if has_too_many_outside(load, self._outcomes[load.source_id].other_months):
                decline(load.source, "too many pickups are outside the month in its name")

    def day_totals(self, loads: Sequence[FileLoad]) -> dict[str, list[DayTotals]]:
        """Count the trips of staged files by source and day; only files with a month in their name count."""
        return {
            load.source_id: [DayTotals.of_row(row) for row in self._outcomes[load.source_id].day_totals]
            for load in loads
        }

    def write_bad_rows(self, quarantine: LakeTable, loads: Sequence[FileLoad]) -> None:
        """Do nothing: this engine declines files that would fail because of their rows."""

    def error_line(self, error: BaseException) -> str:
        """The message of an error in one line of limited length."""
        return " ".join(str(error).split())[:ERROR_CHARACTERS_MAX]

    def _copy(self, source: SourceFile) -> Path:
        try:
            return self.copy_of(source)
        except RefusedObjectError as error:
            raise Declined(f"{source.file.version.key}: {error}") from error

    def _stage(self, loads: Sequence[FileLoad], trips: LakeTable, quarantine: LakeTable) -> None:
        """Write and upload the data files of files with one layout."""
        with self._task_folder() as folder:
            try:
                answer = self._answer(
                    loads,
                    folder,
                    trips=field_ids(trips.table.schema()),
                    quarantine=field_ids(quarantine.table.schema()),
                )
            except Declined:
                if len(loads) == 1:
                    raise
            else:
                with ThreadPoolExecutor(THREADS) as pool:
                    upload = partial(self._upload, trips, quarantine)
                    list(pool.map(upload, loads, answer.outcomes))
                return
        # Alone, a file that cannot be loaded is declined by its name.
        for load in loads:
            self._stage([load], trips, quarantine)

    def _upload(self, trips: LakeTable, quarantine: LakeTable, load: FileLoad, outcome: Outcome) -> None:
        """Upload the data files of one file."""
        load.read, load.reasons = outcome.read, dict(outcome.reasons)
        self._outcomes[load.source_id] = outcome
        try:
            load.trips = _uploaded(trips, load, outcome.trips)
            load.quarantine = _uploaded(quarantine, load, outcome.quarantine)
        except IncompleteStatisticsError as error:
            decline(load.source, str(error))
        if not load.is_complete:
            decline(load.source, f"{load.read} rows were read, but {load.kept}")

    def _answer(self, loads: Sequence[FileLoad], folder: Path, **details: Any) -> Answer:
        """The answer of the child process about files; `details` are further fields of its `Task`."""
        files = tuple(TaskFile(load.source.file, self._copy(load.source), load.source.rows) for load in loads)
        answer = self._writer.write(Task(files, folder, self.run, **details))
        if answer.declined:
            decline(loads[0].source, answer.declined)
        return answer

    @contextmanager
    def _task_folder(self) -> Iterator[Path]:
        """An empty folder, which is deleted afterwards."""
        folder = self.folder / uuid.uuid4().hex
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def _uploaded(table: LakeTable, load: FileLoad, written: WrittenFile | None) -> list[StagedFile]:
    """Upload a data file, if there is one, under the name that Spark would give it."""
    if written is None:
        return []
    folder = f"{table.table.location()}/data/{PARTITION_COLUMN}={load.source_id}"
    location = f"{folder}/00000-0-{uuid.uuid4()}.parquet"
    handle = data_file(table.table.schema(), load.source_id, location, written)
    staged = [StagedFile(location, written.rows, handle)]
    # S3 may have the object although the upload failed.
    with discard_on_error(lambda: [(table, staged)]):
        table.upload(written.path, location)
    return staged
