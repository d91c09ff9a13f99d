"""The documents of reports: what a page shows and `--json` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class PathState:
    """A state that the execution entered.

    `visits` counts how often, `seconds` is the time in all visits, None while it runs. `not_taken` are the
    states to which its other transitions lead, without those for errors.
    """

    name: str
    type: str
    action: str
    entered: datetime
    visits: int
    attempts: int
    seconds: float | None
    error: str
    cause: str
    not_taken: tuple[str, ...]


@dataclass(frozen=True)
class Phase:
    """A phase between the upload and the notification; `ended` is None while it lasts."""

    name: str
    started: datetime
    ended: datetime | None
    seconds: float


@dataclass(frozen=True)
class ReportedFile:
    """A file of the execution with its outcome; reasons and notes are texts `code: message`."""

    bucket: str
    key: str
    version_id: str
    dataset: str
    status: str
    read: int
    written: int
    quarantined: int
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ColumnChange:
    """The columns of one file that differ from those of its table."""

    key: str
    new: tuple[str, ...]
    missing: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class ExampleRow:
    """A quarantined row with its values as read; `position` is its place in the file, None for CSV."""

    key: str
    position: int | None
    reasons: tuple[str, ...]
    values: Mapping[str, str]


@dataclass(frozen=True)
class QuarantineReason:
    """The number of rows with this reason, and some of them; a row with two reasons counts under both."""

    reason: str
    rows: int
    examples: tuple[ExampleRow, ...]


@dataclass(frozen=True)
class Cost:
    """A part of the cost at list price, None if AWS did not report enough to compute it."""

    part: str
    usd: float | None


@dataclass(frozen=True)
class ExecutionReport:
    """One execution: its path through the state machine, its times, files, quarantined rows and cost."""

    name: str
    arn: str
    status: str
    headline: str
    started: datetime
    stopped: datetime | None
    seconds: float
    trigger: str
    engine: str
    declined: str
    error: str
    cause: str
    next_step: str
    states: Sequence[PathState]
    states_not_entered: Sequence[str]
    timeline: Sequence[Phase]
    files: Sequence[ReportedFile]
    quarantine: Sequence[QuarantineReason]
    columns: Sequence[ColumnChange]
    costs: Sequence[Cost]
    links: Mapping[str, str]

    @property
    def usd(self) -> float:
        """The sum of the known costs."""
        return sum(cost.usd or 0 for cost in self.costs)


@dataclass(frozen=True)
class DayCount:
    """Executions that started on one day (UTC) and have this status now."""

    day: str
    status: str
    executions: int


@dataclass(frozen=True)
class MonthAmount:
    """Rows written, or US dollars, of one month (UTC) for one dataset, or for `UNATTRIBUTED` costs."""

    month: str
    dataset: str
    amount: float


@dataclass(frozen=True)
class DatasetMonths:
    """The months of trips of one dataset: loaded and missing ones, as `2024-01`."""

    dataset: str
    loaded: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class FailedExecution:
    """An execution that did not succeed."""

    name: str
    status: str
    started: datetime
    files: int | None


@dataclass(frozen=True)
class Problem:
    """A file that was rejected or failed and has not loaded since."""

    key: str
    status: str
    since: datetime | None
    reasons: tuple[str, ...]
    execution: str
    next_step: str


@dataclass(frozen=True)
class OverviewReport:
    """The pipeline over a period: executions, rows and cost, months of trips, and failures.

    The failed executions and problems are the latest; `not_loaded` is the number of all problems.
    """

    environment: str
    since: datetime
    until: datetime
    executions: Sequence[DayCount]
    rows: Sequence[MonthAmount]
    costs: Sequence[MonthAmount]
    months: Sequence[DatasetMonths]
    failed_executions: Sequence[FailedExecution]
    problems: Sequence[Problem]
    not_loaded: int
    waiting: int
    alarms: Sequence[str]


def to_json(value: Any) -> Any:
    """Return a document as JSON values, with camel-case keys; times stay."""
    if is_dataclass(value):
        return {_camel(field.name): to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): to_json(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(each) for each in value]
    return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
