"""Fake engine of a load with tables in memory, and an object store whose versions a test changes."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from loading.engine import ConflictError, Declined
from loading.file_load import BadRow, FileLoad, StagedFile
from loading.source_file import SourceFile
from taxi_etl.anomalies import FileMetrics
from taxi_etl.failures import FailureCode
from taxi_etl.identity import FileVersion, failed_source_id
from taxi_etl.same_trips import DataFile
from taxi_etl.unusual_values import DayTotals


class QueryError(Exception):
    """A query that the fake engine cannot run."""


def data_file(partition: str, rows: int) -> StagedFile:
    """A data file of some rows; its handle is its partition."""
    return StagedFile(f"{partition}/{uuid.uuid4()}.parquet", rows, partition)


@dataclass
class FakeTable:
    """A table of data files; `calls` are its requests, and `before_commit` acts before each commit."""

    name: str = "trips"
    files: list[StagedFile] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    discarded: list[StagedFile] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """The version ID of the rows of each source."""
    metrics: list[FileMetrics] | None = None
    conflicts: int = 0
    before_commit: Callable[[], object] = lambda: None
    undeletable: bool = False
    created: bool = False
    changed: bool = False
    ensured: bool = False
    snapshot: int = 0

    def ensure(self) -> None:
        self.changed, self.created, self.ensured = self.changed or not self.created, True, True

    def rows(self, partition: str) -> int:
        return sum(file.rows for file in self.files if file.handle == partition)

    def snapshot_id(self) -> int | None:
        return self.snapshot or None

    def row_counts(self, source_ids: Sequence[str]) -> dict[str, int]:
        self.calls.append("row_counts")
        return {each: self.rows(each) for each in source_ids if self.rows(each)}

    def source_versions(self, source_ids: Sequence[str]) -> dict[str, str]:
        return {each: self.versions[each] for each in source_ids if self.rows(each)}

    def source_files(self, source_ids: Sequence[str]) -> dict[str, str]:
        return {each: f"s3://lake/{each}" for each in source_ids if self.rows(each)}

    def data_files(self, time_column: str, quarantine: "FakeTable") -> list[DataFile]:
        raise QueryError("the times of data files are unknown")

    def file_metrics(self) -> list[FileMetrics]:
        if self.metrics is None:
            raise QueryError("the metrics of data files are unknown")
        return self.metrics

    def staged_metrics(self, files: Sequence[StagedFile]) -> list[FileMetrics]:
        return [FileMetrics(file.handle, "s3://lake/green_2024-04.parquet", file.rows, {}) for file in files]

    def has_only(self, number: int) -> bool:
        return len(self.files) == number

    def replace_rows(
        self, source_ids: Sequence[str], files: Sequence[StagedFile], since: int | None, summary: Any
    ) -> None:
        self.calls.append("replace_rows")
        assert since == self.snapshot_id()
        assert summary["taxi-etl.run-id"] == "jr_1"
        if self.conflicts:
            self.conflicts -= 1
            raise ConflictError("stale")
        self.before_commit()
        self.files = [file for file in self.files if file.handle not in source_ids] + list(files)
        self.snapshot += 1

    def remove_files(self, files: Sequence[StagedFile], summary: Any) -> None:
        self.calls.append("remove_files")
        self.files = [file for file in self.files if file not in files]
        self.snapshot += 1

    def discard(self, files: Sequence[StagedFile]) -> None:
        if self.undeletable:
            raise PermissionError("the bucket denies it")
        self.discarded += files

    def property(self, key: str) -> str | None:
        return self.properties.get(key)

    def set_property(self, key: str, value: str) -> None:
        self.properties[key] = value


@dataclass
class FakeEngine:
    """Reads 3 trips and 1 quarantined row from each file, nothing from one named `empty`; `bad` fails.

    `fails_in` is a method that raises for the files of the green dataset, by default that it declines them.
    """

    tables: dict[str, FakeTable] = field(default_factory=dict)
    fails_in: str = ""
    error: BaseException | None = None
    staged: list[StagedFile] = field(default_factory=list)
    days: list[DayTotals] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    errors: tuple[type[Exception], ...] = (QueryError,)

    def table(self, name: str) -> FakeTable:
        return self.tables.setdefault(name, FakeTable(name))

    def decide_date_orders(self, loads: Sequence[FileLoad]) -> None:
        self._note("decide_date_orders", [load.source for load in loads])

    def stage(self, trips: FakeTable, quarantine: FakeTable, files: Sequence[SourceFile]) -> list[FileLoad]:
        self._note("stage", files)
        return [
            FileLoad(file) if "empty" in file.file.version.key else self._staged(FileLoad(file, read=4))
            for file in files
        ]

    def check_rows(self, trips: FakeTable, loads: Sequence[FileLoad]) -> None:
        self._note("check_rows", [load.source for load in loads])
        for load in loads:
            if "bad" in load.version.key:
                load.fail(FailureCode.WRONG_MONTH, "wrong month").bad_rows = (BadRow(("wrong_month",), {}),)

    def day_totals(self, loads: Sequence[FileLoad]) -> dict[str, list[DayTotals]]:
        return {load.source_id: self.days for load in loads}

    def write_bad_rows(self, quarantine: FakeTable, loads: Sequence[FileLoad]) -> None:
        self._note("write_bad_rows", [load.source for load in loads])
        for load in loads:
            if load.bad_rows:
                load.bad_row_files = [data_file(failed_source_id(load.source_id), 1)]
                self.staged += load.bad_row_files

    def error_line(self, error: BaseException) -> str:
        return str(error)

    def _staged(self, load: FileLoad) -> FileLoad:
        load.trips, load.quarantine = [data_file(load.source_id, 3)], [data_file(load.source_id, 1)]
        load.reasons = {"unparseable": 1}
        self.staged += load.trips + load.quarantine
        return load

    def _note(self, method: str, files: Sequence[SourceFile]) -> None:
        dataset = files[0].file.dataset
        self.calls.append(f"{method} {dataset}")
        if self.fails_in == method and dataset == "green":
            raise self.error or Declined(f"{method} is too much")


@dataclass
class FakeStorage:
    """Objects whose current version is `v1` unless it was replaced, or deleted (None)."""

    current: dict[str, str | None] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """The content of each object by URI."""

    def current_version(self, version: FileVersion) -> str | None:
        return self.current.get(version.key, "v1")

    def location(self, version: FileVersion) -> str:
        return version.uri

    def read(self, uri: str) -> bytes:
        return self.texts[uri].encode()

    def write(self, uri: str, text: str) -> None:
        self.texts[uri] = text

    def chunks(self, version: FileVersion) -> Iterator[bytes]:
        raise NotImplementedError
