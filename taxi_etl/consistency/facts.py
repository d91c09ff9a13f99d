"""Inputs and findings of the consistency rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from taxi_etl.identity import FileVersion
from taxi_etl.ledger import ExecutionRecord, FileRecord

BOUND_CHARACTERS = 16
"""How many characters of a text a table's metadata holds (Iceberg's `truncate(16)`)."""
FileKey = tuple[str, str]
"""Bucket and object key."""


@dataclass(frozen=True)
class CurrentObject:
    """The current version of an object; `is_connected` means that its upload sent an event to the queue."""

    version: FileVersion
    uploaded: datetime
    is_connected: bool = True


@dataclass(frozen=True)
class SourceRows:
    """The committed rows of one source in one table, as its metadata counts them.

    `versions` and `runs` are the first `BOUND_CHARACTERS` characters of the rows' version IDs and run IDs;
    empty if the metadata lacks them.
    """

    table: str
    source_id: str
    rows: int
    versions: frozenset[str] = frozenset()
    runs: frozenset[str] = frozenset()


class Liveness(StrEnum):
    """What Step Functions knows about an execution."""

    MISSING = "missing"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class ExecutionFacts:
    """An execution that owns open files; `record` is None if the ledger lacks it."""

    liveness: Liveness
    record: ExecutionRecord | None = None
    status: str = ""


@dataclass(frozen=True)
class Facts:
    """The facts about all files.

    `buckets` are those whose objects were listed. `executions` has every execution of an open file or claim.
    `unsettled` are files whose records changed while the facts were gathered. What changed after `before` is
    not judged.
    """

    before: datetime
    objects: Sequence[CurrentObject]
    records: Sequence[FileRecord]
    rows: Sequence[SourceRows]
    executions: Mapping[str, ExecutionFacts]
    buckets: frozenset[str]
    unsettled: frozenset[FileKey] = frozenset()
    is_orchestration_on: bool = True


class Kind(StrEnum):
    """What is wrong with a file."""

    NOT_RECEIVED = "not_received"
    """The current object has no ledger record: its event or its record was lost."""
    HELD = "held"
    CLAIM_NOT_STARTED = "claim_not_started"
    CLAIM_NOT_CLOSED = "claim_not_closed"
    CLAIM_LOST = "claim_lost"
    """The file's record is open, but no open claim or execution will close it."""
    TWO_TABLES = "two_tables"
    TWO_VERSIONS = "two_versions"
    COMMITTED_TWICE = "committed_twice"
    ROWS_MISSING = "rows_missing"
    ROWS_NOT_RECORDED = "rows_not_recorded"
    OTHER_VERSION = "other_version"
    ROW_COUNT = "row_count"
    OBJECT_DELETED = "object_deleted"
    UNKNOWN_SOURCE = "unknown_source"


class Repair(StrEnum):
    """How a finding is repaired without a person's decision."""

    NONE = ""
    START = "start"
    """The orchestrator starts the file, or the execution that claimed it."""
    REPLAY = "replay"
    REPLAY_HELD = "replay_held"
    CLOSE = "close"
    """The finalizer closes the ended execution."""


@dataclass(frozen=True)
class Finding:
    """One finding about a file, or about rows whose file is unknown.

    `version` is the version to load, or the recorded one. `is_information` marks what may be intended; it
    does not fail the command.
    """

    kind: Kind
    what: str
    evidence: str
    version: FileVersion | None = None
    execution: str = ""
    repair: Repair = Repair.NONE
    is_information: bool = False
    rows: SourceRows | None = None
