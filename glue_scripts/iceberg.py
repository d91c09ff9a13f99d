"""Iceberg tables with separate steps for writing data files and committing them.

Spark's `overwrite` writes and commits in one step. A load checks two things in between: that all rows are
accounted for, and that the file's version is still the current one. So Spark only writes the data files, the
way Iceberg's compaction does (`FileRewriteCoordinator`). The commit is Iceberg's `OverwriteFiles`: the same
operation and validations as Spark's overwrite with `isolation-level=serializable` and
`validate-from-snapshot-id`.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from glue_scripts.reading import jvm
from glue_scripts.spark_errors import java_class
from loading.engine import ConflictError
from loading.file_load import StagedFile
from taxi_etl import tables
from taxi_etl.anomalies import FileMetrics
from taxi_etl.same_trips import DataFile

CONFLICTS = (
    "org.apache.iceberg.exceptions.ValidationException",
    "org.apache.iceberg.exceptions.CommitFailedException",
)
ALTER_ATTEMPTS = 3


class LakeTable:
    """An Iceberg table that the job creates, alters and writes."""

    def __init__(self, spark: SparkSession, database: str, table: str) -> None:
        """`database` is `CATALOG.DATABASE`. The table is loaded on first use."""
        self.spark = spark
        self.name = table
        self.qualified = f"{database}.{table}"
        self.changed = False
        """Whether this job run created the table or added a column."""
        self.ensured = False
        """Whether this job run called `ensure`."""
        self._java: Any = None

    def exists(self) -> bool:
        """Whether the catalog has the table."""
        return self.spark.catalog.tableExists(self.qualified)

    def ensure(self) -> None:
        """Create the table or add missing columns and properties.

        Other job runs may do the same concurrently. A property that has another value keeps it.
        """
        if not self.exists():
            self.spark.sql(tables.create_table(self.name, self.qualified))
            self.changed = True
        self.ensured = True
        self._add_columns()
        # The cached table may lack columns that another job run has added since.
        self._java = None
        self._add_properties()

    def _add_columns(self) -> None:
        for attempt in range(1, ALTER_ATTEMPTS + 1):
            known = self._fields()
            missing = tuple(column for column in tables.columns_of(self.name) if column.name not in known)
            if not missing:
                return
            try:
                self.spark.sql(tables.add_columns(self.qualified, missing))
                self.changed = True
            except (PySparkException, Py4JJavaError):
                if attempt == ALTER_ATTEMPTS:
                    raise

    def stage(self, rows: DataFrame) -> dict[str, list[StagedFile]]:
        """Write rows as data files without committing them; returns the data files by `source_id`."""
        known = self._fields()
        rows = rows.selectExpr(
            *(
                f"`{name}`" if name in rows.columns else f"CAST(NULL AS {kind}) AS `{name}`"
                for name, kind in known.items()
            )
        )
        token = str(uuid.uuid4())
        cache, coordinator = self._singleton("SparkTableCache"), self._singleton("FileRewriteCoordinator")
        table = self._load()
        cache.add(token, table)
        try:
            rows.write.format("iceberg").mode("append").save(token)
            staged: dict[str, list[StagedFile]] = {}
            for file in coordinator.fetchNewFiles(table, token):
                staged.setdefault(self._source_id(file), []).append(_staged(file))
            return staged
        finally:
            cache.remove(token)
            coordinator.clearRewrite(table, token)

    def discard(self, files: Iterable[StagedFile]) -> None:
        """Delete data files that will not be committed."""
        io = self._load().io()
        for file in files:
            io.deleteFile(file.location)

    def time_bounds(self, file: StagedFile, column: str) -> tuple[datetime, datetime] | None:
        """The earliest and the latest time of a column in a data file; None if Iceberg has none."""
        field = self._load().schema().findField(column)
        bounds = [
            (each or {}).get(field.fieldId())
            for each in (file.handle.lowerBounds(), file.handle.upperBounds())
        ]
        if None in bounds:
            return None
        conversions = jvm(self.spark).org.apache.iceberg.types.Conversions
        earliest, latest = (_time(int(conversions.fromByteBuffer(field.type(), each))) for each in bounds)
        return earliest, latest

    def snapshot_id(self) -> int | None:
        """The ID of the table's newest snapshot; None without a snapshot or without a table."""
        if self._java is None and not self.exists():
            return None
        table = self._load()
        table.refresh()
        snapshot = table.currentSnapshot()
        return None if snapshot is None else int(snapshot.snapshotId())

    def row_counts(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Rows per source, for sources with any; read from the table's metadata."""
        table = self._load()
        table.refresh()
        counts: dict[str, int] = {}
        tasks = table.newScan().filter(self._rows_of(source_ids)).planFiles()
        try:
            iterator = tasks.iterator()
            while iterator.hasNext():
                file = iterator.next().file()
                source_id = self._source_id(file)
                counts[source_id] = counts.get(source_id, 0) + int(file.recordCount())
        finally:
            tasks.close()
        return counts

    def source_versions(self, source_ids: Sequence[str]) -> dict[str, str]:
        """The version ID of the rows of each source, for sources with any rows."""
        self.spark.catalog.refreshTable(self.qualified)
        listed = ", ".join(f"'{source_id}'" for source_id in source_ids)
        query = (
            f"SELECT source_id, max(source_version) FROM {self.qualified} "  # noqa: S608 (generated names and hex digits only)
            f"WHERE source_id IN ({listed}) GROUP BY source_id"
        )
        rows = self.spark.sql(query).collect()
        return {row[0]: row[1] for row in rows}

    def has_only(self, number: int) -> bool:
        """Whether the table had exactly this many data files after this job run's last commit."""
        snapshot = self._load().currentSnapshot()
        return snapshot is not None and snapshot.summary().get("total-data-files") == str(number)

    def data_files(self, time_column: str, quarantine: "LakeTable") -> list[DataFile]:
        """The data files of this table with the bounds of a time column, and those of quarantine.

        All of it comes from the tables' metadata. It reads the raw bounds, because Spark takes about
        a second to plan a query for the readable bounds of all columns.
        """
        for table in (self, quarantine):
            self.spark.catalog.refreshTable(table.qualified)
        field = self._load().schema().findField(time_column).fieldId()
        source = "SELECT partition.source_id, record_count"
        rows = self.spark.sql(
            f"{source}, lower_bounds[{field}], upper_bounds[{field}] FROM {self.qualified}.files "
            f"WHERE content = 0 UNION ALL {source}, NULL, NULL FROM {quarantine.qualified}.files "
            "WHERE content = 0"
        )
        return [
            DataFile(row[0], int(row[1]), _time_of_bound(row[2]), _time_of_bound(row[3]))
            for row in rows.collect()
        ]

    def file_metrics(self) -> list[FileMetrics]:
        """The metrics of the table's data files; read from its metadata, raw as in `data_files`."""
        self.spark.catalog.refreshTable(self.qualified)
        names = self._field_names()
        source_file = self._load().schema().findField("source_file").fieldId()
        rows = self.spark.sql(
            "SELECT partition.source_id, "  # noqa: S608 (generated names and numbers only)
            f"CAST(lower_bounds[{source_file}] AS string), record_count, "
            f"null_value_counts FROM {self.qualified}.files WHERE content = 0"
        )
        return [
            FileMetrics(row[0], row[1] or "", int(row[2]), _by_name(names, row[3] or {}))
            for row in rows.collect()
        ]

    def staged_metrics(self, files: Iterable[StagedFile]) -> list[FileMetrics]:
        """The metrics of data files that are not committed yet."""
        names = self._field_names()
        field = self._load().schema().findField("source_file")
        conversions = jvm(self.spark).org.apache.iceberg.types.Conversions
        found = []
        for file in files:
            bound = (file.handle.lowerBounds() or {}).get(field.fieldId())
            name = "" if bound is None else str(conversions.fromByteBuffer(field.type(), bound))
            # One call for the whole map: py4j makes several for each of its entries.
            counts = re.findall(r"(\d+)=(\d+)", str(file.handle.nullValueCounts().toString()))
            nulls = _by_name(names, {int(number): int(count) for number, count in counts})
            found.append(FileMetrics(self._source_id(file.handle), name, file.rows, nulls))
        return found

    def source_files(self, source_ids: Sequence[str]) -> dict[str, str]:
        """The URI of each source's file, for sources with any rows."""
        if not source_ids:
            return {}
        listed = ", ".join(f"'{source_id}'" for source_id in source_ids)
        query = (
            f"SELECT source_id, max(source_file) FROM {self.qualified} "  # noqa: S608 (generated names and hex digits only)
            f"WHERE source_id IN ({listed}) GROUP BY source_id"
        )
        return {row[0]: row[1] for row in self.spark.sql(query).collect()}

    def replace_rows(
        self,
        source_ids: Sequence[str],
        files: Iterable[StagedFile],
        since: int | None,
        summary: Mapping[str, str],
    ) -> None:
        """Replace all rows of these sources with those in `files`, in one commit.

        `since` is the snapshot that the caller based its checks on; `summary` is added to the new snapshot's
        summary. Raises ConflictError if rows of these sources were committed after `since`.
        """
        table = self._load()
        table.refresh()
        commit = table.newOverwrite().overwriteByRowFilter(self._rows_of(source_ids))
        for file in files:
            commit = commit.addFile(file.handle)
        if since is not None:
            commit = commit.validateFromSnapshot(since)
        self._commit(commit.validateNoConflictingData().validateNoConflictingDeletes(), summary)

    def remove_files(self, files: Iterable[StagedFile], summary: Mapping[str, str]) -> None:
        """Remove committed data files; files that are no longer in the table are ignored."""
        table = self._load()
        table.refresh()
        commit = table.newDelete()
        for file in files:
            commit = commit.deleteFile(file.handle)
        self._commit(commit, summary)

    def property(self, key: str) -> str | None:
        """The current value of a table property; None if it is not set."""
        table = self._load()
        table.refresh()
        value = table.properties().get(key)
        return None if value is None else str(value)

    def set_property(self, key: str, value: str) -> None:
        """Set a table property."""
        self._load().updateProperties().set(key, value).commit()

    def _add_properties(self) -> None:
        """Set the write properties that a table of an earlier version lacks."""
        found = self._load().properties()
        update, is_needed = self._load().updateProperties(), False
        for key, value in tables.PROPERTIES.items():
            if key.startswith("write.") and found.get(key) is None:
                update, is_needed = update.set(key, value), True
        if is_needed:
            update.commit()

    def _commit(self, operation: Any, summary: Mapping[str, str]) -> None:
        for key, value in summary.items():
            operation = operation.set(key, value)
        try:
            operation.commit()
        except Py4JJavaError as error:
            if java_class(error) in CONFLICTS:
                raise ConflictError(str(error.java_exception.getMessage())) from error
            raise

    def _load(self) -> Any:
        if self._java is None:
            util = jvm(self.spark).org.apache.iceberg.spark.Spark3Util
            self._java = util.loadIcebergTable(self.spark._jsparkSession, self.qualified)
        return self._java

    def _fields(self) -> dict[str, str]:
        """The table's current columns and their Spark types."""
        self.spark.catalog.refreshTable(self.qualified)
        return dict(self.spark.table(self.qualified).dtypes)

    def _field_names(self) -> dict[int, str]:
        """The names of the table's columns by field ID."""
        return {int(field.fieldId()): str(field.name()) for field in self._load().schema().columns()}

    def _rows_of(self, source_ids: Sequence[str]) -> Any:
        """Iceberg's filter for the rows of these sources."""
        expressions = jvm(self.spark).org.apache.iceberg.expressions.Expressions
        return getattr(expressions, "in")(tables.PARTITION_COLUMN, list(source_ids))

    def _source_id(self, file: Any) -> str:
        """The partition of a data file."""
        return str(file.partition().get(0, jvm(self.spark).java.lang.Class.forName("java.lang.String")))

    def _singleton(self, name: str) -> Any:
        """The singleton of a class in Iceberg's Spark module.

        By reflection, since py4j 0.10.9 cannot call the static `get()` of a class that also has `get(x)`.
        """
        java = jvm(self.spark).java.lang
        loader = java.Thread.currentThread().getContextClassLoader()
        gateway: Any = self.spark.sparkContext._gateway
        no_types, no_values = gateway.new_array(java.Class, 0), gateway.new_array(java.Object, 0)
        method = loader.loadClass(f"org.apache.iceberg.spark.{name}").getMethod("get", no_types)
        return method.invoke(None, no_values)


def _staged(file: Any) -> StagedFile:
    """A data file from Iceberg's object."""
    return StagedFile(str(file.location()), int(file.recordCount()), file)


def _by_name(names: Mapping[int, str], counts: Mapping[int, int]) -> dict[str, int]:
    return {names[number]: int(count) for number, count in counts.items() if number in names}


def _time_of_bound(bound: bytes | None) -> datetime | None:
    """The time in a bound as Iceberg stores it: microseconds in eight bytes, the lowest first."""
    if bound is None:
        return None
    return _time(int.from_bytes(bound, "little", signed=True))


def _time(microseconds: int) -> datetime:
    """The time in Iceberg's unit, microseconds since 1970."""
    return datetime(1970, 1, 1) + timedelta(microseconds=microseconds)
