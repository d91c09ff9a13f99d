"""The event notification of an existing bucket: adds and removes the pipeline's entry, keeps all others.

S3 replaces the notification configuration as a whole and supports no condition on the write. It is therefore
read, changed, written, and read again to detect a concurrent change (Amazon S3 API reference,
PutBucketNotificationConfiguration).
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops import bucket_encryption, event_routes
from ops.deployment import Deployment, deploy_command
from ops.errors import CliError, enable_versioning
from ops.session import Session
from taxi_etl.names import RAW_PREFIX, trigger_name_prefix

ALL_CREATED = "s3:ObjectCreated:*"
EVENT_BRIDGE = "EventBridge"
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
"""The kinds of notifications that S3 checks for overlaps, and the field of each kind's destination."""


@dataclass(frozen=True)
class Notification:
    """One entry of a notification configuration: the events of these keys go to the destination."""

    name: str
    destination: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""
    through: str = ""
    """What is between bucket and queue: EVENT_BRIDGE or a topic's ARN; empty for S3's own notification."""

    @property
    def scope(self) -> str:
        """The events and keys of the notification, in words."""
        conditions = [f"that begin with {self.prefix}"] if self.prefix else []
        conditions += [f"that end in {self.suffix}"] if self.suffix else []
        return f"{', '.join(self.events)} of keys {' and '.join(conditions) or 'of any name'}"

    def overlaps(self, other: "Notification") -> bool:
        """Return whether an object's event could match both, which S3 does not allow."""
        return (
            any(_events_overlap(one, two) for one in self.events for two in other.events)
            and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
        )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document of the notification."""
        return {
            "id": self.name,
            "destination": self.destination,
            "events": list(self.events),
            "prefix": self.prefix,
            "suffix": self.suffix,
            "through": self.through,
        }


def show(
    session: Session, deployment: Deployment, bucket: str
) -> tuple[list[Notification], list[Notification]]:
    """Return the bucket's notifications that reach the event queue, and all others."""
    queue = _queue_attribute(session, deployment, "QueueArn")
    found = list(_notifications(_read(session, bucket)))
    ours = [each for each in found if each.destination == queue]
    others = [each for each in found if each.destination != queue]
    if bucket != deployment.bucket_name:
        ours += _routed(session, queue, bucket, others)
    return ours, others


def _routed(
    session: Session, queue: str, bucket: str, others: Sequence[Notification]
) -> Iterator[Notification]:
    """Yield the bucket's notifications that reach the queue through EventBridge or through a topic."""
    for rule, prefix in event_routes.rules(session, bucket):
        yield Notification(rule, queue, (ALL_CREATED,), prefix, through=EVENT_BRIDGE)
    topics = [each.destination for each in others if ":sns:" in each.destination]
    found = event_routes.subscriptions(session, queue=queue, bucket=bucket, topics=topics)
    for topic, subscription in found:
        yield Notification(subscription, queue, (ALL_CREATED,), RAW_PREFIX, through=topic)


def add_through_event_bridge(
    session: Session, deployment: Deployment, bucket: str, prefix: str
) -> tuple[Notification, bool]:
    """Send events of new objects under a prefix to the event queue through an EventBridge rule.

    The bucket's own notifications stay as they are. Returns the notification, and whether it is new.
    """
    policy = _require_connectable(session, deployment, bucket, prefix)
    queue = _queue_attribute(session, deployment, "QueueArn")
    name, is_new = event_routes.add_rule(session, queue=queue, policy=policy, bucket=bucket, prefix=prefix)
    document = _read(session, bucket)
    if "EventBridgeConfiguration" not in document:
        _write(session, bucket, {**document, "EventBridgeConfiguration": {}})
    return Notification(name, queue, (ALL_CREATED,), prefix, through=EVENT_BRIDGE), is_new


