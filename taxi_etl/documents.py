"""Documents of an execution: its manifest and the job's result.

ValidateInput writes manifest.json. The job reads it and writes result.json, and summary.json for the state
machine; the function for small batches returns the summary instead. The finalizer reads the manifest and the
result. All are under `runs/…/EXECUTION/`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from taxi_etl.contents import Contents
from taxi_etl.csv_head import CsvDialect
from taxi_etl.datasets import DATASETS
from taxi_etl.failures import Failure, FileWarning
from taxi_etl.file_rules import file_format
from taxi_etl.file_status import FileStatus
from taxi_etl.first_values import inspect_first_values
from taxi_etl.identity import FileVersion
from taxi_etl.partitions import added_columns
from taxi_etl.recognition import month_number
from taxi_etl.schema import SourceColumn, text_columns

SCHEMA_VERSION = "1"
LISTED_FILES_MAX = 20
"""The most files that a summary or message lists; `filesOmitted` counts the rest."""
SUMMARY_MAX_BYTES = 64 * 1024
LISTED_KEY_MAX = 300
"""Characters of a key or error in a summary or message; manifest and result hold all of it."""


@dataclass(frozen=True)
class AcceptedFile:
    """A file that passed validation, with the facts that the job needs to read it.

    `format` is `parquet` or `csv`, `compression` is `gzip` or `none`, `encoding` a Python codec (CSV only).
    `row_decoder` is true if Spark must decode a Parquet file row by row.
    """

    version: FileVersion
    dataset: str
    format: str
    columns: tuple[SourceColumn, ...]
    compression: str = "none"
    encoding: str = "utf-8"
    row_decoder: bool = False
    dialect: CsvDialect = field(default_factory=CsvDialect)

    @classmethod
    def of(cls, version: FileVersion, dataset: str, contents: Contents) -> Self:
        """The entry for a file of a dataset, from what its ends show."""
        columns, _ = inspect_first_values(
            DATASETS[dataset], contents.columns, contents.rows, contents.dialect.decimal
        )
        return cls(
            version=version,
            dataset=dataset,
            format=file_format(version.key) or "",
            columns=columns,
            compression=contents.compression,
            encoding=contents.encoding,
            row_decoder=contents.row_decoder,
            dialect=contents.dialect,
        )

    @property
    def key_values(self) -> dict[str, str | None]:
        """The columns that only the key's folders have, with their values."""
        return added_columns(self.version.key, DATASETS[self.dataset], self.columns)

    @property
    def all_columns(self) -> tuple[SourceColumn, ...]:
        """The file's columns, then those of the key."""
        return (*self.columns, *text_columns(self.key_values))

    @property
    def month(self) -> int | None:
        """The month of its trips by its name, such as 202401; None without trips or without a month."""
        return month_number(self.version.key) if DATASETS[self.dataset].has_trips else None

    def to_json(self) -> dict[str, Any]:
        """The manifest's entry for this file."""
        key_values = self.key_values
        return {
            **self.version.to_json(),
            **({"columnsFromKey": key_values} if key_values else {}),
            "dataset": self.dataset,
            "format": self.format,
            "columns": [column.to_json() for column in self.columns],
            "compression": self.compression,
            "encoding": self.encoding,
            **({"rowDecoder": True} if self.row_decoder else {}),
            "csv": self.dialect.to_json() if self.format == "csv" else None,
        }

    @classmethod
    def from_json(cls, bucket: str, entry: Mapping[str, Any]) -> Self:
        """Parse the entry that `to_json` wrote."""
        return cls(
            version=FileVersion.from_json(bucket, dict(entry)),
            dataset=entry["dataset"],
            format=entry["format"],
            columns=tuple(SourceColumn.from_json(column) for column in entry["columns"]),
            compression=entry["compression"],
            encoding=entry["encoding"],
            row_decoder=entry.get("rowDecoder", False),
            dialect=CsvDialect.from_json(entry.get("csv") or {}),
        )


@dataclass(frozen=True)
class RejectedFile:
    """A file that failed validation, with every reason."""

    version: FileVersion
    reasons: tuple[Failure, ...]

    def to_json(self) -> dict[str, Any]:
        """The manifest's entry for this file."""
        return {**self.version.to_json(), "reasons": [reason.to_json() for reason in self.reasons]}

    @classmethod
    def from_json(cls, bucket: str, entry: Mapping[str, Any]) -> Self:
        """Parse the entry that `to_json` wrote."""
        reasons = tuple(Failure.from_json(reason) for reason in entry["reasons"])
        return cls(version=FileVersion.from_json(bucket, dict(entry)), reasons=reasons)


