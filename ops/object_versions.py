"""The versions of the objects in a bucket, as S3 lists them."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ops.errors import CliError
from ops.session import Session
from taxi_etl.identity import FileVersion


def object_versions(session: Session, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Yield S3's entries of all versions with this key prefix. Raises CliError if the bucket does not exist.

    The versions of one key come from the newest to the oldest. Delete markers are left out.
    """
    pages = session.client("s3").get_paginator("list_object_versions")
    try:
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            yield from page.get("Versions", [])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise CliError(f"bucket {bucket} does not exist", "list the buckets: aws s3 ls") from None


def file_version(bucket: str, entry: Mapping[str, Any]) -> FileVersion:
    """Return the file version of one of S3's entries."""
    etag = entry.get("ETag", "").strip('"')
    return FileVersion(bucket, entry["Key"], entry["VersionId"], int(entry["Size"]), etag)
