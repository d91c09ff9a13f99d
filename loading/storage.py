"""Object storage as a load uses it: S3, or a folder in tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import boto3
from botocore.exceptions import ClientError

from taxi_etl.failures import Failure
from taxi_etl.identity import UNVERSIONED, FileVersion
from taxi_etl.object_access import refusal
from taxi_etl.s3_uris import parse_s3_uri

CHUNK_BYTES = 1024 * 1024
THREADS = 16
"""Maximum number of objects that a load reads at once."""
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
"""S3's error codes for an object that does not exist."""


class RefusedObjectError(Exception):
    """S3 refuses access to one object; `failure` is the reason."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Storage(Protocol):
    """The operations that a load needs from an object store."""

    def read(self, uri: str) -> bytes:
        """The content of an object."""

    def chunks(self, version: FileVersion) -> Iterator[bytes]:
        """The content of the file's current version, in order; empty if the object was deleted."""

    def write(self, uri: str, text: str) -> None:
        """Write an object."""

    def current_version(self, version: FileVersion) -> str | None:
        """The ID of the current version of the file's key; None if the object was deleted.

        Raises RefusedObjectError for an object that must not be read.
        """

    def location(self, version: FileVersion) -> str:
        """The URI from which an engine reads the file's current version."""


@dataclass(frozen=True)
class S3Storage:
    """S3 with boto3's default configuration; endpoints come from the environment."""

    client: Any

    @classmethod
    def connect(cls) -> "S3Storage":
        """Storage with a new S3 client."""
        return cls(boto3.client("s3"))

    def read(self, uri: str) -> bytes:
        """The content of an object. Raises ClientError, for example NoSuchKey."""
        bucket, key = parse_s3_uri(uri)
        body: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def chunks(self, version: FileVersion) -> Iterator[bytes]:
        """The content of the key's current version in chunks of `CHUNK_BYTES`; empty if it was deleted.

        Raises RefusedObjectError for an object that must not be read, ClientError for AWS faults, and
        BotoCoreError when the connection breaks.
        """
        try:
            body = self.client.get_object(Bucket=version.bucket, Key=version.key)["Body"]
        except ClientError as error:
            if _error_code(error) in MISSING:
                return
            _raise_refusal(error)
        with body:
            yield from body.iter_chunks(CHUNK_BYTES)

    def write(self, uri: str, text: str) -> None:
        """Write a JSON object. Raises ClientError."""
        bucket, key = parse_s3_uri(uri)
        self.client.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")

    def current_version(self, version: FileVersion) -> str | None:
        """The ID of the key's current version; None if the object was deleted.

        Raises RefusedObjectError for an object that must not be read, and ClientError for AWS faults.
        """
        try:
            head = self.client.head_object(Bucket=version.bucket, Key=version.key)
        except ClientError as error:
            if _error_code(error) in MISSING:
                return None
            _raise_refusal(error)
        return str(head.get("VersionId", UNVERSIONED))

    def location(self, version: FileVersion) -> str:
        """`s3://bucket/key`, whose current version is read."""
        return version.uri


def _error_code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _raise_refusal(error: ClientError) -> NoReturn:
    """Raise RefusedObjectError for an object that must not be read; otherwise re-raise the AWS fault."""
    failure = refusal(_error_code(error), error.response["Error"].get("Message", ""))
    if failure is None:
        raise error
    raise RefusedObjectError(failure) from error
