"""Records and statuses of the file ledger; `stores.ledger` reads and writes them.

Two kinds of items share the table. A file version's item has the partition key `BUCKET/KEY` and its version
ID as sort key. An execution's item has the partition key `execution#NAME` and the sort key `execution`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion

BY_EXECUTION = "by-execution"
BY_STATUS = "by-status"
EXECUTION_SORT_KEY = "execution"
WATCH_KEY = {"pk": "watch", "sk": "watch"}
"""The item that records when the age of the last file was first measured; without a status, it is in no
index."""
LEASE_ATTRIBUTE = "closingUntil"
"""The attribute of an execution's item that holds the moment at which a finalizer's lease expires."""


class ExecutionStatus(StrEnum):
    """Status of an execution's claim."""

    CLAIMED = "claimed"
    RUNNING = "running"
    CLOSED = "closed"


OPEN_FILE = (FileStatus.RECEIVED, FileStatus.RUNNING)
CLOSED_FILE = (
    FileStatus.LOADED,
    FileStatus.REJECTED,
    FileStatus.SUPERSEDED,
    FileStatus.FAILED,
    FileStatus.REMOVED,
)
OPEN_EXECUTION = (ExecutionStatus.CLAIMED, ExecutionStatus.RUNNING)
OUTCOME_ATTRIBUTES = ("reasons", "dataset", "rows", "alone")
"""What the finalizer records about a file in addition to its status, and a new claim removes."""


@dataclass(frozen=True)
class FileRecord:
    """A file version's item.

    `rows` are counts by read, written and quarantined, None unless the file is loaded. `reasons` are texts
    `code: message`, because another version of the app may have written codes that this one does not have.
    `alone` means that a replay should load this file in a separate execution. `received_at` and `updated_at`
    are ledger timestamps: of the version's first event, and of the last change of its status.
    """

    version: FileVersion
    status: FileStatus
    execution: str = ""
    attempts: int = 0
    dataset: str = ""
    rows: Mapping[str, int] | None = None
    reasons: tuple[str, ...] = ()
    alone: bool = False
    received_at: str = ""
    updated_at: str = ""

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Return the record in an item of the table."""
        return cls(
            version=FileVersion(
                bucket=item["bucket"],
                key=item["key"],
                version_id=item["sk"],
                size=int(item["size"]),
                etag=item["etag"],
                sequencer=item["sequencer"],
            ),
            status=FileStatus(item["status"]),
            execution=item.get("execution", ""),
            attempts=int(item.get("attempts", 0)),
            dataset=item.get("dataset", ""),
            rows={name: int(number) for name, number in item["rows"].items()} if "rows" in item else None,
            reasons=tuple(f"{each['code']}: {each['message']}" for each in item.get("reasons", ())),
            alone=bool(item.get("alone", False)),
            received_at=item.get("receivedAt", ""),
            updated_at=item.get("updatedAt", ""),
        )


@dataclass(frozen=True)
class ExecutionRecord:
    """An execution's item; every start uses the text `input` unchanged, and `files` is their number."""

    name: str
    status: ExecutionStatus
    input: str
    files: int
    trigger: str = ""
    arn: str = ""
    redrives: int = 0

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Return the record in an item of the table."""
        return cls(
            name=item["execution"],
            status=ExecutionStatus(item["status"]),
            input=item["input"],
            files=int(item["files"]),
            trigger=item.get("trigger", ""),
            arn=item.get("arn", ""),
            redrives=int(item.get("redrives", 0)),
        )


@dataclass(frozen=True)
class Claim:
    """A batch of files to be claimed for an execution; `attempt` is 1 for first loads, more for replays."""

    name: str
    input: str
    trigger: str
    files: tuple[FileVersion, ...]
    attempt: int = 1


@dataclass(frozen=True)
class Lease:
    """A finalizer's exclusive right to close an execution, until a ledger timestamp."""

    execution: str
    until: str


def timestamp(moment: datetime) -> str:
    """Format a moment with a time zone as the ledger does: texts of one width in UTC that sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def file_key(version: FileVersion) -> dict[str, str]:
    """Return the primary key of a file version's item."""
    return {"pk": f"{version.bucket}/{version.key}", "sk": version.version_id}


def execution_key(name: str) -> dict[str, str]:
    """Return the primary key of an execution's item."""
    return {"pk": f"execution#{name}", "sk": EXECUTION_SORT_KEY}


def is_claimable(record: FileRecord | None, *, replay: bool) -> bool:
    """Whether a claim of this file would succeed, given its record as last read (None: no record)."""
    if record is None or record.status is FileStatus.HELD:
        return True
    return replay and record.status in CLOSED_FILE
