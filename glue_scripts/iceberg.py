"""How do rows get into a table at once, and only if nobody else loaded the same file meanwhile?

Spark's own `overwrite` writes and commits in one go. A load has to look twice in between: are all rows
accounted for, and is the file's version still the newest? So Spark only writes the data files, by the path
Iceberg's own compaction takes (`FileRewriteCoordinator`), and the commit is Iceberg's `OverwriteFiles`,
the same operation with the same validations as Spark's overwrite with `isolation-level=serializable` and
`validate-from-snapshot-id`.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from glue_scripts.reading import jvm
from glue_scripts.spark_errors import java_class
from taxi_etl import tables

CONFLICTS = (
    "org.apache.iceberg.exceptions.ValidationException",
    "org.apache.iceberg.exceptions.CommitFailedException",
)
ALTER_ATTEMPTS = 3


class ConflictError(Exception):
    """Another run committed rows of the same files since the snapshot that this commit builds on."""


@dataclass
class Staged:
    """Data files that are written and belong to no snapshot yet, by the source that owns their rows."""

    files: dict[str, list[Any]] = field(default_factory=dict)

    def rows(self, source_id: str) -> int:
        """How many rows the data files of a source hold, by Iceberg's count."""
        return sum(int(file.recordCount()) for file in self.files.get(source_id, []))

    def only(self, source_ids: Iterable[str]) -> list[Any]:
        """The data files of some sources."""
        return [file for source_id in source_ids for file in self.files.get(source_id, [])]

    def add(self, other: "Staged") -> None:
        """Take in the data files of another write."""
        for source_id, files in other.files.items():
            self.files.setdefault(source_id, []).extend(files)