def add_through_topic(
    session: Session, deployment: Deployment, bucket: str, topic: str
) -> tuple[Notification, bool]:
    """Subscribe the event queue to a topic that the bucket notifies; `topic` is its ARN or its name.

    Returns the notification, and whether it is new. Raises CliError if the bucket does not notify the topic
    of new objects in the raw zone.
    """
    policy = _require_connectable(session, deployment, bucket, RAW_PREFIX)
    queue = _queue_attribute(session, deployment, "QueueArn")
    arn = (
        topic if topic.startswith("arn:") else f"{queue.replace(':sqs:', ':sns:').rpartition(':')[0]}:{topic}"
    )
    wanted = Notification("", queue, (ALL_CREATED,), RAW_PREFIX)
    theirs = [each for each in _notifications(_read(session, bucket)) if each.destination == arn]
    if not any(each.overlaps(wanted) for each in theirs):
        raise CliError(
            f"bucket {bucket} does not notify topic {arn} of new objects under {RAW_PREFIX}",
            f"connect the bucket itself: {session.target.command('trigger', '--bucket', bucket)}",
        )
    name, is_new = event_routes.add_subscription(
        session, queue=queue, policy=policy, bucket=bucket, topic=arn
    )
    return Notification(name, queue, (ALL_CREATED,), RAW_PREFIX, through=arn), is_new


def add(
    session: Session, deployment: Deployment, bucket: str, prefix: str, events: Sequence[str]
) -> tuple[Notification, bool]:
    """Send these events of keys under a prefix to the event queue.

    Returns the notification, and whether it is new. Raises CliError if the bucket cannot be used, or if it
    has an overlapping notification.
    """
    queue = _queue_attribute(session, deployment, "QueueArn")
    wanted = Notification(_name(session, prefix, events), queue, tuple(sorted(events)), prefix)
    _require_connectable(session, deployment, bucket, prefix)
    document = _read(session, bucket)
    for each in _notifications(document):
        if (each.destination, each.events, each.prefix, each.suffix) == (queue, wanted.events, prefix, ""):
            return each, False
        if each.overlaps(wanted):
            raise _overlap_error(session, bucket, each, is_ours=each.destination == queue)
    configuration = {
        "Id": wanted.name,
        "QueueArn": queue,
        "Events": list(wanted.events),
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
    }
    configurations = [*document.get("QueueConfigurations", []), configuration]
    _write(session, bucket, {**document, "QueueConfigurations": configurations})
    return wanted, True


def remove(session: Session, deployment: Deployment, bucket: str, prefix: str | None) -> list[Notification]:
    """Remove the bucket's notifications to the event queue, only those of `prefix` if given; return them."""
    _require_other_bucket(deployment, bucket)
    ours, _ = show(session, deployment, bucket)
    removed = [each for each in ours if prefix is None or each.prefix == prefix]
    for each in removed:
        if each.through == EVENT_BRIDGE:
            event_routes.remove_rule(session, each.name)
        elif each.through:
            event_routes.remove_subscription(session, each.name, bucket)
    if any(not each.through for each in removed):
        document = _read(session, bucket)
        kept = [
            entry
            for entry in document["QueueConfigurations"]
            if _notification(entry, entry["QueueArn"]) not in removed
        ]
        _write(session, bucket, {**document, "QueueConfigurations": kept})
    return removed


def _overlap_error(session: Session, bucket: str, other: Notification, *, is_ours: bool) -> CliError:
    remove_ours = session.target.command("trigger", "remove", "--bucket", bucket)
    return CliError(
        f"bucket {bucket} already notifies {other.destination} of {other.scope} ({other.name!r}); "
        "S3 allows only one notification for an event of a key",
        f"it is the pipeline's own; remove it first: {remove_ours}"
        if is_ours
        else "give another --prefix or other --events; or keep it and connect the bucket through "
        f"{_routes(session, bucket, other)}",
    )


def _routes(session: Session, bucket: str, other: Notification) -> str:
    """The commands that connect a bucket whose events already go to another destination."""
    command = ("trigger", "--bucket", bucket)
    routes = [f"EventBridge: {session.target.command(*command, '--event-bridge')}"]
    if ":sns:" in other.destination:
        topic = other.destination.rpartition(":")[2]
        routes.append(f"that topic: {session.target.command(*command, '--topic', topic)}")
    return "; or through ".join(routes)


def _queue_attribute(session: Session, deployment: Deployment, attribute: str) -> str:
    answer = session.client("sqs").get_queue_attributes(
        QueueUrl=deployment.queue_url, AttributeNames=[attribute]
    )
    return str(answer.get("Attributes", {}).get(attribute, ""))


def _require_other_bucket(deployment: Deployment, bucket: str) -> None:
    if bucket == deployment.bucket_name:
        raise CliError(
            f"bucket {bucket} is the deployment's own bucket; its stack manages the notification",
            "no trigger is needed; check the notification: taxi-etl verify",
        )


