"""Which file is this, and which of two versions is newer? Identity of file versions and of executions."""

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
    """One version of one object: bucket, key and versionId are its identity; the rest describes it.

    `sequencer` orders events of one key only; an ETag is carried for the record and never taken for an MD5.
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
        """What makes two versions the same: bucket, key, versionId."""
        return (self.bucket, self.key, self.version_id)

    def to_json(self) -> dict[str, Any]:
        """One entry of the execution input's `files`; the bucket stands beside the list."""
        return {
            "key": self.key,
            "size": self.size,
            "etag": self.etag,
            "versionId": self.version_id,
            "sequencer": self.sequencer,
        }

    @classmethod
    def from_json(cls, bucket: str, entry: dict[str, Any]) -> Self:
        """The file version that `to_json` wrote. Raises KeyError without a key or versionId."""
        return cls(
            bucket=bucket,
            key=entry["key"],
            version_id=entry["versionId"],
            size=int(entry.get("size", 0)),
            etag=entry.get("etag", ""),
            sequencer=entry.get("sequencer", ""),
        )


def source_id(bucket: str, key: str) -> str:
    """The partition value under which a file owns its rows: 32 hex digits of sha256(bucket/key).

    A raw key as partition value would make warehouse object keys longer than S3 allows.
    """
    return hashlib.sha256(f"{bucket}/{key}".encode()).hexdigest()[:SOURCE_ID_LENGTH]


def execution_name(files: Iterable[FileVersion], attempt: int = 1, asked_at: str = "") -> str:
    """The name of the execution for a set of file versions: the same set gives the same name.

    Step Functions keeps a name taken for 90 days, and answers a second start as if it had begun. So a replay
    adds its attempt number, and what people ask for again adds the moment (`asked_at`, a ledger stamp): a
    ledger that was restored or begun anew no longer knows which attempts there have been.
    """
    identities = sorted(file.identity for file in files)
    digest = hashlib.sha256(json.dumps(identities).encode()).hexdigest()[:EXECUTION_HASH_LENGTH]
    numbers = [str(attempt)] if attempt > 1 or asked_at else []
    return "-".join([digest, *numbers, *filter(None, [re.sub(r"\D", "", asked_at)])])
