"""Identity of file versions and names of executions."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from taxi_etl.s3_uris import s3_uri

SOURCE_ID_LENGTH = 32
EXECUTION_HASH_LENGTH = 40
UNVERSIONED = "null"
"""The version ID of objects that were written while versioning was off or suspended."""


@dataclass(frozen=True)
class FileVersion:
    """One version of one object, identified by bucket, key and version ID.

    `size` is in bytes. `sequencer` orders the events of one key. An ETag is not an MD5 digest.
    """

    bucket: str
    key: str
    version_id: str
    size: int = 0
    etag: str = ""
    sequencer: str = ""

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return s3_uri(self.bucket, self.key)

    @property
    def identity(self) -> tuple[str, str, str]:
        """Bucket, key and version ID."""
        return (self.bucket, self.key, self.version_id)

    def to_json(self) -> dict[str, Any]:
        """The entry in an execution input's `files`, where the bucket is next to the list."""
        return {
            "key": self.key,
            "size": self.size,
            "etag": self.etag,
            "versionId": self.version_id,
            "sequencer": self.sequencer,
        }

    @classmethod
    def from_json(cls, bucket: str, entry: dict[str, Any]) -> Self:
        """Parse the entry that `to_json` wrote. Raises KeyError without a key or versionId."""
        return cls(
            bucket=bucket,
            key=entry["key"],
            version_id=entry["versionId"],
            size=int(entry.get("size", 0)),
            etag=entry.get("etag", ""),
            sequencer=entry.get("sequencer", ""),
        )


def source_id(bucket: str, key: str) -> str:
    """The partition value of a file's rows: the first hex digits of sha256(bucket/key).

    A key itself could make object keys of the warehouse longer than S3 allows.
    """
    return hashlib.sha256(f"{bucket}/{key}".encode()).hexdigest()[:SOURCE_ID_LENGTH]


def failed_source_id(source_id: str) -> str:
    """The partition of quarantine with bad rows of a file's last failed version.

    It is separate from the rows that a loaded version has in quarantine.
    """
    return f"failed-{source_id}"


def execution_name(files: Iterable[FileVersion], attempt: int = 1, asked_at: str = "") -> str:
    """The name of the execution for a set of file versions; the same set gives the same name.

    Step Functions reserves a name for 90 days, and ignores a second start under it. A replay therefore adds
    its attempt number, and a manual replay also a ledger timestamp (`asked_at`), because a restored ledger
    may not know about earlier attempts.
    """
    identities = sorted(file.identity for file in files)
    digest = hashlib.sha256(json.dumps(identities).encode()).hexdigest()[:EXECUTION_HASH_LENGTH]
    numbers = [str(attempt)] if attempt > 1 or asked_at else []
    return "-".join([digest, *numbers, *filter(None, [re.sub(r"\D", "", asked_at)])])
