"""The messages between the engine and its child process, as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from taxi_etl.documents import AcceptedFile
from taxi_etl.identity import source_id
from taxi_etl.transform.sources import JobRun

FieldIds = Mapping[str, "int | Mapping[str, int]"]
"""Iceberg's field IDs by column. Maps and lists have several: `""` for themselves, then `key` and `value`, or
`element`."""
DOTTED_I = "\u0130"
"""The capital i with a dot: DuckDB's lower() makes it a plain i, Spark's does not."""


class NotLoadable(Exception):  # noqa: N818 (an answer, not an error)
    """The child process does not load these files; the message says why."""


@dataclass(frozen=True)
class TaskFile:
    """A file of a task: its manifest entry, its local copy, and the number of rows of a CSV file."""

    entry: AcceptedFile
    path: Path
    rows: int | None

    @property
    def source_id(self) -> str:
        """The partition of the file's rows."""
        return source_id(self.entry.version.bucket, self.entry.version.key)

    def to_json(self) -> dict[str, Any]:
        """The file's part of a message."""
        return {
            "bucket": self.entry.version.bucket,
            "entry": self.entry.to_json(),
            "path": str(self.path),
            "rows": self.rows,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The file that `to_json` wrote."""
        return cls(
            AcceptedFile.from_json(entry["bucket"], entry["entry"]), Path(entry["path"]), entry["rows"]
        )


@dataclass(frozen=True)
class Task:
    """Files of one dataset and one layout to load, and an empty folder for the data files.

    `trips` and `quarantine` are the field IDs of the tables. With `first_values`, the names of columns,
    nothing is loaded: the answer has their values in the only file.
    """

    files: tuple[TaskFile, ...]
    folder: Path
    run: JobRun
    trips: FieldIds = field(default_factory=dict)
    quarantine: FieldIds = field(default_factory=dict)
    first_values: tuple[str, ...] = ()

    @property
    def layout(self) -> AcceptedFile:
        """The entry of any file: its dataset, columns and dialect are those of all."""
        return self.files[0].entry

    def to_json(self) -> dict[str, Any]:
        """The message to the child process."""
        return {
            "files": [file.to_json() for file in self.files],
            "folder": str(self.folder),
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
            files=tuple(map(TaskFile.from_json, entry["files"])),
            folder=Path(entry["folder"]),
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
class Outcome:
    """What was read from a file, and its data files; a table without rows has none.

    `reasons` are the quarantined rows by reason, `other_months` the trips with a pickup outside the month in
    the file's name, and `day_totals` the rows of `taxi_etl.unusual_values.day_totals`.
    """

    read: int = 0
    trips: WrittenFile | None = None
    quarantine: WrittenFile | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    other_months: int = 0
    day_totals: Sequence[Sequence[Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """The file's part of an answer."""
        return {
            "read": self.read,
            "trips": self.trips.to_json() if self.trips else None,
            "quarantine": self.quarantine.to_json() if self.quarantine else None,
            "reasons": dict(self.reasons),
            "otherMonths": self.other_months,
            "dayTotals": [list(row) for row in self.day_totals],
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The outcome that `to_json` wrote."""
        return cls(
            read=entry["read"],
            trips=WrittenFile.from_json(entry["trips"]) if entry["trips"] else None,
            quarantine=WrittenFile.from_json(entry["quarantine"]) if entry["quarantine"] else None,
            reasons=entry["reasons"],
            other_months=entry["otherMonths"],
            day_totals=tuple(entry["dayTotals"]),
        )


@dataclass(frozen=True)
class Answer:
    """The outcomes of a task's files in their order, or why the task is `declined`.

    `first_values` are the values in the file's first rows by column, without nulls.
    """

    outcomes: Sequence[Outcome] = ()
    first_values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    declined: str = ""

    def to_json(self) -> dict[str, Any]:
        """The message from the child process."""
        return {
            "outcomes": [outcome.to_json() for outcome in self.outcomes],
            "firstValues": dict(self.first_values),
            "declined": self.declined,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The answer that `to_json` wrote. Raises KeyError or TypeError for other messages."""
        return cls(
            outcomes=tuple(map(Outcome.from_json, entry["outcomes"])),
            first_values=entry["firstValues"],
            declined=entry["declined"],
        )
