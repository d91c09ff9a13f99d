"""Gathers what `taxi-etl reconcile` compares: objects, ledger records, rows and executions.

The ledger is read before and after everything else; a file whose records changed in between is loading.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from botocore.exceptions import ClientError

from ops import bucket_notifications, history, orchestrator, tables
from ops.deployment import Deployment
from ops.errors import CliError
from ops.file_outcomes import ledger
from ops.object_versions import file_version, object_versions
from ops.session import Session
from ops.table_metadata import source_rows
from stores.ledger import Ledger
from taxi_etl.consistency.facts import CurrentObject, ExecutionFacts, Facts, FileKey, Liveness
from taxi_etl.file_rules import ignored_object_reason
from taxi_etl.file_status import FileStatus
from taxi_etl.ledger import OPEN_FILE, FileRecord, timestamp
from taxi_etl.names import RAW_PREFIX

S3_ARN = ":s3:::"
NOT_LISTABLE = ("NoSuchBucket", "AccessDenied", "AllAccessDisabled")
RUNNING = ("RUNNING", "PENDING_REDRIVE")


def gather(session: Session, deployment: Deployment, before: datetime) -> Facts:
    """Gather the facts; what changed after `before` is not judged."""
    records = ledger(session, deployment)
    first = _records(records)
    rows = source_rows(tables.glue_catalog(session), deployment.taxi_database_name)
    objects: list[CurrentObject] = []
    buckets: set[str] = set()
    for bucket, prefixes in _buckets(session, deployment, first).items():
        try:
            objects += _current_objects(session, bucket, prefixes)
        except CliError:
            continue  # the bucket does not exist
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_LISTABLE:
                raise
            continue
        buckets.add(bucket)
    last = _records(records)
    return Facts(
        before=before,
        objects=objects,
        records=last,
        rows=rows,
        executions=_executions(session, deployment, records, last, timestamp(before)),
        buckets=frozenset(buckets),
        unsettled=_changed(first, last),
        is_orchestration_on=orchestrator.settings(session, deployment).enable_orchestration,
    )


def _records(records: Ledger) -> list[FileRecord]:
    return [record for status in FileStatus for record in records.files_with(status)]


def _changed(first: Iterable[FileRecord], last: Iterable[FileRecord]) -> frozenset[FileKey]:
    """Return the files whose records differ between two reads of the ledger."""
    before, after = (
        {(each.version.identity, each.status, each.updated_at) for each in read} for read in (first, last)
    )
    return frozenset(identity[:2] for identity, _, _ in before ^ after)


def _buckets(
    session: Session, deployment: Deployment, records: Iterable[FileRecord]
) -> dict[str, tuple[str, ...]]:
    """Return the buckets that have or had files, each with the key prefixes whose uploads send events."""
    answer = session.client("sqs").get_queue_attributes(
        QueueUrl=deployment.queue_url, AttributeNames=["Policy"]
    )
    policy = answer.get("Attributes", {}).get("Policy")
    allowed = {source.rpartition(S3_ARN)[2] for source in _sources(policy)}
    recorded = {record.version.bucket for record in records}
    found: dict[str, tuple[str, ...]] = {deployment.bucket_name: (RAW_PREFIX,)}
    for bucket in sorted((allowed | recorded) - found.keys()):
        found[bucket] = _connected_prefixes(session, deployment, bucket)
    return found


def _sources(policy: str | None) -> Iterator[str]:
    """Yield the ARNs of the buckets that a queue policy allows to send."""
    for statement in json.loads(policy or "{}").get("Statement", []):
        for condition in statement.get("Condition", {}).values():
            sources = condition.get("aws:SourceArn", [])
            for source in [sources] if isinstance(sources, str) else sources:
                if S3_ARN in source:
                    yield source


def _connected_prefixes(session: Session, deployment: Deployment, bucket: str) -> tuple[str, ...]:
    try:
        ours, _ = bucket_notifications.show(session, deployment, bucket)
    except CliError:
        return ()
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_LISTABLE:
            raise
        return ()
    return tuple(each.prefix for each in ours)


def _current_objects(session: Session, bucket: str, prefixes: tuple[str, ...]) -> list[CurrentObject]:
    """List the current objects in a bucket's raw zone, without those that are not trip files."""
    return [
        CurrentObject(
            file_version(bucket, entry),
            entry["LastModified"],
            entry["Key"].startswith(prefixes),
        )
        for entry in object_versions(session, bucket, RAW_PREFIX)
        if entry["IsLatest"] and not ignored_object_reason(entry["Key"], int(entry["Size"]))
    ]


def _executions(
    session: Session, deployment: Deployment, records: Ledger, files: Iterable[FileRecord], before: str
) -> dict[str, ExecutionFacts]:
    """Describe the executions of all open files and of all open claims that are older than `before`."""
    claims = {claim.name: claim for claim in records.open_executions(before)}
    names = {record.execution for record in files if record.status in OPEN_FILE} | claims.keys()
    found: dict[str, ExecutionFacts] = {}
    for name in sorted(names):
        execution = history.find(session, deployment, name)
        status = execution.status if execution else ""
        liveness = Liveness.RUNNING if status in RUNNING else Liveness.ENDED if status else Liveness.MISSING
        found[name] = ExecutionFacts(liveness, claims.get(name) or records.execution(name), status)
    return found
