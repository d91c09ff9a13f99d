"""The bucket and the database of a Spark test, loaded with the DuckDB engine."""

import uuid
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchmarks.folder_catalog import FolderCatalog
from duckdb_engine.job import run
from loading.options import Options
from taxi_etl.documents import AcceptedFile, JobResult, Manifest
from taxi_etl.transform.sources import JobRun
from tests.duckdb_engine.conftest import LIMITS
from tests.fixtures.file_checks import BUCKET
from tests.spark.conftest import NOW, Lake


class DuckDBLake(Lake):
    """A `Lake` whose job is the DuckDB engine's; Spark's queries see its tables."""

    @classmethod
    def of(cls, lake: Lake) -> "DuckDBLake":
        """The same bucket and database."""
        return cls(**{each.name: getattr(lake, each.name) for each in fields(Lake)})

    @property
    def catalog(self) -> FolderCatalog:
        """Spark's catalog `lake`."""
        return FolderCatalog(Path(self.spark.conf.get("spark.sql.catalog.lake.warehouse")))

    def load(
        self, *files: str | AcceptedFile, arguments: Sequence[str] = (), run_id: str = "", **options: Any
    ) -> JobResult:
        """Load objects. Raises Declined."""
        assert not arguments, "these are Spark's"
        accepted = tuple(self.accept(file) if isinstance(file, str) else file for file in files)
        execution = uuid.uuid4().hex
        uri = f"s3://{BUCKET}/runs/{execution}/manifest.json"
        self.storage.write(uri, Manifest(execution, BUCKET, "s3", accepted).dumps())
        defaults = {
            "database": self.database,
            "max_quarantine_share": 0.5,
            "sort_by_pickup": False,
            "command": "taxi-etl --environment dev",
            "program": "test",
        }
        job_run = JobRun(run_id or f"jr_{execution}", NOW)
        options = Options(**defaults | options)
        result, _ = run(self.catalog, self.storage, uri, options, job_run, limits=LIMITS)
        return result
