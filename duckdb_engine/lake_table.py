"""The Iceberg tables of the DuckDB engine, through pyiceberg: without Spark, a JVM or pyarrow.

Each look at the catalog is billed and takes time. So most methods see the table as this load last saw or
changed it. The catalog is asked where newer commits of other loads matter: `snapshot_id`, the quarantine of
`data_files`, and each further attempt of a change.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import duckdb
from pyiceberg.catalog import Catalog
from pyiceberg.conversions import from_bytes
from pyiceberg.exceptions import NoSuchTableError, TableAlreadyExistsError
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.types import TimestampType

from duckdb_engine.data_files import EPOCH
from duckdb_engine.file_io import Boto3FileIO
from duckdb_engine.iceberg_schema import TYPES, partition_spec, schema_of
from duckdb_engine.live_files import all_files, files_of, source_of
from duckdb_engine.overwrite import REFUSED, overwrite
from loading.engine import ConflictError, Declined
from loading.file_load import StagedFile
from taxi_etl import tables
from taxi_etl.anomalies import FileMetrics
from taxi_etl.same_trips import DataFile as FileOfTrips

ATTEMPTS = 5
"""Number of attempts for a change that any order of commits allows."""
CREATED_PROPERTIES = {"write.parquet.compression-codec": "zstd"}
"""The properties that Iceberg's Java library sets on each table that it creates."""


