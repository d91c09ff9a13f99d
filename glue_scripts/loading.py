"""Loads the files of a manifest into the tables.

`Loader._load_dataset` shows the order of steps. Data files are written before anything is committed, and file
versions are checked before the read and again right before the commit (`committing.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from glue_scripts.bad_rows import BadRowWriter
from glue_scripts.committing import Committer
from glue_scripts.csv_check import check_csv_bytes
from glue_scripts.data_file_writer import DataFileWriter
from glue_scripts.file_load import FileLoad, loadable
from glue_scripts.iceberg import LakeTable
from glue_scripts.reading import SourceFile
from glue_scripts.row_checks import check_key_values, check_months, check_quarantine_shares
from glue_scripts.same_trips import warn_of_same_trips
from glue_scripts.staging import Stager
from glue_scripts.stall_watchdog import StallWatchdog
from glue_scripts.storage import Storage
from glue_scripts.text_times import decide_date_orders
from glue_scripts.version_check import check_versions
from taxi_etl import tables
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import AcceptedFile, JobResult, Manifest
from taxi_etl.file_status import FileStatus
from taxi_etl.raw_folders import is_cataloged
from taxi_etl.schema import normalize
from taxi_etl.transform.sources import JobRun


@dataclass(frozen=True)
class Options:
    """Options of a load.

    `database` is `CATALOG.DATABASE`, `max_quarantine_share` a fraction of a file's rows, and `stall_minutes`
    the stall timeout. `command` is how messages call the command line, such as `taxi-etl --environment dev`.
    """

    database: str
    max_quarantine_share: float
    sort_by_pickup: bool
    stall_minutes: float
    command: str


class Loader:
    """Loads the accepted files of one manifest."""

    def __init__(self, spark: SparkSession, storage: Storage, options: Options, run: JobRun) -> None:
        """The database must exist."""
        self.spark, self.storage, self.options, self.run = spark, storage, options, run
        self.tables = {name: LakeTable(spark, options.database, name) for name in tables.table_names()}
        self.quarantine = self.tables[tables.QUARANTINE]
        self.watchdog = StallWatchdog(spark, options.stall_minutes * 60)
        self.schema_changed = False
        self.crawl_needed = False

    def load(self, manifest: Manifest) -> JobResult:
        """Load what can be loaded; the result has an entry for every accepted file."""
        loads: list[FileLoad] = []
        for dataset in DATASETS:
            files = [file for file in manifest.accepted if file.dataset == dataset]
            loads += self._load_dataset(dataset, files, manifest.execution)
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

    def ensured_tables(self) -> list[LakeTable]:
        """The tables that this job run created, altered or checked."""
        return [table for table in self.tables.values() if table.ensured]

    def _load_dataset(self, dataset: str, files: Sequence[AcceptedFile], execution: str) -> list[FileLoad]:
        loads = [FileLoad(SourceFile(file, self.storage.location(file.version))) for file in files]
        check_versions(self.storage, loads)
        check_csv_bytes(self.storage, loads)
        current = loadable(loads)
        skipped = [load for load in loads if load.status is not FileStatus.LOADED]
        if not current:
            return skipped
        trips = self.tables[DATASETS[dataset].table]
        trips.ensure()
        self.quarantine.ensure()
        decide_date_orders(self.spark, self.watchdog, current)
        ambiguous = [load for load in current if load.failure]
        staged = ambiguous + self._stage(trips, [load.source for load in loadable(current)])
        check_quarantine_shares(self.spark, staged, self.options.max_quarantine_share)
        check_months(self.spark, trips, staged)
        check_key_values(self.spark, staged)
        BadRowWriter(self.spark, self.quarantine, self.run).write(staged)
        committer = Committer(self.storage, trips, self.quarantine, self._snapshot_summary(execution))
        committer.commit(staged)
        for other in self.tables.values():
            if other not in (trips, self.quarantine):
                committer.remove_rows_from(other, staged)
        self._record_columns(trips, loadable(staged))
        warn_of_same_trips(trips, self.quarantine, loadable(staged), self.options.command)
        return skipped + staged

    def _stage(self, trips: LakeTable, files: Sequence[SourceFile]) -> list[FileLoad]:
        """Write the data files of both tables, with one plan for each schema."""
        writer = DataFileWriter(self.spark, trips, self.quarantine, self.run, self.options.sort_by_pickup)
        stager = Stager(writer, self.watchdog)
        groups: dict[tuple[object, ...], list[SourceFile]] = {}
        for source in files:
            file = source.file
            layout = (
                file.format,
                file.columns,
                tuple(file.key_values),
                file.encoding,
                file.dialect,
                file.row_decoder,
                source.unbalanced_quotes,
                source.uri if source.must_be_read_alone else "",
            )
            groups.setdefault(layout, []).append(source)
        return [load for group in groups.values() for load in stager.stage(group)]

    def _record_columns(self, trips: LakeTable, files: Sequence[FileLoad]) -> None:
        """Note whether this load changed the dataset's columns, and whether the crawler has to see them."""
        if files:
            has_new_columns = trips.record_source_columns(_column_names(files))
            self.schema_changed = self.schema_changed or trips.changed or has_new_columns
        cataloged = [
            load
            for load in files
            if is_cataloged(load.source.file.version.key, load.source.file.dataset, load.source.file.format)
        ]
        if cataloged:
            bucket = cataloged[0].source.file.version.bucket
            is_new = trips.record_cataloged_columns(bucket, _column_names(cataloged))
            self.crawl_needed = self.crawl_needed or is_new

    def _snapshot_summary(self, execution: str) -> dict[str, str]:
        return {"taxi-etl.run-id": self.run.run_id, "taxi-etl.execution": execution}


def _column_names(files: Sequence[FileLoad]) -> set[str]:
    return {normalize(column.name) for load in files for column in load.source.file.columns}
