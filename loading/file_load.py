"""The state of one file during a load, and its result."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from loading.source_file import SourceFile
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import FileResult
from taxi_etl.failures import Failure, FailureCode, FileWarning
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion, source_id
from taxi_etl.recognition import variant
from taxi_etl.schema import INSTANTS, DateOrder, SourceType, match_columns


@dataclass(frozen=True)
class StagedFile:
    """A data file, committed or not.

    `handle` is the engine's own object for it, such as the `DataFile` of Iceberg or of pyiceberg.
    """

    location: str
    rows: int
    handle: Any


@dataclass(frozen=True)
class BadRow:
    """A row that made its file fail: the reasons, its text by column, and its position in a Parquet file."""

    reasons: tuple[str, ...]
    as_read: Mapping[str, str]
    position: int | None = None


@dataclass
class FileLoad:
    """The state of one file during a load.

    `read` is the number of rows in the file, `reasons` the quarantined rows by reason. `trips` and
    `quarantine` are the data files with its rows, committed or not. `bad_rows` are some of the
    rows that made the file fail, and `bad_row_files` the data files with these rows.
    """

    source: SourceFile
    read: int = 0
    trips: list[StagedFile] = field(default_factory=list)
    quarantine: list[StagedFile] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    bad_rows: tuple[BadRow, ...] = ()
    bad_row_files: list[StagedFile] = field(default_factory=list)
    failure: Failure | None = None
    warnings: tuple[FileWarning, ...] = ()
    superseded: bool = False

    @property
    def version(self) -> FileVersion:
        """The file version that this load reads."""
        return self.source.file.version

    @property
    def source_id(self) -> str:
        """The partition of the file's rows."""
        return source_id(self.version.bucket, self.version.key)

    @property
    def written(self) -> int:
        """Rows in data files of the dataset's table, as Iceberg counted them."""
        return sum(file.rows for file in self.trips)

    @property
    def quarantined(self) -> int:
        """Rows in data files of the quarantine table, as Iceberg counted them."""
        return sum(file.rows for file in self.quarantine)

    @property
    def is_complete(self) -> bool:
        """Whether each row that was read is in a data file, once."""
        return self.read == self.written + self.quarantined

    @property
    def kept(self) -> str:
        """The numbers of rows in data files, for a message."""
        return f"{self.written} written and {self.quarantined} quarantined"

    @property
    def status(self) -> FileStatus:
        """The file's status if the load ended now."""
        if self.superseded:
            return FileStatus.SUPERSEDED
        return FileStatus.FAILED if self.failure else FileStatus.LOADED

    @property
    def is_outdated(self) -> bool:
        """Whether the version is no longer the current one."""
        return self.superseded or (self.failure is not None and self.failure.code is FailureCode.DELETED)

    def fail(self, code: FailureCode, message: str) -> Self:
        """Mark the file as failed; returns the load itself."""
        self.failure = Failure(code, message)
        return self

    def mark_outdated(self, *, deleted: bool) -> None:
        """Mark the version as superseded by a newer one or, if the object is gone, as failed."""
        self.superseded, self.failure = not deleted, None
        if deleted:
            self.fail(FailureCode.DELETED, "the object was deleted before it was loaded")
        self.read, self.reasons, self.bad_rows = 0, {}, ()

    def result(self) -> FileResult:
        """The file's entry in the job's result."""
        file = self.source.file
        matches = match_columns(DATASETS[file.dataset], file.all_columns)
        return FileResult(
            version=file.version,
            status=self.status,
            dataset=file.dataset,
            variant=variant(file.dataset, file.format, file.columns),
            read=self.read,
            written=self.written,
            quarantined=self.quarantined,
            reasons=self.reasons,
            new_columns=tuple(column.name for column in matches.unknown),
            missing_columns=matches.missing,
            columns_left_out=tuple(
                (column.name, column.type_name)
                for column in file.columns
                if column.type is SourceType.UNSUPPORTED
            ),
            failure=self.failure,
            warnings=(*self.source.warnings, *self.warnings) if self.status is FileStatus.LOADED else (),
            examples=tuple({"reasons": list(row.reasons), "row": dict(row.as_read)} for row in self.bad_rows),
            key_values=file.key_values,
            instants={column.name: str(column.type) for column in file.columns if column.type in INSTANTS},
            date_orders={
                column.name: str(column.date_order)
                for column in file.columns
                if column.date_order is not DateOrder.YMD
            },
        )


def loadable(files: Iterable[FileLoad]) -> list[FileLoad]:
    """The files that are neither superseded nor failed so far."""
    return [file for file in files if file.status is FileStatus.LOADED]