class LakeTable:
    """An Iceberg table that a load creates, alters and writes; implements `loading.engine.Table`."""

    def __init__(self, catalog: Catalog, database: str, name: str) -> None:
        self.catalog = catalog
        self.name = name
        self.identifier = (database, name)
        self.changed = False
        self.ensured = False
        self._table: Table | None = None
        self._looks: dict[int | None, Table] = {}

    def exists(self) -> bool:
        """Whether the catalog had the table when this load first looked."""
        try:
            return self.table is not None
        except NoSuchTableError:
            return False

    def ensure(self) -> None:
        """Create the table or add missing columns and properties. Raises Declined for unknown columns."""
        if not self.exists():
            self._create()
        self.ensured = True
        self._retried(self._add_columns)
        self._retried(self._add_properties)
        known = {column.name for column in tables.columns_of(self.name)}
        unknown = [field.name for field in self.table.schema().fields if field.name not in known]
        if unknown:
            raise Declined(
                f"the table {self.name} has a column that this release does not know: {unknown[0]}"
            )

    @property
    def table(self) -> Table:
        """The table as this load last saw or changed it. Raises NoSuchTableError."""
        return self._table or self._newest()

    def upload(self, path: Path, location: str) -> None:
        """Copy a local data file to a location in the table."""
        self._io(self.table).upload(path, location)

    def discard(self, files: Iterable[StagedFile]) -> None:
        """Delete data files that will not be committed."""
        for file in files:
            self.table.io.delete(file.location)

    def snapshot_id(self) -> int | None:
        """The ID of the table's newest snapshot; None without a snapshot or without a table.

        `replace_rows` builds on this state.
        """
        try:
            table = self._newest()
        except NoSuchTableError:
            return None
        snapshot = table.current_snapshot()
        number = snapshot.snapshot_id if snapshot else None
        self._looks[number] = _copy(table)
        return number

    def row_counts(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Rows per source, for sources with any; read from the table's metadata."""
        counts: dict[str, int] = {}
        for file in files_of(self.table, source_ids):
            source_id = source_of(file)
            counts[source_id] = counts.get(source_id, 0) + file.record_count
        return counts

    def source_versions(self, source_ids: Sequence[str]) -> dict[str, str]:
        """The version ID of the rows of each source, for sources with any rows."""
        return self._texts("source_version", source_ids)

    def source_files(self, source_ids: Sequence[str]) -> dict[str, str]:
        """The URI of each source's file, for sources with any rows."""
        return self._texts("source_file", source_ids)

    def data_files(self, time_column: str, quarantine: Self) -> list[FileOfTrips]:
        """The data files of this table, with the bounds of a time column, and those of quarantine."""
        table = self.table
        number = table.schema().find_field(time_column).field_id

        def time(bounds: dict[int, bytes] | None) -> datetime | None:
            bound = (bounds or {}).get(number)
            if bound is None:
                return None
            return EPOCH + timedelta(microseconds=int(from_bytes(TimestampType(), bound)))

        trips = [
            FileOfTrips(source_of(file), file.record_count, time(file.lower_bounds), time(file.upper_bounds))
            for file in all_files(table)
        ]
        # Another load commits its quarantined rows before its trips, so they may be newer than the last look.
        held = all_files(quarantine._newest())
        return trips + [FileOfTrips(source_of(file), file.record_count) for file in held]

    def file_metrics(self) -> list[FileMetrics]:
        """The metrics of the table's data files; read from its metadata."""
        return _metrics(self.table, all_files(self.table))

    def staged_metrics(self, files: Iterable[StagedFile]) -> list[FileMetrics]:
        """The metrics of data files that are not committed yet."""
        return _metrics(self.table, [file.handle for file in files])

    def has_only(self, number: int) -> bool:
        """Whether the table had exactly this many data files after this load's last commit."""
        snapshot = self.table.current_snapshot()
        return (
            snapshot is not None
            and snapshot.summary is not None
            and snapshot.summary.additional_properties.get("total-data-files") == str(number)
        )

    def replace_rows(
        self,
        source_ids: Sequence[str],
        files: Iterable[StagedFile],
        since: int | None,
        summary: Mapping[str, str],
    ) -> None:
        """Replace all rows of these sources with those in `files`, in one commit.

        `since` is what `snapshot_id` returned. Raises ConflictError if rows of these sources were committed
        or removed after it.
        """
        base = _copy(self._looks[since])
        removed = files_of(base, source_ids)
        try:
            self._table = overwrite(base, source_ids, removed, [file.handle for file in files], summary)
        except REFUSED as error:
            raise ConflictError(str(error)) from error

    def remove_files(self, files: Iterable[StagedFile], summary: Mapping[str, str]) -> None:
        """Remove committed data files; files that are no longer in the table are ignored."""
        wanted = {file.location for file in files}
        if wanted:
            self._retried(lambda: self._remove(wanted, summary))

    def property(self, key: str) -> str | None:
        """The value of a table property; None if it is not set."""
        return self.table.properties.get(key)

    def set_property(self, key: str, value: str) -> None:
        """Set a table property."""
        self._retried(lambda: self._set_properties({key: value}))

    def _create(self) -> None:
        schema = schema_of(self.name)
        try:
            self._table = self.catalog.create_table(
                self.identifier,
                schema,
                partition_spec=partition_spec(schema),
                properties={**tables.PROPERTIES, **CREATED_PROPERTIES},
            )
            self.changed = True
        except TableAlreadyExistsError:
            self._newest()

    def _add_columns(self) -> None:
        table = self.table
        known = {field.name for field in table.schema().fields}
        missing = [column for column in tables.columns_of(self.name) if column.name not in known]
        if not missing:
            return
        with table.update_schema() as update:
            for column in missing:
                update.add_column(column.name, TYPES[column.type], column.doc)
        self.changed = True

    def _add_properties(self) -> None:
        found = self.table.properties
        missing = {
            key: value
            for key, value in tables.PROPERTIES.items()
            if key.startswith("write.") and key not in found
        }
        if missing:
            self._set_properties(missing)

    def _set_properties(self, properties: Mapping[str, str]) -> None:
        with self.table.transaction() as transaction:
            transaction.set_properties(dict(properties))

    def _remove(self, locations: set[str], summary: Mapping[str, str]) -> None:
        there = [file for file in all_files(self.table) if file.file_path in locations]
        if there:
            source_ids = {source_of(file) for file in there}
            self._table = overwrite(self.table, source_ids, there, [], summary)

    def _retried(self, change: Callable[[], None]) -> None:
        """Make a change; if another commit came first, look at the table again and retry."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return change()
            except REFUSED:
                if attempt == ATTEMPTS:
                    raise
                self._newest()
        return None

    def _texts(self, column: str, source_ids: Sequence[str]) -> dict[str, str]:
        """The greatest value of a text column for each source with any rows."""
        if not source_ids:
            return {}
        number = self.table.schema().find_field(column).field_id
        found: dict[str, str] = {}
        for file in files_of(self.table, source_ids):
            value = _only_value(file, number) or self._greatest(file, column)
            found[source_of(file)] = max(value, found.get(source_of(file), ""))
        return found

    def _greatest(self, file: DataFile, column: str) -> str:
        """The greatest value of a column, read from a data file."""
        with tempfile.TemporaryDirectory(prefix="rows-") as folder, duckdb.connect() as database:
            path = Path(folder) / "data.parquet"
            self._io(self.table).download(file.file_path, path)
            query = f"SELECT max({column}) FROM '{path}'"  # noqa: S608 (own names)
            return str(database.execute(query).fetchall()[0][0])

    def _newest(self) -> Table:
        """The table as it is now. Raises NoSuchTableError."""
        if self._table is None:
            self._table = self.catalog.load_table(self.identifier)
        else:
            self._table = self._table.refresh()
        return self._table

    @staticmethod
    def _io(table: Table) -> Boto3FileIO:
        if not isinstance(table.io, Boto3FileIO):
            raise TypeError(f"the catalog uses {type(table.io).__name__}; set py-io-impl to {Boto3FileIO}")
        return table.io


def _copy(table: Table) -> Table:
    """A copy of a table in the same state. pyiceberg modifies the object when it retries a commit."""
    return Table(table.name(), table.metadata, table.metadata_location, table.io, table.catalog)


def _only_value(file: DataFile, number: int) -> str | None:
    """The text of a column in all rows, if the metadata holds it; a shortened upper bound is greater."""
    lower, upper = ((bounds or {}).get(number) for bounds in (file.lower_bounds, file.upper_bounds))
    return lower.decode() if lower is not None and lower == upper else None


def _metrics(table: Table, files: Iterable[DataFile]) -> list[FileMetrics]:
    names = {field.field_id: field.name for field in table.schema().fields}
    source_file = table.schema().find_field("source_file").field_id
    return [
        FileMetrics(
            source_id=source_of(file),
            source_file=((file.lower_bounds or {}).get(source_file) or b"").decode(errors="replace"),
            rows=file.record_count,
            nulls={
                names[number]: count
                for number, count in (file.null_value_counts or {}).items()
                if number in names
            },
        )
        for file in files
    ]
