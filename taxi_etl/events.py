"""S3 event notifications, as SQS delivers them.

A message that cannot be parsed is an error, so that it ends in the dead-letter queue. Records that must not
start anything are listed in `ignored`.
Source: Amazon S3 user guide, event message structure (2.x).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from taxi_etl.identity import UNVERSIONED, FileVersion
from taxi_etl.names import RUNS_PREFIX, WAREHOUSE_PREFIX
from taxi_etl.s3_uris import s3_uri

CREATED = "ObjectCreated:"
TEST_EVENT = "s3:TestEvent"
OWN_PREFIXES = (WAREHOUSE_PREFIX, RUNS_PREFIX)
"""Prefixes that the pipeline writes to. Loading from them would start executions without end."""


class UnreadableMessageError(ValueError):
    """The body of a message is not a usable S3 event; the text says why."""


@dataclass(frozen=True)
class Announcement:
    """The content of one message: versions to load, and (URI, reason) pairs of ignored records."""

    versions: tuple[FileVersion, ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()


def parse_message(body: str) -> Announcement:
    """Parse the body of one SQS message.

    Keys outside the raw prefix are included, so that validation rejects them with a notification. Raises
    UnreadableMessageError for anything that is not an S3 event, and for events of unversioned buckets.
    """
    try:
        document = json.loads(body)
    except ValueError:
        raise UnreadableMessageError("the body is not JSON") from None
    if not isinstance(document, Mapping):
        raise UnreadableMessageError("the body is not a JSON object")
    if document.get("Event") == TEST_EVENT:
        return Announcement(ignored=((str(document.get("Bucket", "")), "S3 test event"),))
    records = document.get("Records")
    if not isinstance(records, list) or not records:
        raise UnreadableMessageError("the body has no S3 event records")
    versions: dict[tuple[str, str, str], FileVersion] = {}
    ignored: list[tuple[str, str]] = []
    for record in records:
        try:
            found = _read_record(record)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, UnreadableMessageError):
                raise
            raise UnreadableMessageError(f"a record is not an S3 event: {error!r}") from error
        if isinstance(found, FileVersion):
            versions.setdefault(found.identity, found)
        else:
            ignored.append(found)
    return Announcement(tuple(versions.values()), tuple(ignored))


def _read_record(record: Any) -> FileVersion | tuple[str, str]:
    """The version in one record, or the URI of an ignored record and the reason."""
    name: str = record["eventName"]
    bucket: str = record["s3"]["bucket"]["name"]
    described: Mapping[str, Any] = record["s3"]["object"]
    key = unquote_plus(described["key"])
    uri = s3_uri(bucket, key)
    # Notifications call it `ObjectCreated:Put`, notification settings `s3:ObjectCreated:Put`.
    if not name.removeprefix("s3:").startswith(CREATED):
        return uri, f"{name} does not create an object"
    if key.endswith("/"):
        return uri, "the object is a folder marker"
    if key.startswith(OWN_PREFIXES):
        return uri, "the pipeline wrote the object"
    version_id = described.get("versionId")
    if not version_id or version_id == UNVERSIONED:
        raise UnreadableMessageError(
            f"{uri} has no versionId: versioning is off or suspended, so two uploads of one key cannot be "
            "distinguished; turn versioning on and upload the file again"
        )
    return FileVersion(
        bucket=bucket,
        key=key,
        version_id=version_id,
        size=int(described.get("size", 0)),
        etag=described.get("eTag", ""),
        sequencer=described.get("sequencer", ""),
    )
