"""Uploads local files to a bucket and returns the file version that each upload created."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.errors import CliError, enable_versioning
from ops.session import Session
from taxi_etl.file_rules import check_key
from taxi_etl.identity import FileVersion

_VERSION_CALLS = ("PutObject", "CompleteMultipartUpload")
"""The calls whose answer has the version ID; the file's size decides which of them boto3 makes."""


@dataclass(frozen=True)
class Upload:
    """A local file and its object key."""

    path: Path
    key: str


def plan(paths: Sequence[Path], prefix: str) -> list[Upload]:
    """Return the uploads for these files. Raises CliError that names every file that cannot be loaded."""
    uploads = [Upload(path, f"{prefix}{path.name}") for path in paths]
    problems = [f"{path}: the file does not exist" for path in paths if not path.is_file()]
    problems += [f"{path}: the file is empty" for path in paths if path.is_file() and not path.stat().st_size]
    problems += [
        f"{upload.path}: {finding.message}" for upload in uploads for finding in check_key(upload.key)
    ]
    keys = [upload.key for upload in uploads]
    duplicates = sorted({key for key in keys if keys.count(key) > 1})
    problems += [f"{key}: two files have this object key" for key in duplicates]
    if problems:
        raise CliError(
            "nothing was uploaded: " + "; ".join(problems), "leave these files out, or rename them"
        )
    return uploads


def upload(
    session: Session, bucket: str, uploads: Sequence[Upload], on_bytes: Callable[[Upload, int], None]
) -> list[FileVersion]:
    """Upload the files, large ones in parts; `on_bytes` is called with each number of bytes sent.

    Returns exactly the versions that these uploads created. Raises CliError if the bucket is not versioned.
    """
    s3 = session.client("s3")
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise CliError(
            f"bucket {bucket} is not versioned; two uploads of one object key would be indistinguishable",
            enable_versioning(bucket),
        )
    made = []
    for each in uploads:
        with _recorded_version_ids(s3) as version_ids:
            s3.upload_file(str(each.path), bucket, each.key, Callback=_reporter(each, on_bytes))
        made.append(FileVersion(bucket, each.key, version_ids[-1], size=each.path.stat().st_size))
    return made


def _reporter(each: Upload, on_bytes: Callable[[Upload, int], None]) -> Callable[[int], None]:
    return lambda count: on_bytes(each, count)


@contextmanager
def _recorded_version_ids(s3: Any) -> Iterator[list[str]]:
    """Record the version IDs in S3's answers, because `upload_file` does not return them.

    The newest version after the upload may be another one, if somebody else uploads the same key.
    """
    version_ids: list[str] = []

    def record(parsed: dict[str, Any], **_: Any) -> None:
        if "VersionId" in parsed:
            version_ids.append(parsed["VersionId"])

    events = [f"after-call.s3.{call}" for call in _VERSION_CALLS]
    for event in events:
        s3.meta.events.register(event, record)
    try:
        yield version_ids
    finally:
        for event in events:
            s3.meta.events.unregister(event, record)
