"""The outcome of each version of a file: its rows in the tables, or the version that replaced them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from taxi_etl.datasets import DATASETS
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import FileRecord
from taxi_etl.tables import QUARANTINE

PROBLEMS = (FileStatus.FAILED, FileStatus.REJECTED)


@dataclass(frozen=True)
class KnownVersion:
    """A version as S3 and the ledger know it.

    `uploaded` is None if S3 no longer has it; `is_current` means that a read of the key returns it.
    `record` is None if its event has not reached the ledger.
    """

    version: FileVersion
    uploaded: datetime | None = None
    is_current: bool = False
    record: FileRecord | None = None


@dataclass(frozen=True)
class VersionOutcome:
    """The outcome of a version.

    `tables` are its rows by table now, `replaced_by` is the version that replaced its rows. `is_newest` means
    that no later version is known.
    """

    known: KnownVersion
    is_newest: bool
    tables: Mapping[str, int]
    replaced_by: str = ""


def version_outcomes(versions: Iterable[KnownVersion]) -> list[VersionOutcome]:
    """Return the outcomes of all versions of one key, the newest first.

    S3's times are full seconds, so versions in S3 must come in S3's order, the newest first. The rows in the
    tables are those of the newest loaded version.
    """
    ordered = sorted(versions, key=_moment, reverse=True)
    loaded = [each.version.version_id for each in ordered if _status(each) is FileStatus.LOADED]
    found = []
    for place, each in enumerate(ordered):
        holds_rows = loaded[:1] == [each.version.version_id]
        was_replaced = _status(each) is FileStatus.LOADED and not holds_rows
        tables = _tables(each.record) if holds_rows else {}
        found.append(VersionOutcome(each, place == 0, tables, loaded[0] if was_replaced else ""))
    return found


def unresolved(problems: Iterable[FileRecord], loaded: Iterable[FileRecord]) -> list[FileRecord]:
    """Return the latest problem of each file that has not loaded since, the latest change first."""
    newest_load: dict[str, str] = {}
    for record in loaded:
        uri = record.version.uri
        newest_load[uri] = max(record.updated_at, newest_load.get(uri, ""))
    latest: dict[str, FileRecord] = {}
    for record in sorted(problems, key=lambda each: each.updated_at):
        if record.updated_at > newest_load.get(record.version.uri, ""):
            latest[record.version.uri] = record
    return sorted(latest.values(), key=lambda each: each.updated_at, reverse=True)


def _status(known: KnownVersion) -> FileStatus | None:
    return known.record.status if known.record else None


def _moment(known: KnownVersion) -> float:
    """When the version was uploaded, or received if S3 no longer has it, in seconds."""
    if known.uploaded:
        return known.uploaded.timestamp()
    text = known.record.received_at if known.record else ""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def _tables(record: FileRecord | None) -> dict[str, int]:
    """The rows of a loaded version by table; tables without rows of it are left out."""
    if record is None or record.rows is None:
        return {}
    dataset = DATASETS.get(record.dataset)
    rows = {dataset.table if dataset else record.dataset: record.rows["written"]}
    rows[QUARANTINE] = record.rows["quarantined"]
    return {table: count for table, count in rows.items() if count}
