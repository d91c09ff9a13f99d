"""Which file versions does a queue message announce? Reads S3 event notifications as SQS delivers them.

A message that cannot be understood is an error, never an empty answer: it shall end in the dead-letter queue,
where someone sees it. What is understood and not meant to be loaded is named in `ignored`.
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
"""What the pipeline itself writes: starting from it would let every run start the next one."""


class UnreadableMessageError(ValueError):
    """The body of a message is no S3 event this pipeline can act on; the text says why."""


@dataclass(frozen=True)
class Announcement:
    """What one message announces: versions to load, and (what, why) pairs of what is left alone."""

    versions: tuple[FileVersion, ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()


def parse_message(body: str) -> Announcement:
    """The file versions in the body of one SQS message.

    A key outside the raw prefix is announced like any other: validation rejects it with a message, since
    someone wired that notification on purpose. Raises UnreadableMessageError for anything that is no S3
    event, and for events of unversioned buckets.
    """
    try:
        document = json.loads(body)
    except ValueError:
        raise UnreadableMessageError("the body is not JSON") from None
    if not isinstance(document, Mapping):
        raise UnreadableMessageError("the body is not a JSON object")
    if document.get("Event") == TEST_EVENT:
        return Announcement(ignored=((str(document.get("Bucket", "")), "S3's test of the notification"),))
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
            raise UnreadableMessageError(f"a record is no S3 event: {error!r}") from error
        if isinstance(found, FileVersion):
            versions.setdefault(found.identity, found)
        else:
            ignored.append(found)
    return Announcement(tuple(versions.values()), tuple(ignored))


def _read_record(record: Any) -> FileVersion | tuple[str, str]:
    """The version one record announces, or what it is about and why it is left alone."""
    name: str = record["eventName"]
    bucket: str = record["s3"]["bucket"]["name"]
    described: Mapping[str, Any] = record["s3"]["object"]
    key = unquote_plus(described["key"])
    uri = s3_uri(bucket, key)
    # Notifications call it `ObjectCreated:Put`, notification settings `s3:ObjectCreated:Put`.
    if not name.removeprefix("s3:").startswith(CREATED):
        return uri, f"{name} creates no object"
    if key.endswith("/"):
        return uri, "a folder marker holds no data"
    if key.startswith(OWN_PREFIXES):
        return uri, "the pipeline itself wrote it"
    version_id = described.get("versionId")
    if not version_id or version_id == UNVERSIONED:
        raise UnreadableMessageError(
            f"{uri} has no versionId: versioning is off or suspended, so two uploads of one key cannot be "
            "told apart; turn versioning on and upload the file again"
        )
    return FileVersion(
        bucket=bucket,
        key=key,
        version_id=version_id,
        size=int(described.get("size", 0)),
        etag=described.get("eTag", ""),
        sequencer=described.get("sequencer", ""),
    )
