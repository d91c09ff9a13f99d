"""Repository of the file ledger: claims, leases and outcomes in DynamoDB.

Every write carries the condition that makes it safe. A method that writes returns False when its condition
failed because another writer came first, and raises botocore's errors for AWS faults. Moments are ledger
timestamps (`taxi_etl.ledger.timestamp`).

    file       (no item) ── hold ──> held          execution   (no item) ── claim ──> claimed
                    └─────┬────────────┘                       claimed ── mark_running ──> running
                        claim                        claimed, running ── close_execution ──> closed
                          v
               received ── mark_running ──> running ── close_file ──> loaded | rejected | superseded | failed
                   ^                                                              │
                   └────────────────────── claim by a replay ─────────────────────┘
                   └──── claim by a replay ──── removed <── mark_removed ── loaded
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from stores import dynamodb
from stores.dynamodb import Request, Table
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import (
    BY_EXECUTION,
    BY_STATUS,
    CLOSED_FILE,
    EXECUTION_SORT_KEY,
    LEASE_ATTRIBUTE,
    OPEN_EXECUTION,
    OUTCOME_ATTRIBUTES,
    WATCH_KEY,
    Claim,
    ExecutionRecord,
    ExecutionStatus,
    FileRecord,
    Lease,
    execution_key,
    file_key,
)

_STATUSES = {str(status): status for status in (*FileStatus, *ExecutionStatus)}
"""In conditions each status is a value under its own name: `:held`."""
_HOLDS_LEASE = f"#{LEASE_ATTRIBUTE} = :until"


class Ledger:
    """The file ledger; `client` takes plain Python values, as `boto3.resource("dynamodb").meta.client`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    # Claims

    def claim(self, claim: Claim, now: str) -> bool:
        """Claim a batch in one transaction: the execution and all of its files.

        A first load claims files without a claim. A replay also claims closed files, unless another replay
        of the same attempt claimed them first. An open claim is never taken over.
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
        absent = dynamodb.expressions(ConditionExpression="attribute_not_exists(#pk)")
        put = {"Put": {"Item": execution, **absent}}
        updates = [{"Update": _claim_file(version, claim, now)} for version in claim.files]
        return self._table.transact([put, *updates])

    def mark_running(self, name: str, arn: str, files: Sequence[FileVersion], now: str) -> bool:
        """Record that a claimed execution was started; refused when its claim or a file has moved on."""
        changes = {"status": ExecutionStatus.RUNNING, "arn": arn, "startedAt": now, "updatedAt": now}
        execution = _update(execution_key(name), changes, condition="#status = :claimed")
        updates = [
            _update(
                file_key(version),
                {"status": FileStatus.RUNNING, "updatedAt": now},
                condition="#execution = :owner AND #status = :received",
                values={"owner": name},
            )
            for version in files
        ]
        return self._table.transact([{"Update": request} for request in (execution, *updates)])

    def hold(self, version: FileVersion, now: str) -> bool:
        """Record a file without claiming it; refused when the file has a record already."""
        changes = {**_description(version), "status": FileStatus.HELD, "receivedAt": now, "updatedAt": now}
        return self._table.update(_update(file_key(version), changes, condition="attribute_not_exists(#pk)"))

    # Leases and outcomes

    def acquire_lease(
        self,
        name: str,
        now: str,
        until: str,
        redrives: int = 0,
        adopted: Mapping[str, Any] | None = None,
    ) -> Lease | None:
        """Acquire the lease under which one finalizer closes an execution; None when it is refused.

        Refused when this ending is closed already (an execution ends again after each redrive), or while
        another finalizer holds the lease. `adopted` are the attributes of an execution that was started
        without a claim; its item is created from them if it is missing.
        """
        not_closed = "(#status <> :closed OR #redrives < :redrives)"
        unleased = f"(attribute_not_exists(#{LEASE_ATTRIBUTE}) OR #{LEASE_ATTRIBUTE} < :now)"
        if adopted is None:
            condition = f"attribute_exists(#pk) AND {not_closed} AND {unleased}"
            attributes: Mapping[str, Any] = {}
        else:
            condition = f"attribute_not_exists(#pk) OR ({not_closed} AND {unleased})"
            running = ExecutionStatus.RUNNING
            attributes = {"execution": name, "status": running, "createdAt": now, "updatedAt": now, **adopted}
        request = _update(
            execution_key(name),
            {LEASE_ATTRIBUTE: until},
            defaults=attributes,
            condition=condition,
            values={"now": now, "redrives": redrives},
        )
        return Lease(name, until) if self._table.update(request) else None

    def release_lease(self, lease: Lease) -> bool:
        """Release a lease before it expires, so that the next finalizer need not wait."""
        return self._table.update(_update_leased(lease, {}))

    def close_file(
        self,
        version: FileVersion,
        execution: str,
        outcome: Mapping[str, Any],
        now: str,
        *,
        adopted_since: str | None = None,
    ) -> bool:
        """Record a file's outcome: `status` and some of the OUTCOME_ATTRIBUTES.

        Refused when the file belongs to another execution, such as a replay that claimed it since. An adopted
        execution claimed nothing; it also writes to files without a record, and to held or closed files that
        were last changed before it started (`adopted_since`).
        """
        changes = {**outcome, "updatedAt": now}
        condition, values = "#execution = :owner", {"owner": execution}
        defaults: dict[str, Any] = {}
        if adopted_since is not None:
            unclaimed = f"#status IN ({_list((FileStatus.HELD, *CLOSED_FILE))}) AND #updatedAt < :since"
            condition = f"{condition} OR attribute_not_exists(#pk) OR ({unclaimed})"
            changes = {**_description(version), **changes, "execution": execution}
            defaults = {"receivedAt": now, "attempts": 1}
            values["since"] = adopted_since
        stale = [name for name in OUTCOME_ATTRIBUTES if name not in outcome]
        return self._table.update(
            _update(
                file_key(version),
                changes,
                remove=stale,
                defaults=defaults,
                condition=condition,
                values=values,
            )
        )

    def mark_removed(self, version: FileVersion, by: str, now: str) -> bool:
        """Record that a loaded file's rows were removed, and by whom; refused when it is no longer loaded."""
        changes = {"status": FileStatus.REMOVED, "removedAt": now, "removedBy": by, "updatedAt": now}
        return self._table.update(_update(file_key(version), changes, condition="#status = :loaded"))

    def close_execution(self, lease: Lease, attributes: Mapping[str, Any], now: str) -> bool:
        """Close a claim and release its lease; refused when the lease is no longer held."""
        closed = {**attributes, "status": ExecutionStatus.CLOSED, "closedAt": now, "updatedAt": now}
        return self._table.update(_update_leased(lease, closed))

    # Reads

    def files(self, versions: Iterable[FileVersion]) -> dict[tuple[str, str, str], FileRecord]:
        """Read the records of these versions by identity; versions without a record are left out."""
        items = self._table.get_many(file_key(version) for version in versions)
        records = [FileRecord.from_item(item) for item in items]
        return {record.version.identity: record for record in records}

    def versions_of(self, bucket: str, key: str) -> list[FileRecord]:
        """Read the records of all versions of one object."""
        request = dynamodb.query("", "#pk = :key", {"key": f"{bucket}/{key}"})
        return [FileRecord.from_item(item) for item in self._table.query(request)]

    def files_of(self, execution: str) -> list[FileRecord]:
        """Read the files that an execution owns now; a replay may own some of its former files."""
        request = dynamodb.query(BY_EXECUTION, "#execution = :execution", {"execution": execution})
        items = self._table.query(request)
        return [FileRecord.from_item(item) for item in items if item["sk"] != EXECUTION_SORT_KEY]

    def held_files(self) -> Iterator[FileRecord]:
        """Read the files on hold, oldest first."""
        return self.files_with(FileStatus.HELD)

    def files_with(self, status: FileStatus) -> Iterator[FileRecord]:
        """Read the files with this status, the longest unchanged first."""
        for item in self._table.query(_by_status(status, keep="#sk <> :kind")):
            yield FileRecord.from_item(item)

    def execution(self, name: str) -> ExecutionRecord | None:
        """Read an execution's record; None when it was started without a claim."""
        item = self._table.get(execution_key(name))
        return ExecutionRecord.from_item(item) if item else None

    def open_executions(self, before: str) -> list[ExecutionRecord]:
        """Read all open executions whose records last changed before a moment."""
        return [
            ExecutionRecord.from_item(item)
            for status in OPEN_EXECUTION
            for item in self._table.query(
                dynamodb.query(
                    BY_STATUS,
                    "#status = :status AND #updatedAt < :before",
                    {"status": status, "before": before, "kind": EXECUTION_SORT_KEY},
                    keep="#sk = :kind",
                )
            )
        ]

    def count_files(self, status: FileStatus) -> int:
        """Count the files with this status."""
        return self._table.count(_by_status(status, keep="#sk <> :kind"))

    def count_executions(self, status: ExecutionStatus) -> int:
        """Count the executions with this status."""
        return self._table.count(_by_status(status, keep="#sk = :kind"))

    # The age of the last file

    def last_change(self) -> str | None:
        """Return when a file's record last changed; None when there is no record."""
        newest = {"ScanIndexForward": False, "Limit": 1}
        pages = [self._table.query_page({**_by_status(status), **newest}) for status in FileStatus]
        return max((item["updatedAt"] for page in pages for item in page), default=None)

    def monitored_since(self, now: str) -> str:
        """Return when this method was first called; the first call records `now`."""
        self._table.update(
            dynamodb.update(WATCH_KEY, {"since": now}, condition="attribute_not_exists(#since)")
        )
        item = self._table.get(WATCH_KEY)
        return str(item["since"]) if item else now


