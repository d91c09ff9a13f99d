"""Outcomes of file versions, as the commands show them: from the ledger, or from an execution's documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ops.deployment import Deployment
from ops.history import Execution, input_files
from ops.session import Session
from stores.execution_documents import ExecutionDocuments
from stores.ledger import Ledger
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import CLOSED_FILE, FileRecord
from taxi_etl.outcomes import Ending

UNSEEN = "unseen"
"""The status of a version that has no record in the ledger, because its event has not arrived yet."""
RUNNING = "RUNNING"


@dataclass(frozen=True)
class FileOutcome:
    """Status of one file version; `rows` are counts by read, written and quarantined.

    `reasons` and `notes` are texts `code: message`; notes are about how a loaded file was read.
    """

    version: FileVersion
    status: str
    execution: str = ""
    dataset: str = ""
    rows: Mapping[str, int] | None = None
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether the outcome is final."""
        return self.status in CLOSED_FILE

    @property
    def is_waiting(self) -> bool:
        """Whether the status will still change without a command."""
        return not self.is_closed and self.status != FileStatus.HELD

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` prints about the file."""
        return {
            "bucket": self.version.bucket,
            "key": self.version.key,
            "versionId": self.version.version_id,
            "status": self.status,
            "execution": self.execution,
            "dataset": self.dataset,
            "rows": self.rows,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
        }


def ledger(session: Session, deployment: Deployment) -> Ledger:
    """Return the deployment's ledger."""
    name = deployment.ledger_table_name
    return Ledger(session.table(name).meta.client, name)


def outcomes(session: Session, deployment: Deployment, versions: Sequence[FileVersion]) -> list[FileOutcome]:
    """Read the status of each of these versions, in their order; `UNSEEN` for those without a record."""
    records = ledger(session, deployment).files(versions)
    return [
        _recorded(records[version.identity]) if version.identity in records else FileOutcome(version, UNSEEN)
        for version in versions
    ]


def files_of(session: Session, deployment: Deployment, execution: str) -> list[FileOutcome]:
    """Read the files that an execution owns now; a replay may own some of its former files."""
    return [_recorded(record) for record in ledger(session, deployment).files_of(execution)]


def outcomes_in(session: Session, deployment: Deployment, execution: Execution) -> list[FileOutcome]:
    """Return every file of an execution with its outcome in this execution, not in a later replay."""
    if execution.status == RUNNING:
        return files_of(session, deployment, execution.name)
    documents = _documents(session, deployment)
    ending = Ending(execution.status, execution.error, execution.cause)
    return [
        FileOutcome(
            version=outcome.version,
            status=str(outcome.status),
            execution=execution.name,
            dataset=outcome.dataset,
            rows={"read": outcome.read, "written": outcome.written, "quarantined": outcome.quarantined},
            reasons=tuple(f"{reason.code}: {reason.message}" for reason in outcome.reasons),
            notes=outcome.notes,
        )
        for outcome in documents.outcomes(execution.name, input_files(execution.input), ending)
    ]


def with_notes(session: Session, deployment: Deployment, files: Sequence[FileOutcome]) -> list[FileOutcome]:
    """Return the files with the notes in the results of the executions that loaded them.

    A result that no longer exists leaves its files without notes.
    """
    documents = _documents(session, deployment)
    loaded = {file.execution for file in files if file.status == FileStatus.LOADED}
    results = {name: documents.result(name) for name in loaded}
    notes = {
        (name, entry.version.identity): entry.notes
        for name, result in results.items()
        if result
        for entry in result.files
    }
    return [replace(file, notes=notes.get((file.execution, file.version.identity), ())) for file in files]


def _documents(session: Session, deployment: Deployment) -> ExecutionDocuments:
    return ExecutionDocuments(session.client("s3"), deployment.bucket_name)


def _recorded(record: FileRecord) -> FileOutcome:
    return FileOutcome(
        version=record.version,
        status=str(record.status),
        execution=record.execution,
        dataset=record.dataset,
        rows=record.rows,
        reasons=record.reasons,
    )
