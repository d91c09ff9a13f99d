"""A bucket and tables in folders, and the engine that loads one into the other. No Spark, no AWS."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.folder_catalog import FolderCatalog
from duckdb_engine.job import run
from duckdb_engine.lake_table import LakeTable
from loading.options import Options
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import AcceptedFile, JobResult, Manifest
from taxi_etl.identity import FileVersion, source_id
from taxi_etl.tables import QUARANTINE
from taxi_etl.transform.sources import JobRun
from tests.duckdb_engine.conftest import LIMITS, RUN
from tests.fixtures.file_checks import BUCKET, VersionedFolder, validated

DATABASE = "taxi"
OPTIONS = Options(
    database=DATABASE,
    max_quarantine_share=0.5,
    sort_by_pickup=False,
    command="taxi-etl --environment dev",
    program="test",
)


@dataclass
class FolderStorage(VersionedFolder):
    """The load's storage over a versioned bucket in a folder.

    `after_check` is called with the number of each version check, when its result is known.
    """

    after_check: Callable[[int], None] = lambda _: None
    checks: int = 0

    def chunks(self, version: FileVersion):
        yield (self.root / version.key).read_bytes()

    def current_version(self, version: FileVersion) -> str | None:
        self.checks += 1
        current = self.versions.get(version.key)
        self.after_check(self.checks)
        return current

    def location(self, version: FileVersion) -> str:
        raise AssertionError("the engine reads local copies")


@dataclass
class Lake:
    """A bucket, a database, and the engine; `job_run` is the job run of each load."""

    storage: FolderStorage
    catalog: FolderCatalog
    job_run: JobRun = RUN

    def accept(self, key: str) -> AcceptedFile:
        """The manifest entry that validation writes for an object's current version."""
        finding = validated(self.storage, key)
        assert isinstance(finding, AcceptedFile), finding
        return finding

    def load(self, *files: "str | AcceptedFile", **changes: Any) -> JobResult:
        """Load objects as the workflow would; `changes` replace options. Raises Declined."""
        accepted = tuple(self.accept(file) if isinstance(file, str) else file for file in files)
        execution = uuid.uuid4().hex
        uri = f"s3://{BUCKET}/runs/{execution}/manifest.json"
        self.storage.write(uri, Manifest(execution, BUCKET, "s3", accepted).dumps())
        options = replace(OPTIONS, **changes)
        result, summary = run(self.catalog, self.storage, uri, options, self.job_run, limits=LIMITS)
        assert JobResult.loads(self.storage.read(uri.replace("manifest", "result"))) == result
        assert json.loads(summary)["counts"] == result.counts()
        return result

    def table(self, name: str) -> LakeTable:
        """A table by its dataset, or quarantine."""
        table = QUARANTINE if name == "quarantine" else DATASETS[name].table
        return LakeTable(self.catalog, DATABASE, table)

    def count(self, name: str, key: str) -> int:
        """The rows of a file in a table, read from its data files."""
        return len(self.rows(name, key))

    def rows(self, name: str, key: str) -> list[Mapping[str, Any]]:
        """The rows of a file in a table, read from its data files."""
        table = self.table(name)
        if not table.exists():
            return []
        files = [task.file for task in table.table.scan().plan_files()]
        paths = [file.file_path for file in files if file.partition[0] == source_id(BUCKET, key)]
        return duckdb.read_parquet(paths).to_arrow_table().to_pylist() if paths else []

    def data_files(self) -> set[Path]:
        """The data files of all tables, committed or not."""
        return set(self.catalog.warehouse.rglob("data/**/*.parquet"))


def empty_lake(folder: Path) -> Lake:
    """An empty bucket and no tables."""
    return Lake(FolderStorage(folder / "bucket"), FolderCatalog(folder / "warehouse"))
