"""How does an existing bucket tell the queue of its files? One more row in its notification, the others kept.

S3 replaces a bucket's notification as a whole and knows no condition for it, so it is read, changed, written
and read again. Source: Amazon S3 API reference, PutBucketNotificationConfiguration.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import Deployment, deploy_command
from ops.errors import CliError
from ops.session import Session
from taxi_etl.names import RAW_PREFIX

ALL_CREATED = "s3:ObjectCreated:*"
EVENTS = (
    ALL_CREATED,
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
)
_KINDS = {
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}
"""The rows of a notification that S3 compares with each other, and what each kind calls its destination."""


@dataclass(frozen=True)
class Row:
    """One row of a bucket's notification: which events of which keys go where."""

    name: str
    destination: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    def overlaps(self, other: "Row") -> bool:
        """Whether some object's event would be in both, which S3 refuses."""
        return (
            any(_same_event(one, two) for one in self.events for two in other.events)
            and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
        )

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints about it."""
        return {
            "id": self.name,
            "destination": self.destination,
            "events": list(self.events),
            "prefix": self.prefix,
            "suffix": self.suffix,
        }


def show(session: Session, deployment: Deployment, bucket: str) -> tuple[list[Row], list[Row]]:
    """The bucket's rows for the pipeline's queue, and those for anything else."""
    queue = queue_arn(session, deployment)
    rows = list(_rows(_read(session, bucket)))
    return [row for row in rows if row.destination == queue], [
        row for row in rows if row.destination != queue
    ]


def add(
    session: Session, deployment: Deployment, bucket: str, prefix: str, events: Sequence[str]
) -> tuple[Row, bool]:
    """Send these events of keys under a prefix to the queue; gives the row, and whether it is new.

    Raises CliError when that could not work, or another row has some of these events already.
    """
    queue = queue_arn(session, deployment)
    wanted = Row(_name(session, prefix, events), queue, tuple(sorted(events)), prefix)
    _refuse_own(deployment, bucket)
    if not prefix.startswith(RAW_PREFIX):
        raise CliError(
            f"files under {prefix or 'the whole bucket'!r} would all be rejected: "
            f"only keys that begin with {RAW_PREFIX} are loaded",
            f"choose a --prefix that begins with {RAW_PREFIX}",
        )
    _refuse_unfit(session, deployment, bucket)
    document = _read(session, bucket)
    for row in _rows(document):
        if (row.destination, row.events, row.prefix, row.suffix) == (queue, wanted.events, prefix, ""):
            return row, False
        if row.overlaps(wanted):
            ours = session.target.command("trigger", "remove", "--bucket", bucket)
            raise CliError(
                f"the bucket has a notification {row.name!r} of {', '.join(row.events)} for keys "
                f"{_keys(row)} to {row.destination}, and S3 lets only one have the same event of a key",
                f"it is ours; take it away first: {ours}"
                if row.destination == queue
                else "choose another --prefix or other --events; or send both through one topic "
                "or through Amazon EventBridge",
            )
    configuration = {
        "Id": wanted.name,
        "QueueArn": queue,
        "Events": list(wanted.events),
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
    }
    configurations = [*document.get("QueueConfigurations", []), configuration]
    _write(session, bucket, {**document, "QueueConfigurations": configurations})
    return wanted, True


def remove(session: Session, deployment: Deployment, bucket: str, prefix: str | None) -> list[Row]:
    """Take the bucket's rows for the queue away, of one prefix if it is given; gives those there were."""
    _refuse_own(deployment, bucket)
    ours, _ = show(session, deployment, bucket)
    gone = [row for row in ours if prefix is None or row.prefix == prefix]
    if gone:
        document = _read(session, bucket)
        left = [
            entry for entry in document["QueueConfigurations"] if _row(entry, entry["QueueArn"]) not in gone
        ]
        _write(session, bucket, {**document, "QueueConfigurations": left})
    return gone


def queue_arn(session: Session, deployment: Deployment) -> str:
    """The ARN of the queue that events go to."""
    return _queue(session, deployment, "QueueArn")


def _queue(session: Session, deployment: Deployment, attribute: str) -> str:
    answer = session.client("sqs").get_queue_attributes(
        QueueUrl=deployment.queue_url, AttributeNames=[attribute]
    )
    return str(answer.get("Attributes", {}).get(attribute, ""))


