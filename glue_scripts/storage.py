"""Object storage as the job uses it: S3, or a folder in tests."""

from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.exceptions import ClientError

from taxi_etl.failures import Failure
from taxi_etl.identity import UNVERSIONED, FileVersion
from taxi_etl.object_access import refusal
from taxi_etl.s3_uris import parse_s3_uri


class RefusedObjectError(Exception):
    """S3 refuses to hand out one object; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Storage(Protocol):
    """The operations that the job needs from an object store."""

    def read(self, uri: str) -> bytes:
        """The content of an object."""

    def write(self, uri: str, text: str) -> None:
        """Write an object."""

    def current_version(self, version: FileVersion) -> str | None:
        """The ID of the current version of the file's key; None if the object was deleted.

        Raises RefusedObjectError for an object that must not be read.
        """

    def location(self, version: FileVersion) -> str:
        """The URI from which Spark reads the file's current version."""


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
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            if code in ("404", "NoSuchKey", "NotFound"):
                return None
            failure = refusal(code, message)
            if failure is None:
                raise
            raise RefusedObjectError(failure) from error
        return str(head.get("VersionId", UNVERSIONED))

    def location(self, version: FileVersion) -> str:
        """`s3://bucket/key`. Spark always reads the current version of it."""
        return version.uri
