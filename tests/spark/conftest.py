"""Fixtures of the job's tests: a versioned bucket in a folder, and job runs over its objects."""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from glue_scripts.process_taxi_data import parse_arguments, run
from lambdas.validate_input.parquet_footer import read_footer
from taxi_etl.contents import PARQUET_TRAILER_BYTES, inspect_csv
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import AcceptedFile, JobResult, Manifest
from taxi_etl.identity import FileVersion, source_id
from taxi_etl.recognition import recognize
from tests.fixtures.file_checks import BUCKET, VersionedFolder

NOW = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)


def footer_of(content: bytes) -> bytes:
    """The end of a Parquet file from its footer on."""
    length = int.from_bytes(content[-PARQUET_TRAILER_BYTES:][:4], "little")
    return content[-PARQUET_TRAILER_BYTES - length :]


@dataclass
class FolderStorage(VersionedFolder):
    """The job's storage over a versioned bucket in a folder.

    `before_check` and `after_check` are called with the number of each version check, before and after it.
    """

    checks: int = 0
    before_check: Callable[[int], None] = lambda _: None
    after_check: Callable[[int], None] = lambda _: None

    def delete(self, key: str) -> None:
        """Delete an object."""
        (self.root / key).unlink()
        del self.versions[key]

    def chunks(self, version: FileVersion) -> Iterator[bytes]:
        with (self.root / version.key).open("rb") as file:
            while chunk := file.read(100_000):
                yield chunk

    def current_version(self, version: FileVersion) -> str | None:
        self.checks += 1
        check = self.checks
        self.before_check(check)
        current = self.versions.get(version.key)
        self.after_check(check)
        return current

    def location(self, version: FileVersion) -> str:
        return f"file://{self.root}/{version.key}"


@dataclass
class Lake:
    """A bucket and a database, and the job that loads one into the other."""

    spark: Any
    storage: FolderStorage
    database: str

    def accept(self, key: str, dataset: str | None = None) -> AcceptedFile:
        """The manifest entry that validation would write for an object's current version."""
        path = self.storage.root / key
        version = FileVersion(BUCKET, key, self.storage.versions[key], path.stat().st_size)
        if key.endswith(".parquet"):
            facts = read_footer(footer_of(path.read_bytes()))
            named = dataset or self._recognized(facts.columns, key)
            return AcceptedFile(version, named, "parquet", facts.columns, row_decoder=facts.needs_row_decoder)
        found = inspect_csv(path.read_bytes()[: 64 * 1024], path.stat().st_size, gzipped=key.endswith(".gz"))
        named = dataset or self._recognized(found.columns, key)
        return AcceptedFile.of(version, named, found)

    def load(self, *files: str | AcceptedFile, arguments: Sequence[str] = ()) -> JobResult:
        """Run the job over these objects as the workflow would; later `arguments` override the defaults."""
        accepted = tuple(self.accept(file) if isinstance(file, str) else file for file in files)
        execution = uuid.uuid4().hex
        uri = f"s3://{BUCKET}/runs/{execution}/manifest.json"
        self.storage.write(uri, Manifest(execution, BUCKET, "s3", accepted).dumps())
        defaults = {
            "--manifest": uri,
            "--catalog": "lake",
            "--database": self.database,
            "--max-quarantine-share": "0.5",
            "--sort-by-pickup": "false",
            "--anomaly-policy": "warn",
            "--stall-minutes": "5",
            "--command-line": "taxi-etl --environment dev",
            "--optimizer-role": "",
            "--retention-days": "7",
            "--JOB_RUN_ID": f"jr_{execution}",
        }
        passed = [word for pair in defaults.items() for word in pair]
        result = run(self.spark, self.storage, parse_arguments([*passed, *arguments]), NOW)
        written = self.storage.read(uri.replace("manifest", "result"))
        assert JobResult.loads(written) == result, "result.json differs from the returned result"
        assert json.loads(self.storage.read(uri.replace("manifest", "summary")))["counts"] == result.counts()
        return result

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of a query in which `{yellow}`, `{quarantine}` and so on stand for the tables."""
        names = {name: f"lake.{self.database}.{each.table}" for name, each in DATASETS.items()}
        names["quarantine"] = f"lake.{self.database}.quarantined_trips"
        for name in names.values():
            if self.spark.catalog.tableExists(name):
                self.spark.catalog.refreshTable(name)
        return [tuple(row) for row in self.spark.sql(text.format(**names)).collect()]

    def count(self, table: str, key: str | None = None) -> int:
        """The number of rows in a table, of all files or of one."""
        condition = f"WHERE source_id = '{source_id(BUCKET, key)}'" if key else ""
        return self.query(f"SELECT count(*) FROM {{{table}}} {condition}")[0][0]

    def _recognized(self, columns: Any, key: str) -> str:
        dataset = recognize(columns, key).dataset
        assert dataset, f"{key} does not match any dataset: {recognize(columns, key).failures}"
        return dataset


@pytest.fixture
def lake(spark: Any, tmp_path: Path) -> Lake:
    """An empty bucket and an empty database."""
    return _empty_lake(spark, tmp_path)


@pytest.fixture(scope="module")
def module_lake(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """An empty bucket and an empty database for all tests of a module."""
    return _empty_lake(spark, tmp_path_factory.mktemp("lake"))


def _empty_lake(spark: Any, folder: Path) -> Lake:
    database = f"taxi_{uuid.uuid4().hex[:8]}"
    spark.sql(f"CREATE NAMESPACE lake.{database}")
    return Lake(spark, FolderStorage(folder / "bucket"), database)
