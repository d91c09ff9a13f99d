"""Removes the rows of one file from every table and from quarantine.

A file owns the partition `source_id` of each table, so a removal deletes whole data files in one commit for
each table. The order makes repeating safe: rows first, then the notification, then the ledger. A removal that
stopped halfway is completed by repeating it; the notification may then be published twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, ValidationException

from ops.deployment import Deployment
from ops.errors import CliError
from ops.file_outcomes import ledger
from ops.session import Session
from taxi_etl import message_texts, notifications
from taxi_etl.datasets import DATASETS
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion, failed_source_id, source_id
from taxi_etl.ledger import OPEN_FILE, timestamp
from taxi_etl.s3_uris import s3_uri
from taxi_etl.tables import table_names

COMMIT_ATTEMPTS = 5


@dataclass(frozen=True)
class Removal:
    """The scope of a removal: rows by table, and the versions that the ledger records as loaded.

    `datasets` are those of the tables, and of the ledger's records.
    """

    bucket: str
    key: str
    rows: Mapping[str, int]
    versions: tuple[FileVersion, ...]
    datasets: frozenset[str] = frozenset()

    @property
    def is_needed(self) -> bool:
        """Whether there is anything left to remove or to record."""
        return bool(self.rows or self.versions)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document of the removal."""
        return {
            "bucket": self.bucket,
            "key": self.key,
            "tables": dict(self.rows),
            "versions": [version.version_id for version in self.versions],
        }


def plan(session: Session, deployment: Deployment, catalog: Catalog, bucket: str, key: str) -> Removal:
    """Find the rows and ledger records of a file. Raises CliError if it is being loaded."""
    records = ledger(session, deployment).versions_of(bucket, key)
    running = next((record for record in records if record.status in OPEN_FILE), None)
    if running:
        raise CliError(
            f"{s3_uri(bucket, key)} is being loaded by execution {running.execution}",
            f"wait until it ends: {session.target.command('history', running.execution)}",
        )
    rows = {name: _rows(catalog, deployment, name, bucket, key) for name in table_names()}
    found = {name: count for name, count in rows.items() if count}
    loaded = [record for record in records if record.status is FileStatus.LOADED]
    datasets = {name for name, dataset in DATASETS.items() if dataset.table in found}
    datasets |= {record.dataset for record in records if record.dataset}
    return Removal(bucket, key, found, tuple(record.version for record in loaded), frozenset(datasets))


def remove_rows(session: Session, deployment: Deployment, catalog: Catalog, removal: Removal) -> None:
    """Remove the rows, publish a notification, and record it in the ledger. Raises CliError on conflicts."""
    uri = s3_uri(removal.bucket, removal.key)
    by, now = str(session.client("sts").get_caller_identity()["Arn"]), timestamp(datetime.now(UTC))
    for name in removal.rows:
        _delete(catalog, deployment, name, removal, by)
    next_step = f"To load the file again: `{session.target.command('replay', uri)}`."
    subject = notifications.subject(notifications.REMOVED, notifications.label([removal.key]))
    message = notifications.removal(
        uri=uri,
        bucket=removal.bucket,
        key=removal.key,
        rows=removal.rows,
        timestamp=now,
        by=by,
        next_step=next_step,
    )
    email = message_texts.email_text(
        message["message"], files=message_texts.removed_text(removal.rows), next_step=next_step
    )
    session.client("sns").publish(
        TopicArn=deployment.topic_arn,
        Subject=subject,
        Message=message_texts.per_protocol(
            notifications.printed(message),
            subject,
            email,
            message["message"],
            chat=bool(deployment.chat_notifications),
        ),
        MessageStructure="json",
        MessageAttributes=notifications.attributes(notifications.REMOVED, removal.datasets),
    )
    records = ledger(session, deployment)
    for version in removal.versions:
        records.mark_removed(version, by, now)


def _rows_of(bucket: str, key: str) -> str:
    """PyIceberg's filter for the rows of a file, including those of a failed version."""
    loaded = source_id(bucket, key)
    return f"source_id IN ('{loaded}', '{failed_source_id(loaded)}')"


def _rows(catalog: Catalog, deployment: Deployment, name: str, bucket: str, key: str) -> int:
    """The rows of a file in a table, by the table's metadata."""
    identifier = (deployment.taxi_database_name, name)
    if not catalog.table_exists(identifier):
        return 0
    tasks = catalog.load_table(identifier).scan(_rows_of(bucket, key)).plan_files()
    return sum(task.file.record_count for task in tasks)


def _delete(catalog: Catalog, deployment: Deployment, name: str, removal: Removal, by: str) -> None:
    uri = s3_uri(removal.bucket, removal.key)
    facts = {"taxi-etl.removed": uri, "taxi-etl.removed-by": by}
    for _ in range(COMMIT_ATTEMPTS):
        table = catalog.load_table((deployment.taxi_database_name, name))
        try:
            table.delete(_rows_of(removal.bucket, removal.key), snapshot_properties=facts)
        except (CommitFailedException, ValidationException):
            continue  # another writer committed between the read and the commit
        return
    raise CliError(
        f"cannot remove rows of {uri} from {name}: other writers kept committing to the table",
        "repeat the command: what is removed stays removed",
    )
