"""Consistency rules for one file at rest: its object, its records and its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from taxi_etl.consistency.facts import (
    BOUND_CHARACTERS,
    CurrentObject,
    Finding,
    Kind,
    Repair,
    SourceRows,
)
from taxi_etl.datasets import DATASETS
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import FileRecord
from taxi_etl.tables import QUARANTINE


@dataclass(frozen=True)
class File:
    """A file at rest. `is_listed` means that `current` is None only if the object was deleted."""

    key: tuple[str, str]
    current: CurrentObject | None
    records: Sequence[FileRecord]
    rows: Sequence[SourceRows]
    is_listed: bool = True

    @property
    def loaded(self) -> FileRecord | None:
        """The record of the version whose rows should be in the tables.

        That is the current version if it is loaded, and otherwise the version that was loaded last.
        """
        loaded = [record for record in self.records if record.status is FileStatus.LOADED]
        current = self.current.version.version_id if self.current else ""
        return max(
            loaded, key=lambda each: (each.version.version_id == current, each.updated_at), default=None
        )

    @property
    def version(self) -> FileVersion:
        """The version that a finding names: the current one, a recorded one, or only the key."""
        if self.current:
            return self.current.version
        recorded = max(self.records, key=lambda each: each.updated_at, default=None)
        return recorded.version if recorded else FileVersion(*self.key, "")


def row_findings(file: File) -> Iterator[Finding]:
    """Yield what is wrong with a file's rows: only the finding that explains the others."""
    reload = Repair.REPLAY if file.current else Repair.NONE
    found = _doubled(file) or _unlike_the_ledger(file)
    if found:
        kind, what, evidence = found
        execution = file.loaded.execution if file.loaded else ""
        yield Finding(kind, what, evidence, file.version, execution, reload)
    elif file.rows and file.current is None and file.is_listed:
        yield Finding(
            Kind.OBJECT_DELETED,
            "the object was deleted, but its rows are still in the tables",
            _counts(file.rows),
            file.version,
            file.loaded.execution if file.loaded else "",
            is_information=True,
        )


Reason = tuple[Kind, str, str]


def _doubled(file: File) -> Reason | None:
    """Return why some of a file's rows are in the tables twice."""
    trips = [each for each in file.rows if each.table != QUARANTINE]
    if len(trips) > 1:
        return Kind.TWO_TABLES, "the file has rows in two tables", _counts(file.rows)
    versions = frozenset().union(*(each.versions for each in file.rows))
    if len(versions) > 1:
        named = ", ".join(f"{each}…" for each in sorted(versions))
        return Kind.TWO_VERSIONS, "the tables have rows of two versions of the file", f"versions {named}"
    runs = frozenset().union(*(each.runs for each in file.rows))
    if len(runs) > 1:
        named = ", ".join(f"{each}…" for each in sorted(runs))
        evidence = f"{_counts(file.rows)}, committed by {named}"
        return Kind.COMMITTED_TWICE, "the file's rows were committed by two loads", evidence
    return None


def _unlike_the_ledger(file: File) -> Reason | None:
    """Return how a file's rows differ from what the ledger records of its load."""
    loaded, found = file.loaded, _counts(file.rows)
    if loaded is None:
        is_overdue = file.current is not None and file.current.is_connected and not file.records
        if is_overdue or not file.rows:  # the missing record is a finding of its own
            return None
        statuses = ", ".join(sorted({str(each.status) for each in file.records})) or "no record"
        what = "the tables have rows that the ledger does not record"
        return Kind.ROWS_NOT_RECORDED, what, f"{found}; {statuses}"
    expected = _expected(loaded)
    recorded = _printed(expected)
    if expected and not file.rows:
        return Kind.ROWS_MISSING, "the ledger records a load, but the tables have no rows", recorded
    [version] = frozenset().union(*(each.versions for each in file.rows)) or {""}
    if version and version != loaded.version.version_id[:BOUND_CHARACTERS]:
        evidence = f"version {version}… has {found}; loaded: version {loaded.version.version_id}"
        return Kind.OTHER_VERSION, "the rows belong to a different version than the loaded one", evidence
    counted = {each.table: each.rows for each in file.rows}
    if loaded.rows is not None and counted != expected:
        return Kind.ROW_COUNT, "the row counts differ", f"tables: {found}; ledger: {recorded}"
    return None


def _expected(record: FileRecord) -> dict[str, int]:
    """Return the rows of a loaded version by table, without tables that have none."""
    counts = record.rows or {}
    dataset = DATASETS.get(record.dataset)
    rows = {
        dataset.table if dataset else record.dataset: counts.get("written", 0),
        QUARANTINE: counts.get("quarantined", 0),
    }
    return {table: count for table, count in rows.items() if count}


def _counts(rows: Sequence[SourceRows]) -> str:
    return _printed({each.table: each.rows for each in rows})


def _printed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} in {table}" for table, count in sorted(counts.items())) or "no rows"
