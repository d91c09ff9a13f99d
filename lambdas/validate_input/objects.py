"""Facts about S3 objects from their headers, and ranges of their bytes."""

from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from stores.errors import error_code
from taxi_etl import object_access
from taxi_etl.failures import Failure
from taxi_etl.file_rules import FileFacts
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import CURRENT_VERSION, InvalidInputError

GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion"})
NO_SUCH_VERSION = GONE | {"400", "405", "MethodNotAllowed"}
"""Codes with which HEAD answers that an object version does not exist: 405 means a delete marker, and 400 an
invalid version ID, since the HEAD of the current version just succeeded."""


def look_up(s3: Any, version: FileVersion) -> tuple[FileVersion, FileFacts]:
    """Return the file version, completed from its S3 headers, and the facts about it.

    Sends one HEAD if the file version is the current one, otherwise two. Raises InvalidInputError for an
    unversioned bucket, and ClientError for AWS faults.
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
    """Return the bytes `[start, end)` of this version.

    Raises ClientError for AWS faults, and RuntimeError for a response of another length, whose body is not
    read because it could be the whole object.
    """
    response = s3.get_object(
        Bucket=version.bucket,
        Key=version.key,
        VersionId=version.version_id,
        Range=f"bytes={start}-{end - 1}",
    )
    if response["ContentLength"] != end - start:
        received = response["ContentLength"]
        raise RuntimeError(f"requested {end - start} bytes of {version.uri}, received {received}")
    with response["Body"] as body:
        content: bytes = body.read()
    return content


def refusal(s3: Any, version: FileVersion, error: ClientError) -> Failure | None:
    """Return why S3 refuses this object alone; None if the error is an AWS fault.

    Requests one byte if the error is that of a HEAD, which has no message; the error is a fault if that
    succeeds. Raises ClientError for AWS faults of that request.
    """
    if error_code(error) in object_access.HEAD_WITHOUT_REASON:
        named = {"VersionId": version.version_id} if version.version_id else {}
        try:
            response = s3.get_object(Bucket=version.bucket, Key=version.key, Range="bytes=0-0", **named)
            response["Body"].close()
            return None
        except ClientError as reason:
            if object_access.refusal(error_code(reason), _message(reason)) is None:
                raise
            error = reason
    return object_access.refusal(error_code(error), _message(error))


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _head(s3: Any, absent: frozenset[str], **arguments: str) -> dict[str, Any] | None:
    """Return an object's headers; None when S3 answers with one of the codes `absent`."""
    try:
        headers: dict[str, Any] = s3.head_object(**arguments)
    except ClientError as error:
        if error_code(error) in absent:
            return None
        raise
    return headers
