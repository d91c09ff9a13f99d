"""The messages between the engine and its child process, as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from taxi_etl.documents import AcceptedFile
from taxi_etl.transform.sources import JobRun

FieldIds = Mapping[str, "int | Mapping[str, int]"]
"""Iceberg's field IDs by column. Maps and lists have several: `""` for themselves, then `key` and `value`, or
`element`."""
DOTTED_I = "\u0130"
"""The capital i with a dot: DuckDB's lower() makes it a plain i, Spark's does not."""


class NotLoadable(Exception):  # noqa: N818 (an answer, not an error)
    """The child process does not load this file; the message says why."""


@dataclass(frozen=True)
class Task:
    """A file to load: its local copy, its manifest entry, and an empty folder for the data files.

    `rows` is the number of rows of a CSV file. `trips` and `quarantine` are the field IDs of the tables.
    With `first_values`, the names of columns, nothing is loaded: the answer has their values.
    """

    file: AcceptedFile
    path: Path
    folder: Path
    rows: int | None
    run: JobRun
    trips: FieldIds = field(default_factory=dict)
    quarantine: FieldIds = field(default_factory=dict)
    first_values: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The message to the child process."""
        return {
            "bucket": self.file.version.bucket,
            "file": self.file.to_json(),
            "path": str(self.path),
            "folder": str(self.folder),
            "rows": self.rows,
            "runId": self.run.run_id,
            "startedAt": self.run.started_at.isoformat(),
            "trips": self.trips,
            "quarantine": self.quarantine,
            "firstValues": self.first_values,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The task that `to_json` wrote."""
        return cls(
            file=AcceptedFile.from_json(entry["bucket"], entry["file"]),
            path=Path(entry["path"]),
            folder=Path(entry["folder"]),
            rows=entry["rows"],
            run=JobRun(entry["runId"], datetime.fromisoformat(entry["startedAt"])),
            trips=entry["trips"],
            quarantine=entry["quarantine"],
            first_values=tuple(entry["firstValues"]),
        )


@dataclass(frozen=True)
class WrittenFile:
    """A local data file: its rows, its size in bytes, and where its row groups begin.

    `columns` are DuckDB's statistics as texts, by column as in `COPY … (RETURN_STATS)`.
    """

    path: Path
    rows: int
    size: int
    columns: Mapping[str, Mapping[str, str]]
    row_groups: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """The entry in an answer."""
        return {**asdict(self), "path": str(self.path)}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The data file that `to_json` wrote."""
        return cls(
            Path(entry["path"]), entry["rows"], entry["size"], entry["columns"], tuple(entry["row_groups"])
        )


@dataclass(frozen=True)
class Answer:
    """The outcome of a task: the rows read and the data files, or why the file is `declined`.

    A table without rows has no data file. `reasons` are the quarantined rows by reason, `other_months` the
    trips with a pickup outside the month in the file's name, and `day_totals` the rows of
    `taxi_etl.unusual_values.day_totals`. `first_values` are the values in the file's
    first rows by column, without nulls.
    """

    read: int = 0
    trips: WrittenFile | None = None
    quarantine: WrittenFile | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    other_months: int = 0
    day_totals: Sequence[Sequence[Any]] = ()
    first_values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    declined: str = ""

    def to_json(self) -> dict[str, Any]:
        """The message from the child process."""
        return {
            "read": self.read,
            "trips": self.trips.to_json() if self.trips else None,
            "quarantine": self.quarantine.to_json() if self.quarantine else None,
            "reasons": dict(self.reasons),
            "otherMonths": self.other_months,
            "dayTotals": [list(row) for row in self.day_totals],
            "firstValues": dict(self.first_values),
            "declined": self.declined,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The answer that `to_json` wrote. Raises KeyError or TypeError for other messages."""
        return cls(
            read=entry["read"],
            trips=WrittenFile.from_json(entry["trips"]) if entry["trips"] else None,
            quarantine=WrittenFile.from_json(entry["quarantine"]) if entry["quarantine"] else None,
            reasons=entry["reasons"],
            other_months=entry["otherMonths"],
            day_totals=tuple(entry["dayTotals"]),
            first_values=entry["firstValues"],
            declined=entry["declined"],
        )
