"""Commits a dataset's data files without losing or doubling rows when loads overlap.

Each attempt records the tables' snapshots, checks the file versions again, and commits against these
snapshots. If a newer version exists by then, the file is superseded. If another load commits a newer version
later, one of the two commits conflicts, and that load makes another attempt.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from loading.discarding import data_files_of, discard_on_error
from loading.engine import ConflictError, Table
from loading.file_load import FileLoad, StagedFile, loadable
from loading.storage import THREADS, RefusedObjectError, Storage
from loading.version_check import check_versions
from taxi_etl.failures import FailureCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import failed_source_id

COMMIT_ATTEMPTS = 5


@dataclass(frozen=True)
class Committer:
    """Commits to a dataset's table and to quarantine; `summary` is added to each snapshot's summary."""

    storage: Storage
    trips: Table
    quarantine: Table
    summary: Mapping[str, str]

    def commit(self, files: Sequence[FileLoad]) -> None:
        """Commit the loadable files in one snapshot, and the bad rows of failed files with their quarantine.

        Deletes all other data files. An error before a commit deletes all data files; one during a commit
        deletes none, because the commit may have succeeded.
        """
        conflict = ""
        for _ in range(COMMIT_ATTEMPTS):
            with discard_on_error(lambda: data_files_of(self.trips, self.quarantine, files)):
                snapshots = self.trips.snapshot_id(), self.quarantine.snapshot_id()
                check_versions(self.storage, files)
            try:
                self._replace_rows(files, *snapshots)
                break
            except ConflictError as error:
                conflict = str(error)
        else:
            message = f"other job runs kept loading this file ({COMMIT_ATTEMPTS} commit attempts): {conflict}"
            for file in loadable(files):
                file.fail(FailureCode.CONFLICT, message)
            for file in files:
                self._discard_bad_rows(file)
        in_quarantine_only = [file for file in loadable(files) if file.quarantine and not file.trips]
        self._remove_outdated_rows(_with_bad_rows(files) + in_quarantine_only)
        for file in files:
            if file.status is not FileStatus.LOADED:
                self._discard(file)

    def remove_rows_from(self, others: Sequence[Table], files: Sequence[FileLoad]) -> None:
        """Remove rows that committed files have in other datasets' tables from an earlier version.

        This runs after the commit. When two job runs load different versions of a file into different tables,
        their commits do not conflict, but the later one to get here sees the rows of the other. Then the
        current version wins: the rows in the other table are removed, or the file's own commit is undone.
        """
        by_source = {file.source_id: file for file in loadable(files)}
        if not by_source or not others:
            return
        sources = list(by_source)
        with ThreadPoolExecutor(len(others)) as pool:
            looks = list(pool.map(lambda other: _look(other, sources), others))
        for other, (since, found) in zip(others, looks, strict=True):
            self._remove_rows(other, since, [each for each in found if each in by_source], by_source)

    def _remove_rows(
        self, other: Table, since: int | None, found: Sequence[str], by_source: dict[str, FileLoad]
    ) -> None:
        """Remove the rows of sources found in a table, or undo a file's commit and forget it."""
        if not found:
            return
        versions = other.source_versions(found)
        for source_id in found:
            file = by_source[source_id]
            current = self._current_version(file)
            if current is not None and versions.get(source_id) == current != file.version.version_id:
                self._undo(by_source.pop(source_id))
        outdated = [source_id for source_id in found if source_id in by_source]
        if outdated:
            other.replace_rows(outdated, [], since, self.summary)

    def _current_version(self, file: FileLoad) -> str | None:
        """The current version's ID; None if the object was deleted or S3 refuses to read it."""
        try:
            return self.storage.current_version(file.version)
        except RefusedObjectError:
            return None

    def _replace_rows(
        self, files: Sequence[FileLoad], trips_since: int | None, quarantine_since: int | None
    ) -> None:
        """Commit quarantine, then trips. A conflict in trips undoes the commit to quarantine."""
        loaded = loadable(files)
        added = self._replace_quarantined_rows(loaded, _with_bad_rows(files), quarantine_since)
        if not loaded:
            return
        sources = [file.source_id for file in loaded]
        try:
            self.trips.replace_rows(sources, _all(file.trips for file in loaded), trips_since, self.summary)
        except ConflictError:
            self.quarantine.remove_files(added, self.summary)
            raise

    def _replace_quarantined_rows(
        self, loaded: Sequence[FileLoad], failed: Sequence[FileLoad], since: int | None
    ) -> list[StagedFile]:
        """Replace the quarantined rows of files that have any, now or before; returns the new data files.

        A loaded file also replaces the bad rows of its last failed version; a failed file only those.
        """
        before = self.quarantine.row_counts(_partitions(loaded)) if loaded else {}
        affected = [file for file in loaded if file.quarantined or before.keys() & set(_partitions([file]))]
        added = _all(file.quarantine for file in affected) + _all(file.bad_row_files for file in failed)
        replaced = _partitions(affected) + [failed_source_id(file.source_id) for file in failed]
        if replaced:
            self.quarantine.replace_rows(replaced, added, since, self.summary)
        return added

    def _remove_outdated_rows(self, files: Sequence[FileLoad]) -> None:
        """Remove committed rows of files that got a newer version before the commit.

        Files with rows in quarantine only need this: their commit does not conflict with that of a newer
        version without quarantined rows. A version that comes later finds the rows and replaces them itself.
        """
        if not files:
            return
        with ThreadPoolExecutor(min(THREADS, len(files))) as pool:
            current = list(pool.map(self._current_version, files))
        outdated = [
            file
            for file, version_id in zip(files, current, strict=True)
            if version_id not in (None, file.version.version_id)
        ]
        if outdated:
            committed = _all(file.bad_row_files or file.quarantine for file in outdated)
            self.quarantine.remove_files(committed, self.summary)
        for file in outdated:
            if not file.bad_row_files:
                file.quarantine = []
            file.bad_row_files = []
            file.mark_outdated(deleted=False)

    def _undo(self, file: FileLoad) -> None:
        """Remove the committed data files of a file that turned out to be superseded."""
        self.trips.remove_files(file.trips, self.summary)
        self.quarantine.remove_files(file.quarantine, self.summary)
        file.trips, file.quarantine = [], []
        file.mark_outdated(deleted=False)

    def _discard(self, file: FileLoad) -> None:
        """Delete data files that will not be committed."""
        self.trips.discard(file.trips)
        self.quarantine.discard(file.quarantine)
        file.trips, file.quarantine = [], []
        if file.is_outdated:
            self._discard_bad_rows(file)

    def _discard_bad_rows(self, file: FileLoad) -> None:
        self.quarantine.discard(file.bad_row_files)
        file.bad_row_files = []


def _look(table: Table, sources: Sequence[str]) -> tuple[int | None, list[str]]:
    """The table's newest snapshot, and which of these sources have rows in it."""
    since = table.snapshot_id()
    return since, [] if since is None else list(table.row_counts(sources))


def _with_bad_rows(files: Iterable[FileLoad]) -> list[FileLoad]:
    """The failed files that have data files of bad rows and are not outdated."""
    return [file for file in files if file.bad_row_files and not file.is_outdated]


def _partitions(files: Iterable[FileLoad]) -> list[str]:
    """The partitions of quarantine that hold rows of these files."""
    return [each for file in files for each in (file.source_id, failed_source_id(file.source_id))]


def _all(lists: Iterable[list[StagedFile]]) -> list[StagedFile]:
    return [each for one in lists for each in one]
