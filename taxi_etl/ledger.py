"""Who may do what to a file's record, and when? The items, statuses and conditions of the file ledger.

Two kinds of items share the table. A file version's: partition key `BUCKET/KEY`, sort key its versionId. An
execution's: partition key `execution#NAME`, sort key `execution`. Every write is a request built here, with
the condition that makes it safe; the adapters only send it. Values are plain Python, as DynamoDB's resource
API takes.

    file       (nothing) ── hold ──> held          execution   (nothing) ── claim ──> claimed
                    └─────┬────────────┘                          claimed ── mark ──> running
                        claim                          claimed, running ── finish ──> closed
                          v
               received ── mark ──> running ── close ──> loaded | rejected | superseded | failed
                   ^                                                  │
                   └──────────── claim as a replay ───────────────────┘
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from taxi_etl.dynamodb_requests import Request, expressions
from taxi_etl.dynamodb_requests import update as plain_update
from taxi_etl.identity import FileVersion

BY_EXECUTION = "by-execution"
BY_STATUS = "by-status"
EXECUTION_SORT_KEY = "execution"
WATCH_KEY = {"pk": "watch", "sk": "watch"}
"""The item that says since when files are expected; it has no status and so is in no index."""


class FileStatus(StrEnum):
    """Where a file version stands."""

    RECEIVED = "received"
    HELD = "held"
    RUNNING = "running"
    LOADED = "loaded"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    FAILED = "failed"


class ExecutionStatus(StrEnum):
    """Where an execution's claim stands; the two first are open."""

    CLAIMED = "claimed"
    RUNNING = "running"
    CLOSED = "closed"


OPEN_FILE = (FileStatus.RECEIVED, FileStatus.RUNNING)
CLOSED_FILE = (FileStatus.LOADED, FileStatus.REJECTED, FileStatus.SUPERSEDED, FileStatus.FAILED)
OPEN_EXECUTION = (ExecutionStatus.CLAIMED, ExecutionStatus.RUNNING)
OUTCOME_ATTRIBUTES = ("reasons", "dataset", "rows", "alone")
"""What the closer writes about a file beside its status, and a new claim removes."""
HOLDS_LEASE = "#closingUntil = :until"


@dataclass(frozen=True)
class FileRecord:
    """A file version's item. `alone` says that a replay should give it an execution of its own."""

    version: FileVersion
    status: FileStatus
    execution: str = ""
    attempts: int = 0
    alone: bool = False

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """The record in an item of the table."""
        return cls(
            version=FileVersion(
                bucket=item["bucket"],
                key=item["key"],
                version_id=item["sk"],
                size=int(item["size"]),
                etag=item["etag"],
                sequencer=item["sequencer"],
            ),
            status=FileStatus(item["status"]),
            execution=item.get("execution", ""),
            attempts=int(item.get("attempts", 0)),
            alone=bool(item.get("alone", False)),
        )


@dataclass(frozen=True)
class ExecutionRecord:
    """An execution's item: `input` is the very text it is started with, however often."""

    name: str
    status: ExecutionStatus
    input: str
    files: int
    arn: str = ""
    redrives: int = 0

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """The record in an item of the table."""
        return cls(
            name=item["execution"],
            status=ExecutionStatus(item["status"]),
            input=item["input"],
            files=int(item["files"]),
            arn=item.get("arn", ""),
            redrives=int(item.get("redrives", 0)),
        )


@dataclass(frozen=True)
class Claim:
    """A batch of files about to become an execution: `attempt` 1 for first loads, more for replays."""

    name: str
    input: str
    trigger: str
    files: tuple[FileVersion, ...]
    attempt: int = 1


def stamp(moment: datetime) -> str:
    """A moment (with a zone) as the ledger writes it: texts of one width in UTC, which sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def file_key(version: FileVersion) -> dict[str, str]:
    """The primary key of a file version's item."""
    return {"pk": f"{version.bucket}/{version.key}", "sk": version.version_id}


def execution_key(name: str) -> dict[str, str]:
    """The primary key of an execution's item."""
    return {"pk": f"execution#{name}", "sk": EXECUTION_SORT_KEY}