def _require_connectable(session: Session, deployment: Deployment, bucket: str, prefix: str) -> str:
    """Return the queue's policy. Raises CliError if the bucket or the prefix cannot be connected."""
    _require_other_bucket(deployment, bucket)
    if not prefix.startswith(RAW_PREFIX):
        raise CliError(
            f"files under {prefix!r} would be rejected: only keys that begin with {RAW_PREFIX} load",
            f"give a --prefix that begins with {RAW_PREFIX}",
        )
    return _require_usable_bucket(session, deployment, bucket)


def _require_usable_bucket(session: Session, deployment: Deployment, bucket: str) -> str:
    """Return the queue's policy.

    Raises CliError if the pipeline could not use the bucket's events or read its files, or the queue would
    reject the events.
    """
    region = _region(session, bucket)
    versioning = session.client("s3").get_bucket_versioning(Bucket=bucket).get("Status")
    if versioning != "Enabled":
        raise CliError(
            f"bucket {bucket} is not versioned; two uploads of one object key would be indistinguishable",
            enable_versioning(bucket),
        )
    if region != session.region:
        raise CliError(
            f"bucket {bucket} is in {region}, the queue is in {session.region}; "
            "S3 notifies only queues in the region of the bucket",
            f"replicate the bucket to {session.region}, or deploy the app in {region}",
        )
    policy = _queue_attribute(session, deployment, "Policy")
    partition = _queue_attribute(session, deployment, "QueueArn").split(":")[1]
    if not event_routes.is_allowed(policy, f"arn:{partition}:s3:::{bucket}"):
        raise CliError(
            f"bucket {bucket} is not in existing_buckets of the deployment: the queue would reject its "
            "events, and the functions could not read its files",
            f"add it to existing_buckets in stacks/settings.py, then {deploy_command(session)}",
        )
    bucket_encryption.require_readable(session, bucket, deployment.readable_key_arns)
    return policy


def _region(session: Session, bucket: str) -> str:
    """Return the region of a bucket. Raises CliError if the bucket does not exist."""
    try:
        head = session.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        raise _missing_bucket_error(bucket) from None
    return str(head["BucketRegion"])


def _missing_bucket_error(bucket: str) -> CliError:
    return CliError(f"bucket {bucket} does not exist", "list the buckets: aws s3 ls")


def _read(session: Session, bucket: str) -> dict[str, Any]:
    """Return the bucket's notification configuration in the form in which it is written."""
    try:
        answer = session.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise _missing_bucket_error(bucket) from None
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _write(session: Session, bucket: str, document: dict[str, Any]) -> None:
    """Replace the notification configuration. Raises CliError if it was changed concurrently."""
    filled = {name: value for name, value in document.items() if value or name not in _KINDS}
    session.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=filled
    )
    changed = set(_notifications(filled)) ^ set(_notifications(_read(session, bucket)))
    if changed:
        raise CliError(
            f"the notification of bucket {bucket} was changed concurrently: "
            f"{', '.join(sorted(each.name for each in changed))}",
            f"check it: aws s3api get-bucket-notification-configuration --bucket {bucket}",
        )


def _notifications(document: dict[str, Any]) -> Iterator[Notification]:
    for kind, destination in _KINDS.items():
        for entry in document.get(kind, []):
            yield _notification(entry, entry[destination])


def _notification(entry: dict[str, Any], destination: str) -> Notification:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    filters = {rule["Name"].lower(): rule["Value"] for rule in rules}
    return Notification(
        name=entry.get("Id", ""),
        destination=destination,
        events=tuple(sorted(entry["Events"])),
        prefix=filters.get("prefix", ""),
        suffix=filters.get("suffix", ""),
    )


def _events_overlap(one: str, two: str) -> bool:
    """Return whether two event types overlap; `s3:ObjectCreated:*` overlaps with each of its kinds."""
    if one.endswith("*") or two.endswith("*"):
        return one.rstrip("*").startswith(two.rstrip("*")) or two.rstrip("*").startswith(one.rstrip("*"))
    return one == two


def _name(session: Session, prefix: str, events: Sequence[str]) -> str:
    digest = hashlib.sha256(json.dumps([prefix, sorted(events)]).encode()).hexdigest()
    return f"{trigger_name_prefix(session.target.environment)}{digest[:8]}"
