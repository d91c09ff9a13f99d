"""How do files get into the raw zone? Uploads of local files, each with the version that it became."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.errors import CliError
from ops.session import Session
from taxi_etl.file_rules import check_key
from taxi_etl.identity import FileVersion

_VERSION_CALLS = ("PutObject", "CompleteMultipartUpload")
"""The calls whose answer names the version; which of them boto3 makes depends on the size."""


@dataclass(frozen=True)
class Upload:
    """A local file and the key it gets."""

    path: Path
    key: str


def plan(paths: Sequence[Path], prefix: str) -> list[Upload]:
    """The uploads for these files. Raises CliError naming every unfit file, before any is sent."""
    uploads = [Upload(path, f"{prefix}{path.name}") for path in paths]
    wrong = [f"{path}: no such file" for path in paths if not path.is_file()]
    wrong += [f"{path}: the file is empty" for path in paths if path.is_file() and not path.stat().st_size]
    wrong += [f"{upload.path}: {finding.message}" for upload in uploads for finding in check_key(upload.key)]
    keys = [upload.key for upload in uploads]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    wrong += [f"{key}: given twice, the second would replace the first" for key in twice]
    if wrong:
        raise CliError(
            "nothing was uploaded: " + "; ".join(wrong), "leave these files out, or mend their names"
        )
    return uploads


def upload(
    session: Session, bucket: str, uploads: Sequence[Upload], on_bytes: Callable[[Upload, int], None]
) -> list[FileVersion]:
    """Send the files, large ones in parts; `on_bytes` hears how many bytes more were sent.

    Gives exactly the versions that these uploads made. Raises CliError when the bucket is not versioned.
    """
    s3 = session.client("s3")
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise CliError(
            f"bucket {bucket} is not versioned; without versions, events of one key cannot be told apart",
            f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled",
        )
    made = []
    for each in uploads:
        with _version_of_answers(s3) as versions:
            s3.upload_file(str(each.path), bucket, each.key, Callback=_reporter(each, on_bytes))
        made.append(FileVersion(bucket, each.key, versions[-1], size=each.path.stat().st_size))
    return made


def _reporter(each: Upload, on_bytes: Callable[[Upload, int], None]) -> Callable[[int], None]:
    return lambda count: on_bytes(each, count)


@contextmanager
def _version_of_answers(s3: Any) -> Iterator[list[str]]:
    """The versions that S3 answers with meanwhile; `upload_file` keeps them to itself.

    Asking for the newest version afterwards would name another one when somebody else uploads the same key.
    """
    versions: list[str] = []

    def note(parsed: dict[str, Any], **_: Any) -> None:
        if "VersionId" in parsed:
            versions.append(parsed["VersionId"])

    events = [f"after-call.s3.{call}" for call in _VERSION_CALLS]
    for event in events:
        s3.meta.events.register(event, note)
    try:
        yield versions
    finally:
        for event in events:
            s3.meta.events.unregister(event, note)
