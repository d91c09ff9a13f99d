"""What does the ledger say? File versions and executions as the commands show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ops.deployment import Deployment
from ops.session import Session
from taxi_etl import ledger
from taxi_etl.identity import FileVersion

BATCH_GET_MAX = 100


@dataclass(frozen=True)
class FileOutcome:
    """Where one file version stands; `rows` are counts by read, written, quarantined."""

    version: FileVersion
    status: str
    execution: str = ""
    dataset: str = ""
    rows: dict[str, Any] | None = None
    reasons: tuple[str, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ledger.CLOSED_FILE

    @property
    def is_waiting(self) -> bool:
        """Whether something is still going to happen to it by itself."""
        return not self.is_closed and self.status != ledger.FileStatus.HELD

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints about the file."""
        return {
            "bucket": self.version.bucket,
            "key": self.version.key,
            "versionId": self.version.version_id,
            "status": self.status,
            "execution": self.execution,
            "dataset": self.dataset,
            "rows": self.rows,
            "reasons": list(self.reasons),
        }


UNSEEN = "unseen"
"""The status of a version that the ledger does not know (yet): its event has not arrived."""


def outcome_of(item: dict[str, Any]) -> FileOutcome:
    """The outcome in a file's item of the ledger."""
    record = ledger.FileRecord.from_item(item)
    return FileOutcome(
        version=record.version,
        status=str(record.status),
        execution=record.execution,
        dataset=item.get("dataset", ""),
        rows={name: int(count) for name, count in (item.get("rows") or {}).items() if name != "reasons"}
        or None,
        reasons=tuple(_reason(reason) for reason in item.get("reasons") or ()),
    )


def _reason(reason: Any) -> str:
    return f"{reason['code']}: {reason['message']}" if isinstance(reason, dict) else str(reason)


def outcomes(session: Session, deployment: Deployment, versions: Sequence[FileVersion]) -> list[FileOutcome]:
    """Where each of these versions stands, in their order; `UNSEEN` for those the ledger does not know."""
    table = session.table(deployment.ledger_table_name)
    found: dict[tuple[str, str, str], FileOutcome] = {}
    for first in range(0, len(versions), BATCH_GET_MAX):
        wanted = {
            table.name: {
                "Keys": [ledger.file_key(version) for version in versions[first : first + BATCH_GET_MAX]],
                "ConsistentRead": True,
            }
        }
        while wanted:
            answer = table.meta.client.batch_get_item(RequestItems=wanted)
            for item in answer["Responses"].get(table.name, []):
                outcome = outcome_of(item)
                found[outcome.version.identity] = outcome
            wanted = answer.get("UnprocessedKeys") or {}
    return [found.get(version.identity, FileOutcome(version, UNSEEN)) for version in versions]


def files_of(session: Session, deployment: Deployment, execution: str) -> list[FileOutcome]:
    """The files that an execution owns now; a replay may have taken some over."""
    items = query(session.table(deployment.ledger_table_name), ledger.files_of(execution))
    return [outcome_of(item) for item in items if item["sk"] != ledger.EXECUTION_SORT_KEY]


def execution_item(session: Session, deployment: Deployment, execution: str) -> dict[str, Any] | None:
    """The execution's item in the ledger, None when it did not come through the ledger."""
    answer = session.table(deployment.ledger_table_name).get_item(Key=ledger.execution_key(execution))
    item: dict[str, Any] | None = answer.get("Item")
    return item


def query(table: Any, request: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Every item that a query finds, page by page."""
    while True:
        answer = table.query(**request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def count(table: Any, request: dict[str, Any]) -> int:
    """How many items a query finds, without reading them to here."""
    counted = 0
    while True:
        answer = table.query(**request, Select="COUNT")
        counted += int(answer["Count"])
        if "LastEvaluatedKey" not in answer:
            return counted
        request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}
