"""Events about S3 objects, as SQS delivers them.

A message may come from S3 itself, from an SNS topic or from an EventBridge rule. A message that cannot be
parsed is an error, so that it ends in the dead-letter queue. Events that must not start anything are listed
in `ignored`.
Sources: Amazon S3 user guide, event message structure (2.x) and EventBridge event message structure; Amazon
SNS developer guide, parsing message formats.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from taxi_etl.file_rules import ignored_object_reason
from taxi_etl.identity import UNVERSIONED, FileVersion
from taxi_etl.names import RUNS_PREFIX, WAREHOUSE_PREFIX
from taxi_etl.s3_uris import s3_uri

CREATED = "ObjectCreated:"
EVENT_BRIDGE_CREATED = "Object Created"
EVENT_BRIDGE_SOURCE = "aws.s3"
TEST_EVENT = "s3:TestEvent"
SNS_NOTIFICATION = "Notification"
SNS_CONFIRMATION = "SubscriptionConfirmation"
SNS_FAREWELL = "UnsubscribeConfirmation"
OWN_PREFIXES = (WAREHOUSE_PREFIX, RUNS_PREFIX)
"""Prefixes that the pipeline writes to. Loading from them would start executions without end."""

Ignored = tuple[str, str]
"""The URI of an ignored event, or its bucket or topic, and the reason."""
Reader = Callable[[Any], FileVersion | Ignored]


class UnreadableMessageError(ValueError):
    """The body of a message is not a usable S3 event; the text states the reason."""


@dataclass(frozen=True)
class MessageContent:
    """The content of one message: versions to load, and (URI, reason) pairs of ignored events."""

    versions: tuple[FileVersion, ...] = ()
    ignored: tuple[Ignored, ...] = ()


def parse_message(body: str) -> MessageContent:
    """Parse the body of one SQS message.

    Keys outside the raw prefix are included, so that validation rejects them with a notification. Raises
    UnreadableMessageError for anything that is not an S3 event, and for events of unversioned buckets.
    """
    document = _parse_object(body, "the body")
    while _is_envelope(document):
        kind, topic = document["Type"], str(document["TopicArn"])
        if kind == SNS_CONFIRMATION:
            raise UnreadableMessageError(
                f"topic {topic} asks to confirm its subscription, and sends no events before: confirm it "
                "with aws sns confirm-subscription and the message's Token"
            )
        if kind == SNS_FAREWELL:
            return MessageContent(ignored=((topic, "the topic's subscription has ended"),))
        document = _parse_object(document.get("Message"), f"the message of topic {topic}")
    return _parse_document(document)


def _parse_object(text: Any, name: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise UnreadableMessageError(f"{name} is not JSON") from None
    if not isinstance(document, Mapping):
        raise UnreadableMessageError(f"{name} is not a JSON object")
    return document


def _is_envelope(document: Mapping[str, Any]) -> bool:
    """Whether SNS wrapped the message: without raw delivery, in an object that names its topic."""
    kinds = (SNS_NOTIFICATION, SNS_CONFIRMATION, SNS_FAREWELL)
    return document.get("Type") in kinds and "TopicArn" in document


def _parse_document(document: Mapping[str, Any]) -> MessageContent:
    if document.get("Event") == TEST_EVENT:
        return MessageContent(ignored=((str(document.get("Bucket", "")), "S3 test event"),))
    if "detail-type" in document:
        return _read_events([document], _read_event_bridge_event)
    records = document.get("Records")
    if not isinstance(records, list) or not records:
        raise UnreadableMessageError("the body has no S3 event records")
    return _read_events(records, _read_record)


def _read_events(events: Sequence[Any], read: Reader) -> MessageContent:
    """Read each event; list each version once."""
    versions: dict[tuple[str, str, str], FileVersion] = {}
    ignored: list[Ignored] = []
    for event in events:
        try:
            found = read(event)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            if isinstance(error, UnreadableMessageError):
                raise
            raise UnreadableMessageError(f"a record is not an S3 event: {error!r}") from error
        if isinstance(found, FileVersion):
            versions.setdefault(found.identity, found)
        else:
            ignored.append(found)
    return MessageContent(tuple(versions.values()), tuple(ignored))


def _read_record(record: Any) -> FileVersion | Ignored:
    """The version in one record of S3's own notifications, or the ignored record."""
    name: str = record["eventName"]
    described: Mapping[str, Any] = record["s3"]["object"]
    return _read_object(
        bucket=record["s3"]["bucket"]["name"],
        key=unquote_plus(described["key"], errors="strict"),
        described=described,
        names=("versionId", "eTag"),
        # Notifications call it `ObjectCreated:Put`, notification settings `s3:ObjectCreated:Put`.
        event=None if name.removeprefix("s3:").startswith(CREATED) else name,
    )


def _read_event_bridge_event(event: Mapping[str, Any]) -> FileVersion | Ignored:
    """The version in an EventBridge event, whose key is not encoded, or the ignored event."""
    source, kind = event.get("source"), event["detail-type"]
    detail = event["detail"]
    if source != EVENT_BRIDGE_SOURCE or "object" not in detail:
        raise UnreadableMessageError(
            f"an event {kind!r} of {source!r} does not name an S3 object; let the EventBridge rule match "
            f'{{"source": ["{EVENT_BRIDGE_SOURCE}"], "detail-type": ["{EVENT_BRIDGE_CREATED}"]}}'
        )
    described: Mapping[str, Any] = detail["object"]
    return _read_object(
        bucket=detail["bucket"]["name"],
        key=described["key"],
        described=described,
        names=("version-id", "etag"),
        event=None if kind == EVENT_BRIDGE_CREATED else kind,
    )


def _read_object(
    *, bucket: Any, key: Any, described: Mapping[str, Any], names: tuple[str, str], event: str | None
) -> FileVersion | Ignored:
    """The version that an event describes; `names` are its attributes for version ID and ETag.

    `event` is the name of an event that does not create an object, otherwise None. Raises TypeError or
    ValueError for values that no object has, which would fail the other messages of a batch later on.
    """
    bucket, key = _text(bucket, "bucket"), _text(key, "key")
    uri = s3_uri(bucket, key)
    if event:
        return uri, f"{event} does not create an object"
    if key.startswith(OWN_PREFIXES):
        return uri, "the pipeline wrote the object"
    size = None if described.get("size") is None else int(described["size"])
    if size is not None and size < 0:
        raise ValueError(f"size {size}")
    reason = ignored_object_reason(key, size)
    if reason:
        return uri, f"the object is not a trip file: {reason}"
    version_id = described.get(names[0])
    if not version_id or version_id == UNVERSIONED:
        raise UnreadableMessageError(
            f"{uri} has no {names[0]}: versioning is off or suspended, so two uploads of one key cannot be "
            "distinguished; turn versioning on and upload the file again"
        )
    return FileVersion(
        bucket=bucket,
        key=key,
        version_id=_text(version_id, names[0]),
        size=size or 0,
        etag=_text(described.get(names[1]) or "", names[1], empty=True),
        sequencer=_text(described.get("sequencer") or "", "sequencer", empty=True),
    )


def _text(value: Any, name: str, *, empty: bool = False) -> str:
    """Return the value if it is a string that UTF-8 can encode. Raises TypeError or ValueError otherwise."""
    if not isinstance(value, str) or not (value or empty):
        raise TypeError(f"{name} {value!r}")
    value.encode()
    return value