def _refuse_own(deployment: Deployment, bucket: str) -> None:
    if bucket == deployment.bucket_name:
        raise CliError(
            f"{bucket} is the deployment's own bucket, whose notification its stack keeps",
            "nothing is to be done; `taxi-etl verify` checks it",
        )


def _refuse_unfit(session: Session, deployment: Deployment, bucket: str) -> None:
    """Raises CliError for a bucket whose events the pipeline could not use, or its queue would not take."""
    region = _region(session, bucket)
    versioning = session.client("s3").get_bucket_versioning(Bucket=bucket).get("Status")
    if versioning != "Enabled":
        raise CliError(
            f"bucket {bucket} is not versioned; without versions, two uploads of a key cannot be told apart",
            f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled",
        )
    if region != session.region:
        raise CliError(
            f"bucket {bucket} is in {region}, the queue in {session.region}: S3 tells queues of its region",
            "replicate the bucket into that region, or deploy the app in the bucket's",
        )
    if not _may_send(_queue(session, deployment, "Policy"), bucket):
        raise CliError(
            f"the deployment does not know bucket {bucket}: its queue would refuse the events, "
            "and its functions could not read the files",
            f"name it in `existing_buckets` in stacks/settings.py, and {deploy_command(session)}",
        )


def _region(session: Session, bucket: str) -> str:
    """The region of a bucket. Raises CliError when there is no such bucket."""
    try:
        head = session.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        raise _no_bucket(bucket) from None
    return str(head["BucketRegion"])


def _no_bucket(bucket: str) -> CliError:
    return CliError(f"bucket {bucket} does not exist", "see what there is: aws s3 ls")


def _may_send(policy: str, bucket: str) -> bool:
    """Whether some statement of the queue's policy lets this bucket send."""
    statements = json.loads(policy or "{}").get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        sources = statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn", [])
        for source in [sources] if isinstance(sources, str) else sources:
            if statement.get("Effect") == "Allow" and source.endswith(f":s3:::{bucket}"):
                return True
    return False


def _read(session: Session, bucket: str) -> dict[str, Any]:
    """The bucket's notification, as it can be written again."""
    try:
        answer = session.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise _no_bucket(bucket) from None
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _write(session: Session, bucket: str, document: dict[str, Any]) -> None:
    """Replace the notification. Raises CliError when somebody else did so at the same moment."""
    filled = {name: value for name, value in document.items() if value or name not in _KINDS}
    session.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=filled
    )
    lost = set(_rows(filled)) ^ set(_rows(_read(session, bucket)))
    if lost:
        raise CliError(
            "the bucket's notification is not what was written just now: somebody else changed "
            f"{', '.join(sorted(row.name for row in lost))}",
            f"look at it: aws s3api get-bucket-notification-configuration --bucket {bucket}",
        )


def _rows(document: dict[str, Any]) -> Iterator[Row]:
    for kind, destination in _KINDS.items():
        for entry in document.get(kind, []):
            yield _row(entry, entry[destination])


def _row(entry: dict[str, Any], destination: str) -> Row:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    filters = {rule["Name"].lower(): rule["Value"] for rule in rules}
    return Row(
        name=entry.get("Id", ""),
        destination=destination,
        events=tuple(sorted(entry["Events"])),
        prefix=filters.get("prefix", ""),
        suffix=filters.get("suffix", ""),
    )


def _same_event(one: str, two: str) -> bool:
    """Whether two event types have something in common: `s3:ObjectCreated:*` has with each of its kinds."""
    if one.endswith("*") or two.endswith("*"):
        return one.rstrip("*").startswith(two.rstrip("*")) or two.rstrip("*").startswith(one.rstrip("*"))
    return one == two


def _keys(row: Row) -> str:
    words = [f"that begin with {row.prefix}"] if row.prefix else []
    words += [f"that end in {row.suffix}"] if row.suffix else []
    return " and ".join(words) or "of any name"


def _name(session: Session, prefix: str, events: Sequence[str]) -> str:
    digest = hashlib.sha256(json.dumps([prefix, sorted(events)]).encode()).hexdigest()
    return f"taxi-etl-{session.target.environment}-{digest[:8]}"
