"""How does the job reach objects? A small seam: S3 on AWS and in the local account, a folder in tests."""

from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.exceptions import ClientError

from taxi_etl.identity import FileVersion

UNVERSIONED = "null"
"""The version id S3 gives to objects written while a bucket was not versioned."""


class Storage(Protocol):
    """What the job asks of an object store."""

    def read(self, uri: str) -> bytes:
        """The bytes of an object."""

    def write(self, uri: str, text: str) -> None:
        """Write an object."""

    def current_version(self, version: FileVersion) -> str | None:
        """The version id that the file's key has now; None where the object is deleted."""

    def location(self, version: FileVersion) -> str:
        """The URI under which Spark reads the file's current version."""


@dataclass(frozen=True)
class S3Storage:
    """S3 with boto3's default configuration, so that endpoints come from the environment."""

    client: Any

    @classmethod
    def connect(cls) -> "S3Storage":
        """A storage with a client of its own."""
        return cls(boto3.client("s3"))

    def read(self, uri: str) -> bytes:
        """The bytes of an object. Raises ClientError, e.g. NoSuchKey."""
        bucket, key = split_uri(uri)
        body: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def write(self, uri: str, text: str) -> None:
        """Write a JSON object. Raises ClientError."""
        bucket, key = split_uri(uri)
        self.client.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")

    def current_version(self, version: FileVersion) -> str | None:
        """The key's version id now, None after a deletion. Raises ClientError for anything but "not
        found"."""
        try:
            head = self.client.head_object(Bucket=version.bucket, Key=version.key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                return None
            raise
        return str(head.get("VersionId", UNVERSIONED))

    def location(self, version: FileVersion) -> str:
        """`s3://bucket/key`; Spark reads the newest version, which is why the job looks at it before and
        after."""
        return version.uri


def split_uri(uri: str) -> tuple[str, str]:
    """The (bucket, key) of an `s3://bucket/key`. Raises ValueError for other text."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or not key:
        raise ValueError(f"{uri!r} is no s3://bucket/key")
    return bucket, key