@dataclass(frozen=True)
class SupersededFile:
    """A file version that is left out because the object has a newer version, with its own event."""

    version: FileVersion

    def to_json(self) -> dict[str, Any]:
        """The manifest's entry for this file."""
        return self.version.to_json()

    @classmethod
    def from_json(cls, bucket: str, entry: Mapping[str, Any]) -> Self:
        """Parse the entry that `to_json` wrote."""
        return cls(FileVersion.from_json(bucket, dict(entry)))


@dataclass(frozen=True)
class Manifest:
    """The outcome of validation for every file of one execution."""

    execution: str
    bucket: str
    trigger: str
    accepted: tuple[AcceptedFile, ...] = ()
    rejected: tuple[RejectedFile, ...] = ()
    superseded: tuple[SupersededFile, ...] = ()

    def dumps(self) -> str:
        """The text of manifest.json."""
        return json.dumps(
            {
                "schemaVersion": SCHEMA_VERSION,
                "execution": self.execution,
                "bucket": self.bucket,
                "trigger": self.trigger,
                "accepted": [file.to_json() for file in self.accepted],
                "rejected": [file.to_json() for file in self.rejected],
                "superseded": [file.to_json() for file in self.superseded],
            }
        )

    @classmethod
    def loads(cls, text: str | bytes) -> Self:
        """Parse a manifest.json. Raises KeyError or ValueError for other text."""
        document = json.loads(text)
        bucket = document["bucket"]
        return cls(
            execution=document["execution"],
            bucket=bucket,
            trigger=document["trigger"],
            accepted=tuple(AcceptedFile.from_json(bucket, entry) for entry in document["accepted"]),
            rejected=tuple(RejectedFile.from_json(bucket, entry) for entry in document["rejected"]),
            superseded=tuple(SupersededFile.from_json(bucket, entry) for entry in document["superseded"]),
        )


JOB_STATUSES = (FileStatus.LOADED, FileStatus.FAILED, FileStatus.SUPERSEDED)
"""The statuses that the job gives to accepted files."""