def is_claimable(record: FileRecord | None, *, replay: bool) -> bool:
    """Whether a claim of this file would be granted, by what was last read of it (None: no item)."""
    if record is None or record.status is FileStatus.HELD:
        return True
    return replay and record.status in CLOSED_FILE


def claim(claim: Claim, now: str) -> list[Request]:
    """The actions of one TransactWriteItems that claims a batch: the execution with all its files.

    A first load takes files that nobody has claimed. A replay also takes closed ones, unless another replay
    of the same attempt took them meanwhile. A claim is never taken over.
    """
    execution = {
        **execution_key(claim.name),
        "execution": claim.name,
        "status": str(ExecutionStatus.CLAIMED),
        "bucket": claim.files[0].bucket,
        "trigger": claim.trigger,
        "input": claim.input,
        "files": len(claim.files),
        "attempt": claim.attempt,
        "createdAt": now,
        "updatedAt": now,
    }
    put = {"Put": {"Item": execution, **expressions(ConditionExpression="attribute_not_exists(#pk)")}}
    return [put, *({"Update": _claim_file(version, claim, now)} for version in claim.files)]


def _claim_file(version: FileVersion, claim: Claim, now: str) -> Request:
    described = {
        **_described(version),
        "status": FileStatus.RECEIVED,
        "execution": claim.name,
        "attempts": claim.attempt,
        "updatedAt": now,
    }
    free = "attribute_not_exists(#pk) OR #status = :held"
    if claim.attempt > 1:
        closed = f"#status IN ({_list(CLOSED_FILE)})"
        free = f"{free} OR ({closed} AND #attempts < :attempts)"
    return _update(
        file_key(version), described, remove=OUTCOME_ATTRIBUTES, once={"receivedAt": now}, condition=free
    )


def mark_running(name: str, arn: str, files: Sequence[FileVersion], now: str) -> list[Request]:
    """The actions of one TransactWriteItems that notes a start; refused when the claim has moved on since."""
    running = {"status": ExecutionStatus.RUNNING, "arn": arn, "startedAt": now, "updatedAt": now}
    execution = _update(execution_key(name), running, condition="#status = :claimed")
    return [
        {"Update": execution},
        *({"Update": _mark_file_running(version, name, now)} for version in files),
    ]


def _mark_file_running(version: FileVersion, name: str, now: str) -> Request:
    changes = {"status": FileStatus.RUNNING, "updatedAt": now}
    condition = "#execution = :owner AND #status = :received"
    return _update(file_key(version), changes, condition=condition, values={"owner": name})


def hold(version: FileVersion, now: str) -> Request:
    """The UpdateItem that records a file without claiming it; refused when the file is on record already."""
    changes = {**_described(version), "status": FileStatus.HELD, "receivedAt": now, "updatedAt": now}
    return _update(file_key(version), changes, condition="attribute_not_exists(#pk)")


def acquire_lease(
    name: str, now: str, until: str, redrives: int = 0, adopted: Mapping[str, Any] | None = None
) -> Request:
    """The UpdateItem with which one closer takes an execution's ending into its hands, until a moment.

    Refused when this ending is closed already (the same execution ends again after each redrive), or in
    another closer's hands. `adopted` are the attributes of an execution that did not come through the ledger;
    the item is made of them if there is none.
    """
    unwritten = "(#status <> :closed OR #redrives < :redrives)"
    free = "(attribute_not_exists(#closingUntil) OR #closingUntil < :now)"
    condition = f"attribute_exists(#pk) AND {unwritten} AND {free}"
    facts: Mapping[str, Any] = {}
    if adopted is not None:
        condition = f"attribute_not_exists(#pk) OR ({unwritten} AND {free})"
        running = {"execution": name, "status": ExecutionStatus.RUNNING, "createdAt": now, "updatedAt": now}
        facts = {**running, **adopted}
    values = {"now": now, "redrives": redrives}
    changes = {"closingUntil": until}
    return _update(execution_key(name), changes, once=facts, condition=condition, values=values)