class LakeTable:
    """One Iceberg table, owned by the job."""

    def __init__(self, spark: SparkSession, database: str, table: str) -> None:
        """`database` is `CATALOG.DATABASE`; nothing is read before the table is asked for something."""
        self.spark = spark
        self.name = table
        self.qualified = f"{database}.{table}"
        self.changed = False
        """Whether this run created the table or gave it a column."""
        self.ensured = False
        self._java: Any = None

    def exists(self) -> bool:
        """Whether the catalog has the table."""
        return self.spark.catalog.tableExists(self.qualified)

    def ensure(self) -> None:
        """Create the table if it is missing; give it the columns it lacks. Two runs may do so at once."""
        if not self.exists():
            self.spark.sql(tables.create_table(self.name, self.qualified))
            self.changed = True
        self.ensured = True
        for attempt in range(1, ALTER_ATTEMPTS + 1):
            known = self._fields()
            lacking = tuple(column for column in tables.columns_of(self.name) if column.name not in known)
            if not lacking:
                return
            try:
                self.spark.sql(tables.add_columns(self.qualified, lacking))
                self.changed = True
            except (PySparkException, Py4JJavaError):
                if attempt == ALTER_ATTEMPTS:
                    raise

    def stage(self, rows: DataFrame) -> Staged:
        """Write rows as data files of this table, without committing them."""
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
            staged = Staged()
            for file in coordinator.fetchNewFiles(table, token):
                staged.files.setdefault(self._owner(file), []).append(file)
            return staged
        finally:
            cache.remove(token)
            coordinator.clearRewrite(table, token)

    def discard(self, files: Iterable[Any]) -> None:
        """Delete staged data files that will not be committed."""
        io = self._load().io()
        for file in files:
            io.deleteFile(file.location())

    def snapshot_id(self) -> int | None:
        """The newest snapshot of the table; None for a table without one."""
        table = self._load()
        table.refresh()
        snapshot = table.currentSnapshot()
        return None if snapshot is None else int(snapshot.snapshotId())

    def rows_of(self, source_ids: Sequence[str]) -> dict[str, int]:
        """How many rows the table holds of each source that it holds any of; from metadata, no data is
        read."""
        table = self._load()
        table.refresh()
        counts: dict[str, int] = {}
        tasks = table.newScan().filter(self._of(source_ids)).planFiles()
        try:
            found = tasks.iterator()
            while found.hasNext():
                task = found.next()
                owner = self._owner(task.file())
                counts[owner] = counts.get(owner, 0) + int(task.file().recordCount())
        finally:
            tasks.close()
        return counts

    def versions_of(self, source_ids: Sequence[str]) -> dict[str, str]:
        """The source version whose rows the table holds, of each source that it holds any of."""
        self.spark.catalog.refreshTable(self.qualified)
        listed = ", ".join(f"'{source_id}'" for source_id in source_ids)
        query = (
            f"SELECT source_id, max(source_version) FROM {self.qualified} "  # noqa: S608 (own names, hex digits)
            f"WHERE source_id IN ({listed}) GROUP BY source_id"
        )
        rows = self.spark.sql(query).collect()
        return {row[0]: row[1] for row in rows}

    def replace(
        self, source_ids: Sequence[str], files: Iterable[Any], since: int | None, notes: Mapping[str, str]
    ) -> None:
        """Commit, in one snapshot: the rows of these sources are those in `files`, and no others.

        `since` is the snapshot the caller looked at. Raises ConflictError when rows of these sources came
        in later.
        """
        table = self._load()
        table.refresh()
        mine = self._of(source_ids)
        commit = table.newOverwrite().overwriteByRowFilter(mine)
        for file in files:
            commit = commit.addFile(file)
        if since is not None:
            commit = commit.validateFromSnapshot(since)
        self._commit(commit.validateNoConflictingData().validateNoConflictingDeletes(), notes)

    def take_back(self, files: Iterable[Any], notes: Mapping[str, str]) -> None:
        """Remove data files that this run committed, as far as they are still there."""
        table = self._load()
        table.refresh()
        commit = table.newDelete()
        for file in files:
            commit = commit.deleteFile(file)
        self._commit(commit, notes)

    def note_columns(self, names: Iterable[str]) -> bool:
        """Remember the source columns of loaded files; returns whether there were new ones among them."""
        seen = set(json.loads(self.property(tables.SEEN_COLUMNS_PROPERTY) or "[]"))
        wanted = seen | set(names)
        if wanted == seen:
            return False
        self.set_property(tables.SEEN_COLUMNS_PROPERTY, json.dumps(sorted(wanted)))
        return True

    def property(self, key: str) -> str | None:
        """A property of the table as the catalog has it now."""
        table = self._load()
        table.refresh()
        value = table.properties().get(key)
        return None if value is None else str(value)

    def set_property(self, key: str, value: str) -> None:
        """Set a property of the table."""
        self._load().updateProperties().set(key, value).commit()

    def _commit(self, operation: Any, notes: Mapping[str, str]) -> None:
        for key, value in notes.items():
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
        """The table's columns and their Spark types as the catalog has them now."""
        self.spark.catalog.refreshTable(self.qualified)
        return dict(self.spark.table(self.qualified).dtypes)

    def _of(self, source_ids: Sequence[str]) -> Any:
        expressions = jvm(self.spark).org.apache.iceberg.expressions.Expressions
        return getattr(expressions, "in")("source_id", list(source_ids))

    def _owner(self, file: Any) -> str:
        return str(file.partition().get(0, jvm(self.spark).java.lang.Class.forName("java.lang.String")))

    def _singleton(self, name: str) -> Any:
        """The one instance of a class of Iceberg's Spark module; py4j cannot call a static `get()` beside
        `get(x)`."""
        java = jvm(self.spark).java.lang
        loader = java.Thread.currentThread().getContextClassLoader()
        gateway: Any = self.spark.sparkContext._gateway
        no_types, no_values = gateway.new_array(java.Class, 0), gateway.new_array(java.Object, 0)
        method = loader.loadClass(f"org.apache.iceberg.spark.{name}").getMethod("get", no_types)
        return method.invoke(None, no_values)
