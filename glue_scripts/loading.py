"""How does a batch get into the tables? The order of steps that keeps two runs from spoiling each other's
files.

For each dataset: look at which versions are current, write data files, then: table snapshot, look again,
commit. A newer version that exists at the second look supersedes ours; one that comes later loads after
it, and its commit or ours is refused, because both validate against the snapshot from before their look.
Whoever is refused looks again.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from pyspark.sql import SparkSession

from glue_scripts.iceberg import ConflictError, LakeTable
from glue_scripts.reading import THREADS, Located
from glue_scripts.staging import Attempt, Stager, discard
from glue_scripts.stall_watchdog import StallWatchdog
from glue_scripts.storage import Storage
from taxi_etl import tables
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import AcceptedFile, FileResult, JobResult, Manifest
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.recognition import variant
from taxi_etl.schema import match_columns, normalize
from taxi_etl.transform.sources import Run

COMMIT_ATTEMPTS = 5


@dataclass(frozen=True)
class Options:
    """Options of a load.

    `database` is `CATALOG.DATABASE`, `max_quarantine_share` a fraction of a file's rows, and `stall_minutes`
    the stall timeout.
    """

    database: str
    max_quarantine_share: float
    sort_by_pickup: bool
    stall_minutes: float


class Loader:
    """Loads the accepted files of one manifest."""

    def __init__(self, spark: SparkSession, storage: Storage, options: Options, run: Run) -> None:
        """`options.database` is `CATALOG.DATABASE`; the database exists."""
        self.spark, self.storage, self.options, self.run = spark, storage, options, run
        self.tables = {name: LakeTable(spark, options.database, name) for name in tables.table_names()}
        self.quarantine = self.tables[tables.QUARANTINE]
        self.watchdog = StallWatchdog(spark, options.stall_minutes * 60)
        self.schema_changed = False

    def load(self, manifest: Manifest) -> JobResult:
        """Load what can be loaded; every accepted file has its result, whatever became of it."""
        self.notes = {"taxi-etl.run-id": self.run.run_id, "taxi-etl.execution": manifest.execution}
        results: dict[tuple[str, str, str], FileResult] = {}
        for dataset in DATASETS:
            files = [file for file in manifest.accepted if file.dataset == dataset]
            if files:
                results.update(
                    (result.version.identity, result) for result in self._load_dataset(dataset, files)
                )
        ordered = tuple(results[file.version.identity] for file in manifest.accepted)
        return JobResult(manifest.execution, manifest.bucket, self.run.run_id, ordered, self.schema_changed)

    def ensured_tables(self) -> list[LakeTable]:
        """The tables that this job run created, altered or checked."""
        return [table for table in self.tables.values() if table.ensured]

    def _load_dataset(self, dataset: str, files: Sequence[AcceptedFile]) -> list[FileResult]:
        outdated = self._outdated(files)
        results = list(outdated.values())
        current = [file for file in files if file.version not in outdated]
        if not current:
            return results
        trips = self.tables[DATASETS[dataset].table]
        trips.ensure()
        self.quarantine.ensure()
        stager = Stager(
            self.spark, trips, self.quarantine, self.run, self.watchdog, self.options.sort_by_pickup
        )
        attempts = [attempt for group in self._by_schema(current) for attempt in stager.stage(group)]
        for attempt in attempts:
            self._judge_share(attempt)
        attempts = self._commit(trips, attempts, results)
        loaded = [attempt for attempt in attempts if attempt.failure is None]
        for attempt in attempts:
            if attempt.failure is not None:
                discard(attempt, trips, self.quarantine)
        loaded = self._leave_other_tables(trips, loaded, results)
        if loaded:
            names = {normalize(column.name) for attempt in loaded for column in attempt.located.file.columns}
            new_columns = trips.record_source_columns(names)
            self.schema_changed = self.schema_changed or trips.changed or new_columns
        failed = [attempt for attempt in attempts if attempt.failure is not None]
        return results + [_result(attempt) for attempt in (*loaded, *failed)]

    def _by_schema(self, files: Iterable[AcceptedFile]) -> list[list[Located]]:
        """The files of each plan: same format, columns and encoding."""
        groups: dict[tuple[object, ...], list[Located]] = {}
        for file in files:
            located = Located(file, self.storage.location(file.version))
            groups.setdefault((file.format, file.columns, file.encoding), []).append(located)
        return list(groups.values())

    def _judge_share(self, attempt: Attempt) -> None:
        share = attempt.quarantined / attempt.read if attempt.read else 0.0
        if attempt.failure is None and share > self.options.max_quarantine_share:
            reasons = ", ".join(f"{reason} {count}" for reason, count in attempt.reasons.items())
            attempt.fail(
                FailureCode.TOO_MANY_QUARANTINED,
                f"{attempt.quarantined} of {attempt.read} rows cannot be true ({reasons}), "
                f"more than the share of {self.options.max_quarantine_share:g} that is allowed",
            )

    def _commit(self, trips: LakeTable, attempts: list[Attempt], results: list[FileResult]) -> list[Attempt]:
        """Commit what is good; returns the attempts that are still ours, moves the others to `results`."""
        for _ in range(COMMIT_ATTEMPTS):
            since, quarantine_since = trips.snapshot_id(), self.quarantine.snapshot_id()
            attempts = self._still_current(trips, attempts, results)
            good = [attempt for attempt in attempts if attempt.failure is None]
            if not good:
                return attempts
            try:
                added = self._commit_quarantine(good, quarantine_since)
                try:
                    ids = [attempt.source_id for attempt in good]
                    files = [file for attempt in good for file in attempt.trips.files_of(ids)]
                    trips.replace_rows(ids, files, since, self.notes)
                except ConflictError:
                    self.quarantine.remove_files(added, self.notes)
                    raise
            except ConflictError as error:
                refused = str(error)
                continue
            return attempts
        for attempt in attempts:
            if attempt.failure is None:
                attempt.fail(FailureCode.CONFLICT, f"other runs kept loading the same file: {refused}")
        return attempts

    def _commit_quarantine(self, good: Sequence[Attempt], since: int | None) -> list[object]:
        """Replace the quarantined rows of files that have any, now or before; returns the data files added.

        Comes before the trips: whoever is refused there takes these back, and no stale row stays behind.
        """
        before = self.quarantine.row_counts([attempt.source_id for attempt in good])
        ids = [attempt.source_id for attempt in good if attempt.quarantined or attempt.source_id in before]
        files = [file for attempt in good for file in attempt.quarantine.files_of(ids)]
        if ids:
            self.quarantine.replace_rows(ids, files, since, self.notes)
        return files

    def _still_current(
        self, trips: LakeTable, attempts: list[Attempt], results: list[FileResult]
    ) -> list[Attempt]:
        """The attempts whose file has not changed meanwhile: a failure may be a change seen half-way."""
        outdated = self._outdated([attempt.located.file for attempt in attempts])
        results += outdated.values()
        for attempt in attempts:
            if attempt.located.file.version in outdated:
                discard(attempt, trips, self.quarantine)
        return [attempt for attempt in attempts if attempt.located.file.version not in outdated]

    def _leave_other_tables(
        self, trips: LakeTable, loaded: list[Attempt], results: list[FileResult]
    ) -> list[Attempt]:
        """Remove rows that these files left in another dataset's table; returns the attempts that remain
        loaded.

        Looked for after the commit: of two runs that load different versions into different tables at
        once, the later one to look sees the other's rows, and the version that is current wins.
        """
        by_id = {attempt.source_id: attempt for attempt in loaded}
        for name, other in self.tables.items():
            if not by_id or name in (trips.name, tables.QUARANTINE) or not other.exists():
                continue
            since = other.snapshot_id()
            found = list(other.row_counts(list(by_id)))
            if not found:
                continue
            theirs = other.source_versions(found)
            for source in found:
                attempt = by_id[source]
                newest = self.storage.current_version(attempt.located.file.version)
                if (
                    newest is not None
                    and theirs.get(source) == newest != attempt.located.file.version.version_id
                ):
                    files = attempt.trips.files_of([source])
                    trips.remove_files(files, self.notes)
                    self.quarantine.remove_files(attempt.quarantine.files_of([source]), self.notes)
                    results.append(_described(by_id.pop(source).located.file, FileStatus.SUPERSEDED))
            leaving = [source for source in found if source in by_id]
            if leaving:
                other.replace_rows(leaving, [], since, self.notes)
        return list(by_id.values())

    def _outdated(self, files: Sequence[AcceptedFile]) -> dict[FileVersion, FileResult]:
        """The results of those files whose version is not the current one anymore, as S3 says now."""
        if not files:
            return {}
        with ThreadPoolExecutor(min(THREADS, len(files))) as pool:
            newest = list(pool.map(self.storage.current_version, (file.version for file in files)))
        found = {}
        for file, version_id in zip(files, newest, strict=True):
            if version_id is None:
                deleted = Failure(FailureCode.DELETED, "the object was deleted before it was loaded")
                found[file.version] = replace(_described(file, FileStatus.FAILED), failure=deleted)
            elif version_id != file.version.version_id:
                found[file.version] = _described(file, FileStatus.SUPERSEDED)
        return found


def _result(attempt: Attempt) -> FileResult:
    status = FileStatus.FAILED if attempt.failure else FileStatus.LOADED
    return replace(
        _described(attempt.located.file, status),
        read=attempt.read,
        written=attempt.written,
        quarantined=attempt.quarantined,
        reasons=attempt.reasons,
        failure=attempt.failure,
    )


def _described(file: AcceptedFile, status: FileStatus) -> FileResult:
    """A result with what is known about a file before it is read."""
    matches = match_columns(DATASETS[file.dataset], file.columns)
    return FileResult(
        version=file.version,
        status=status,
        dataset=file.dataset,
        variant=variant(file.dataset, file.format, file.columns),
        new_columns=tuple(column.name for column in matches.unknown),
        missing_columns=matches.missing,
    )
