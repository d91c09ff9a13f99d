"""What does S3 say about an object? Headers as facts, and the few bytes that the checks look at."""

from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from stores.errors import error_code
from taxi_etl.file_rules import FileFacts
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import CURRENT_VERSION, InvalidInputError

GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion"})
NO_SUCH_VERSION = GONE | {"400", "405", "MethodNotAllowed"}
"""What a HEAD of one version may answer when there is no such object version: 405 for a delete marker, 400
for a versionId that is none. The current version was asked for just before, so the request is good."""


def look_up(s3: Any, version: FileVersion) -> tuple[FileVersion, FileFacts]:
    """The file version, completed with what S3 knows, and the facts about it.

    One HEAD in the usual case: when the current version is the one in question. Raises InvalidInputError for
    an unversioned bucket, and ClientError for AWS faults.
    """
    headers = _head(s3, GONE, Bucket=version.bucket, Key=version.key)
    if headers is None:
        return version, FileFacts(key=version.key, exists=False)
    current = headers.get("VersionId")
    if not current:
        raise InvalidInputError(f"the bucket {version.bucket} is not versioned; turn versioning on")
    is_current = version.version_id in (CURRENT_VERSION, current)
    if not is_current:
        arguments = {"Bucket": version.bucket, "Key": version.key, "VersionId": version.version_id}
        headers = _head(s3, NO_SUCH_VERSION, **arguments)
        if headers is None:
            return version, FileFacts(key=version.key, exists=False)
    completed = replace(
        version,
        version_id=version.version_id or current,
        size=headers["ContentLength"],
        etag=headers.get("ETag", "").strip('"'),
    )
    facts = FileFacts(
        key=version.key,
        size=completed.size,
        storage_class=headers.get("StorageClass", "STANDARD"),
        archive_status=headers.get("ArchiveStatus", ""),
        restored='ongoing-request="false"' in headers.get("Restore", ""),
        is_current=is_current,
    )
    return completed, facts


def read_range(s3: Any, version: FileVersion, start: int, end: int) -> bytes:
    """The bytes of this version from `start` up to and without `end`. Raises ClientError.

    An answer of another length is no answer: reading it could fill the memory with a whole object.
    """
    answer = s3.get_object(
        Bucket=version.bucket,
        Key=version.key,
        VersionId=version.version_id,
        Range=f"bytes={start}-{end - 1}",
    )
    if answer["ContentLength"] != end - start:
        raise RuntimeError(f"asked {version.uri} for {end - start} bytes, got {answer['ContentLength']}")
    with answer["Body"] as body:
        content: bytes = body.read()
    return content


def _head(s3: Any, absent: frozenset[str], **arguments: str) -> dict[str, Any] | None:
    """An object's headers, or None when S3 answers with a code that means it is not there."""
    try:
        headers: dict[str, Any] = s3.head_object(**arguments)
    except ClientError as error:
        if error_code(error) in absent:
            return None
        raise
    return headers
