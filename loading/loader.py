"""Loads the files of a manifest into the tables: the order of steps, the same for every engine.

All data files are written and checked before anything is committed, so that an engine can still decline the
manifest. File versions are checked before the read and again right before the commit (`committing.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

from loading.anomalies import check_for_unusual_months
from loading.committing import Committer
from loading.csv_check import check_csv_bytes
from loading.discarding import data_files_of, discard_on_error
from loading.engine import Engine, Table, TableT
from loading.file_load import FileLoad, StagedFile, loadable
from loading.options import Options
from loading.recorded_columns import record_cataloged_columns, record_source_columns
from loading.same_trips import warn_of_same_trips
from loading.source_file import SourceFile
from loading.storage import Storage
from loading.version_check import check_versions
from taxi_etl import tables
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import AcceptedFile, JobResult, Manifest
from taxi_etl.failures import FileWarning, WarningCode
from taxi_etl.file_status import FileStatus
from taxi_etl.raw_folders import is_cataloged
from taxi_etl.schema import Dataset, normalize
from taxi_etl.transform.sources import JobRun


@dataclass
class DatasetLoad(Generic[TableT]):
    """The files of one dataset: `skipped` ones, which the engine does not read, and `staged` ones."""

    rules: Dataset
    trips: TableT
    skipped: list[FileLoad] = field(default_factory=list)
    staged: list[FileLoad] = field(default_factory=list)


class Loader(Generic[TableT]):
    """Loads the accepted files of one manifest with an engine."""

    def __init__(self, engine: Engine[TableT], storage: Storage, options: Options, run: JobRun) -> None:
        """The database must exist."""
        self.engine, self.storage, self.options, self.run = engine, storage, options, run
        self.tables = {name: engine.table(name) for name in tables.table_names()}
        self.quarantine = self.tables[tables.QUARANTINE]
        self.schema_changed = False
        self.crawl_needed = False

    def load(self, manifest: Manifest) -> JobResult:
        """Load what can be loaded; the result has an entry for every accepted file.

        Raises Declined if the engine does not load the manifest; then nothing is committed.
        """
        datasets = self._stage(manifest.accepted)
        uncommitted = [dataset for dataset in datasets if dataset.staged]
        with discard_on_error(lambda: self._data_files(uncommitted)):
            while uncommitted:
                self._commit(uncommitted.pop(0), manifest.execution)
        return self._result(manifest, datasets)

    def ensured_tables(self) -> list[TableT]:
        """The tables that this load created, altered or checked."""
        return [table for table in self.tables.values() if table.ensured]

    def _stage(self, files: Sequence[AcceptedFile]) -> list[DatasetLoad[TableT]]:
        """Write and check the data files of every dataset."""
        datasets: list[DatasetLoad[TableT]] = []
        with discard_on_error(lambda: self._data_files(datasets)):
            for name, dataset in DATASETS.items():
                load = DatasetLoad(dataset, self.tables[dataset.table])
                datasets.append(load)
                self._stage_dataset(load, [file for file in files if file.dataset == name])
        return datasets

    def _stage_dataset(self, dataset: DatasetLoad[TableT], files: Sequence[AcceptedFile]) -> None:
        loads = [FileLoad(SourceFile(file, self.storage.location(file.version))) for file in files]
        check_versions(self.storage, loads)
        check_csv_bytes(self.storage, loads)
        current = loadable(loads)
        dataset.skipped = [load for load in loads if load.status is not FileStatus.LOADED]
        if not current:
            return
        dataset.trips.ensure()
        self.quarantine.ensure()
        self.engine.decide_date_orders(current)
        dataset.staged = [load for load in current if load.failure]
        sources = [load.source for load in loadable(current)]
        dataset.staged += self.engine.stage(dataset.trips, self.quarantine, sources)
        self.engine.check_rows(dataset.trips, dataset.staged)
        _warn_of_files_without_rows(loadable(dataset.staged))
        check_for_unusual_months(self.engine, dataset.trips, loadable(dataset.staged), self.options)
        self.engine.write_bad_rows(self.quarantine, dataset.staged)

    def _commit(self, dataset: DatasetLoad[TableT], execution: str) -> None:
        """Commit the data files of one dataset, and record which columns the commit adds."""
        trips, staged = dataset.trips, dataset.staged
        summary = {"taxi-etl.run-id": self.run.run_id, "taxi-etl.execution": execution}
        committer = Committer(self.storage, trips, self.quarantine, summary)
        committer.commit(staged)
        others = [table for table in self.tables.values() if table not in (trips, self.quarantine)]
        committer.remove_rows_from(others, staged)
        self._record_columns(trips, loadable(staged))
        if dataset.rules.has_trips:
            warn_of_same_trips(self.engine, trips, self.quarantine, loadable(staged), self.options)

    def _data_files(self, datasets: Sequence[DatasetLoad[TableT]]) -> list[tuple[Table, list[StagedFile]]]:
        """The data files of these datasets."""
        return [
            pair
            for dataset in datasets
            for pair in data_files_of(dataset.trips, self.quarantine, dataset.staged)
        ]

    def _record_columns(self, trips: TableT, files: Sequence[FileLoad]) -> None:
        """Record whether this load changed the dataset's columns, and whether the crawler has to see them."""
        if files:
            has_new_columns = record_source_columns(trips, _column_names(files))
            self.schema_changed = self.schema_changed or trips.changed or has_new_columns
        cataloged = [
            load
            for load in files
            if is_cataloged(load.source.file.version.key, load.source.file.dataset, load.source.file.format)
        ]
        if cataloged:
            bucket = cataloged[0].source.file.version.bucket
            is_new = record_cataloged_columns(trips, bucket, _column_names(cataloged))
            self.crawl_needed = self.crawl_needed or is_new

    def _result(self, manifest: Manifest, datasets: Sequence[DatasetLoad[TableT]]) -> JobResult:
        loads = [load for dataset in datasets for load in (*dataset.skipped, *dataset.staged)]
        results = {load.version.identity: load.result() for load in loads}
        ordered = tuple(results[file.version.identity] for file in manifest.accepted)
        return JobResult(
            manifest.execution,
            manifest.bucket,
            self.run.run_id,
            ordered,
            self.schema_changed,
            self.crawl_needed,
        )


def _warn_of_files_without_rows(files: Sequence[FileLoad]) -> None:
    """Add a warning to each file without rows: as a new version it removes the rows of the one before."""
    for file in files:
        if not file.read:
            text = "has no rows, and those of an earlier version are gone; upload it again if that is wrong"
            file.warnings = (*file.warnings, FileWarning(WarningCode.NO_ROWS, text))


def _column_names(files: Sequence[FileLoad]) -> set[str]:
    return {normalize(column.name) for load in files for column in load.source.file.columns}
