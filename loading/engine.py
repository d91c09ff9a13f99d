"""The operations that a load needs from an engine, such as Spark, and from its Iceberg tables.

An engine reads files, runs the SQL of the transform, writes data files, and commits them. `loader.py` has the
order of these steps. Each load makes its own engine, with the options and the job run of the load.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, Self, TypeVar

from loading.file_load import FileLoad, StagedFile
from loading.source_file import SourceFile
from taxi_etl.anomalies import FileMetrics
from taxi_etl.same_trips import DataFile
from taxi_etl.unusual_values import DayTotals


class ConflictError(Exception):
    """Another load committed rows of the same sources after the snapshot this commit is based on."""


class Declined(Exception):  # noqa: N818 (an answer, not an error)
    """The engine does not load this manifest; nothing was committed.

    `reason` is one line. An engine may raise it from any of its own methods and from `Table.ensure`, all of
    which run before the first commit. After any error before that commit, the loader deletes the data files
    that it received, and a method that raises deletes those that it has not returned.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Table(Protocol):
    """An Iceberg table that a load creates, alters and writes.

    `snapshot_id` sees the newest commits of all loads. The other methods see the state that this load last
    saw or committed, or a newer one. `source_ids` are values of the partition column `source_id`. `summary`
    is added to the summary of a new snapshot.
    """

    name: str
    changed: bool
    """Whether this load created the table or added a column."""
    ensured: bool
    """Whether this load called `ensure`."""

    def ensure(self) -> None:
        """Create the table or add missing columns and properties; other loads may do so concurrently."""

    def discard(self, files: Iterable[StagedFile]) -> None:
        """Delete data files that will not be committed."""

    def snapshot_id(self) -> int | None:
        """The ID of the table's newest snapshot; None without a snapshot or without a table."""

    def row_counts(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Rows per source, for sources with any; read from the table's metadata."""

    def source_versions(self, source_ids: Sequence[str]) -> dict[str, str]:
        """The version ID of the rows of each source, for sources with any rows."""

    def source_files(self, source_ids: Sequence[str]) -> dict[str, str]:
        """The URI of each source's file, for sources with any rows."""

    def data_files(self, time_column: str, quarantine: Self) -> list[DataFile]:
        """The data files of this table, with the bounds of a time column, and those of quarantine."""

    def file_metrics(self) -> list[FileMetrics]:
        """The metrics of the table's data files; read from its metadata."""

    def staged_metrics(self, files: Iterable[StagedFile]) -> list[FileMetrics]:
        """The metrics of data files that are not committed yet."""

    def has_only(self, number: int) -> bool:
        """Whether the table had exactly this many data files after this load's last commit."""

    def replace_rows(
        self,
        source_ids: Sequence[str],
        files: Iterable[StagedFile],
        since: int | None,
        summary: Mapping[str, str],
    ) -> None:
        """Replace all rows of these sources with those in `files`, in one commit.

        `since` is the snapshot that the caller based its checks on, None if the table had none. Raises
        ConflictError if rows of these sources were committed after `since`.
        """

    def remove_files(self, files: Iterable[StagedFile], summary: Mapping[str, str]) -> None:
        """Remove committed data files; files that are no longer in the table are ignored."""

    def property(self, key: str) -> str | None:
        """The current value of a table property; None if it is not set."""

    def set_property(self, key: str, value: str) -> None:
        """Set a table property."""


TableT = TypeVar("TableT", bound=Table)


class Engine(Protocol[TableT]):
    """Reads, transforms and writes files; its tables commit them.

    `trips` is the table of the files' dataset. All files of a call belong to one dataset.
    """

    errors: tuple[type[Exception], ...]
    """The errors of its queries; a check after the commit prints them and does not fail the load."""

    def table(self, name: str) -> TableT:
        """The table of this name in the load's database; it may not exist yet."""

    def decide_date_orders(self, loads: Sequence[FileLoad]) -> None:
        """Set the date orders of columns with text times in Parquet files; fail files with ambiguous dates.

        A file that cannot be read keeps the default order; `stage` reports its error. The engine reads the
        first rows; `text_times.py` selects the columns and decides.
        """

    def stage(self, trips: TableT, quarantine: TableT, files: Sequence[SourceFile]) -> list[FileLoad]:
        """Write the data files of both tables without committing them.

        Returns one load per file, failed ones included. A file whose rows are not all in its data files, once
        each, fails.
        """

    def check_rows(self, trips: TableT, loads: Sequence[FileLoad]) -> None:
        """Fail staged files with too many quarantined rows, a wrong month or contradicting key values.

        These checks read the data files, and keep some of the bad rows in the loads. The engine counts rows;
        `row_failures.py` has the limits and the messages.
        """

    def day_totals(self, loads: Sequence[FileLoad]) -> dict[str, list[DayTotals]]:
        """Return the trips by day of each source.

        All files are of one dataset and have a month in their names.
        """

    def write_bad_rows(self, quarantine: TableT, loads: Sequence[FileLoad]) -> None:
        """Write the bad rows of failed files as data files of quarantine, without committing them.

        `bad_rows.py` makes the rows. Each load's data files go into its `bad_row_files`.
        """

    def error_line(self, error: BaseException) -> str:
        """The message of an error in one line of limited length."""
