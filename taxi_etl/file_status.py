"""The status of a file version, in the ledger and in the documents of an execution."""

from enum import StrEnum


class FileStatus(StrEnum):
    """Status of a file version; the last five are final until a replay."""

    RECEIVED = "received"
    HELD = "held"
    RUNNING = "running"
    LOADED = "loaded"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    REMOVED = "removed"
    """Loaded, and its rows then removed from the tables by `taxi-etl remove`."""