def _claim_file(version: FileVersion, claim: Claim, now: str) -> Request:
    changes = {
        **_description(version),
        "status": FileStatus.RECEIVED,
        "execution": claim.name,
        "attempts": claim.attempt,
        "updatedAt": now,
    }
    condition = "attribute_not_exists(#pk) OR #status = :held"
    if claim.attempt > 1:
        condition = f"{condition} OR (#status IN ({_list(CLOSED_FILE)}) AND #attempts < :attempts)"
    return _update(
        file_key(version),
        changes,
        remove=OUTCOME_ATTRIBUTES,
        defaults={"receivedAt": now},
        condition=condition,
    )


def _update_leased(lease: Lease, changes: Mapping[str, Any]) -> Request:
    """Build the update of an execution's item that ends a lease, on condition that it is held."""
    key, values = execution_key(lease.execution), {"until": lease.until}
    return _update(key, changes, remove=(LEASE_ATTRIBUTE,), condition=_HOLDS_LEASE, values=values)


def _by_status(status: FileStatus | ExecutionStatus, *, keep: str = "") -> Request:
    """Build the Query for the items of a status; files and executions share the status `running`."""
    kind = {"kind": EXECUTION_SORT_KEY} if keep else {}
    return dynamodb.query(BY_STATUS, "#status = :status", {"status": status, **kind}, keep=keep)


def _update(
    key: Mapping[str, str],
    changes: Mapping[str, Any],
    *,
    values: Mapping[str, Any] | None = None,
    **rest: Any,
) -> Request:
    return dynamodb.update(key, changes, values={**_STATUSES, **(values or {})}, **rest)


def _description(version: FileVersion) -> dict[str, Any]:
    return {
        "bucket": version.bucket,
        "key": version.key,
        "size": version.size,
        "etag": version.etag,
        "sequencer": version.sequencer,
    }


def _list(statuses: Sequence[StrEnum]) -> str:
    return ", ".join(f":{status}" for status in statuses)