@dataclass(frozen=True)
class FileResult:
    """The outcome of one file in the job: rows are counts, `reasons` are quarantined rows by reason.

    `status` is one of `JOB_STATUSES`; `failure` is the reason why a failed file did not load. `examples` are
    rows of a file that failed for too many quarantined rows, as `{"reasons", "row"}`. `date_orders` are the
    orders of dates by column, where they are not year, month, day. `key_values` are the columns that the file
    lacks and the folders of its key have, `instants` the columns of instants with how they were read.
    `columns_left_out` are the names and types of columns whose values have no exact text form.

    A row with two reasons counts under both, so the reasons may add up to more than `quarantined`.
    """

    version: FileVersion
    status: FileStatus
    dataset: str
    variant: str = ""
    read: int = 0
    written: int = 0
    quarantined: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    new_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()
    columns_left_out: tuple[tuple[str, str], ...] = ()
    failure: Failure | None = None
    warnings: tuple[FileWarning, ...] = ()
    examples: tuple[Mapping[str, Any], ...] = ()
    date_orders: Mapping[str, str] = field(default_factory=dict)
    key_values: Mapping[str, str | None] = field(default_factory=dict)
    instants: Mapping[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing about how a loaded file was read, as `code: message`; warnings first."""
        warnings = tuple(f"{warning.code}: {warning.message}" for warning in self.warnings)
        left_out = ", ".join(f"{name} ({kind})" for name, kind in self.columns_left_out)
        from_key = ", ".join(
            f"{name}={'null' if value is None else value}" for name, value in self.key_values.items()
        )
        facts = {
            "columns_left_out": left_out and f"left out, because no exact text form exists: {left_out}",
            "columns_from_key": from_key and f"the folders of the key have {from_key}",
            "date_orders": _pairs(self.date_orders),
            "instants": _pairs(self.instants),
        }
        return (*warnings, *(f"{code}: {text}" for code, text in facts.items() if text))

    def to_json(self) -> dict[str, Any]:
        """The result's entry for this file."""
        return {
            **self.version.to_json(),
            "status": str(self.status),
            "dataset": self.dataset,
            "variant": self.variant,
            "rows": {
                "read": self.read,
                "written": self.written,
                "quarantined": self.quarantined,
                "reasons": dict(self.reasons),
            },
            "newColumns": list(self.new_columns),
            "missingColumns": list(self.missing_columns),
            "columnsLeftOut": [{"name": name, "type": kind} for name, kind in self.columns_left_out],
            "error": self.failure.to_json() if self.failure else None,
            "warnings": [warning.to_json() for warning in self.warnings],
            **({"examples": [dict(example) for example in self.examples]} if self.examples else {}),
            **({"dateOrders": dict(self.date_orders)} if self.date_orders else {}),
            **({"columnsFromKey": dict(self.key_values)} if self.key_values else {}),
            **({"instants": dict(self.instants)} if self.instants else {}),
        }

    @classmethod
    def from_json(cls, bucket: str, entry: Mapping[str, Any]) -> Self:
        """Parse the entry that `to_json` wrote."""
        rows = entry["rows"]
        return cls(
            version=FileVersion.from_json(bucket, dict(entry)),
            status=FileStatus(entry["status"]),
            dataset=entry["dataset"],
            variant=entry["variant"],
            read=rows["read"],
            written=rows["written"],
            quarantined=rows["quarantined"],
            reasons=dict(rows["reasons"]),
            new_columns=tuple(entry["newColumns"]),
            missing_columns=tuple(entry["missingColumns"]),
            columns_left_out=tuple((each["name"], each["type"]) for each in entry.get("columnsLeftOut", ())),
            failure=Failure.from_json(entry["error"]) if entry["error"] else None,
            warnings=tuple(FileWarning.from_json(warning) for warning in entry.get("warnings", ())),
            examples=tuple(entry.get("examples", ())),
            date_orders=dict(entry.get("dateOrders", {})),
            key_values=dict(entry.get("columnsFromKey", {})),
            instants=dict(entry.get("instants", {})),
        )


@dataclass(frozen=True)
class JobResult:
    """The outcome of the job for every accepted file of the manifest."""

    execution: str
    bucket: str
    job_run_id: str
    files: tuple[FileResult, ...]
    schema_changed: bool
    crawl_needed: bool = False
    """Whether the crawler would add a table or a column for these files (`taxi_etl.raw_folders`)."""

    def counts(self) -> dict[str, int]:
        """The number of files, and of those in each status."""
        by_status = {status: sum(file.status is status for file in self.files) for status in JOB_STATUSES}
        return {"files": len(self.files), **{str(status): count for status, count in by_status.items()}}

    def rows(self) -> dict[str, int]:
        """Rows read, written and quarantined in all loaded files."""
        loaded = [file for file in self.files if file.status is FileStatus.LOADED]
        return {
            "read": sum(file.read for file in loaded),
            "written": sum(file.written for file in loaded),
            "quarantined": sum(file.quarantined for file in loaded),
        }

    def head(self) -> dict[str, Any]:
        """The facts about all files that the result and its summary share."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "execution": self.execution,
            "bucket": self.bucket,
            "jobRunId": self.job_run_id,
            "schemaChanged": self.schema_changed,
            "crawlNeeded": self.crawl_needed,
            "counts": self.counts(),
            "rows": self.rows(),
        }

    def dumps(self) -> str:
        """The text of result.json."""
        return json.dumps({**self.head(), "files": [file.to_json() for file in self.files]})

    @classmethod
    def loads(cls, text: str | bytes) -> Self:
        """Parse a result.json. Raises KeyError or ValueError for other text."""
        document = json.loads(text)
        bucket = document["bucket"]
        return cls(
            execution=document["execution"],
            bucket=bucket,
            job_run_id=document["jobRunId"],
            files=tuple(FileResult.from_json(bucket, entry) for entry in document["files"]),
            schema_changed=document["schemaChanged"],
            crawl_needed=document.get("crawlNeeded", False),
        )


def _pairs(facts: Mapping[str, str]) -> str:
    return ", ".join(f"{column} {fact}" for column, fact in facts.items())


def shorten(text: str, limit: int = LISTED_KEY_MAX) -> str:
    """The text in at most `limit` characters, with an ellipsis in the middle if it was longer."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[: limit - 1 - half]}…{text[-half:]}"