def release_lease(name: str, until: str) -> Request:
    """The UpdateItem with which a closer that could not finish gives the ending back for the next to take."""
    return _update(
        execution_key(name), {}, remove=("closingUntil",), condition=HOLDS_LEASE, values={"until": until}
    )


def close_file(
    version: FileVersion, name: str, outcome: Mapping[str, Any], now: str, *, adopted_since: str | None = None
) -> Request:
    """The UpdateItem that writes what became of a file; `outcome` holds `status` and some OUTCOME_ATTRIBUTES.

    Refused when the file belongs to another execution: a replay may have claimed it since. An adopted
    execution claimed nothing, so it also writes to files without a record, and to closed ones last touched
    before it began (`adopted_since`).
    """
    condition = "#execution = :owner"
    changes = {**outcome, "updatedAt": now}
    values = {"owner": name}
    if adopted_since is not None:
        free = f"#status IN ({_list((FileStatus.HELD, *CLOSED_FILE))}) AND #updatedAt < :since"
        condition = f"{condition} OR attribute_not_exists(#pk) OR ({free})"
        changes = {**_described(version), **changes, "execution": name}
        values["since"] = adopted_since
    gone = [name for name in OUTCOME_ATTRIBUTES if name not in outcome]
    once = {"receivedAt": now, "attempts": 1} if adopted_since is not None else {}
    return _update(file_key(version), changes, remove=gone, once=once, condition=condition, values=values)


def close_execution_item(name: str, until: str, facts: Mapping[str, Any], now: str) -> Request:
    """The UpdateItem that ends a claim, by the closer that holds it; `facts` are kept with it."""
    changes = {**facts, "status": ExecutionStatus.CLOSED, "closedAt": now, "updatedAt": now}
    return _update(
        execution_key(name),
        changes,
        remove=("closingUntil",),
        condition=HOLDS_LEASE,
        values={"until": until},
    )


def open_executions(status: ExecutionStatus, before: str) -> Request:
    """The Query for executions that have been in an open status since before a moment."""
    values = {":status": str(status), ":before": before, ":kind": EXECUTION_SORT_KEY}
    return {
        "IndexName": BY_STATUS,
        **expressions(
            KeyConditionExpression="#status = :status AND #updatedAt < :before",
            FilterExpression="#sk = :kind",
        ),
        "ExpressionAttributeValues": values,
    }


def held_files() -> Request:
    """The Query for files on hold, the oldest first."""
    return {
        "IndexName": BY_STATUS,
        **expressions(KeyConditionExpression="#status = :status"),
        "ExpressionAttributeValues": {":status": str(FileStatus.HELD)},
    }


def newest(status: FileStatus) -> Request:
    """The Query for the file (or execution) of a status whose record changed last."""
    return {
        "IndexName": BY_STATUS,
        **expressions(KeyConditionExpression="#status = :status"),
        "ExpressionAttributeValues": {":status": str(status)},
        "ScanIndexForward": False,
        "Limit": 1,
    }


def begin_watch(now: str) -> Request:
    """The UpdateItem that writes down, once, since when the app has waited for its first file."""
    return plain_update(WATCH_KEY, {"since": now}, condition="attribute_not_exists(#since)")


def files_of(execution: str) -> Request:
    """The Query for an execution's item and the files it owns now."""
    return {
        "IndexName": BY_EXECUTION,
        **expressions(KeyConditionExpression="#execution = :execution"),
        "ExpressionAttributeValues": {":execution": execution},
    }


def _update(
    key: Mapping[str, str],
    changes: Mapping[str, Any],
    *,
    values: Mapping[str, Any] | None = None,
    **rest: Any,
) -> Request:
    """An update in whose condition every status stands for itself: `:held`."""
    statuses = {str(status): status for status in (*FileStatus, *ExecutionStatus)}
    return plain_update(key, changes, values={**statuses, **(values or {})}, **rest)


def _described(version: FileVersion) -> dict[str, Any]:
    return {
        "bucket": version.bucket,
        "key": version.key,
        "size": version.size,
        "etag": version.etag,
        "sequencer": version.sequencer,
    }


def _list(statuses: Sequence[StrEnum]) -> str:
    return ", ".join(f":{status}" for status in statuses)
