"""Object storage for pyiceberg with boto3 alone; pyiceberg's own FileIOs need pyarrow or s3fs.

Metadata files are small, so each is read and written as a whole, and recent ones are kept in memory.
Locations without `s3://` are local files.
"""

import io
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream

from duckdb_engine.recent_contents import RecentContents
from loading.storage import MISSING, THREADS
from taxi_etl.s3_uris import parse_s3_uri

NAME = f"{__name__}.Boto3FileIO"
"""The value of pyiceberg's property `py-io-impl`."""
ALREADY_EXISTS = "PreconditionFailed"
RECENT = RecentContents()
"""Metadata files in S3."""


@cache
def s3_client() -> Any:
    """The S3 client of this process, with boto3's default configuration.

    pyiceberg makes a FileIO for each look at a table. With a client each, none would reuse a connection.
    """
    return boto3.client("s3", config=Config(max_pool_connections=THREADS))


class Boto3FileIO(FileIO):
    """Files in S3, or local files."""

    @property
    def client(self) -> Any:
        """The S3 client."""
        return s3_client()

    def new_input(self, location: str) -> "StoredFile":
        """The file at a location, to read it."""
        return StoredFile(self, location)

    def new_output(self, location: str) -> "StoredFile":
        """The file at a location, to write it."""
        return StoredFile(self, location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Delete a file; one that does not exist is ignored."""
        where = location if isinstance(location, str) else location.location
        if _is_local(where):
            _path(where).unlink(missing_ok=True)
        else:
            bucket, key = parse_s3_uri(_s3(where))
            RECENT.remove(where)
            self.client.delete_object(Bucket=bucket, Key=key)

    def upload(self, path: Path, location: str) -> None:
        """Copy a local file to a new location."""
        if _is_local(location):
            target = _path(location)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        else:
            bucket, key = parse_s3_uri(_s3(location))
            self.client.upload_file(str(path), bucket, key)

    def download(self, location: str, path: Path) -> None:
        """Copy a file to a local path."""
        if _is_local(location):
            shutil.copyfile(_path(location), path)
        else:
            bucket, key = parse_s3_uri(_s3(location))
            self.client.download_file(bucket, key, str(path))


class StoredFile(InputFile, OutputFile):
    """A file that is read and written as a whole."""

    def __init__(self, owner: Boto3FileIO, location: str) -> None:
        super().__init__(location)
        self.owner = owner

    def __len__(self) -> int:
        """The size in bytes. Raises FileNotFoundError."""
        if _is_local(self.location):
            return _path(self.location).stat().st_size
        content = RECENT.get(self.location)
        if content is not None:
            return len(content)
        bucket, key = parse_s3_uri(_s3(self.location))
        try:
            return int(self.owner.client.head_object(Bucket=bucket, Key=key)["ContentLength"])
        except ClientError as error:
            raise _not_found(error, self.location) from error

    def exists(self) -> bool:
        """Whether there is a file."""
        try:
            len(self)
        except FileNotFoundError:
            return False
        return True

    def open(self, seekable: bool = True) -> InputStream:
        """The content. Raises FileNotFoundError."""
        if _is_local(self.location):
            return io.BytesIO(_path(self.location).read_bytes())
        content = RECENT.get(self.location)
        if content is None:
            bucket, key = parse_s3_uri(_s3(self.location))
            try:
                content = bytes(self.owner.client.get_object(Bucket=bucket, Key=key)["Body"].read())
            except ClientError as error:
                raise _not_found(error, self.location) from error
            RECENT.put(self.location, content)
        return io.BytesIO(content)

    def create(self, overwrite: bool = False) -> OutputStream:
        """A stream whose content is written when it is closed.

        Closing raises FileExistsError for a file that exists, unless it is to be overwritten.
        """
        return _WholeFile(lambda content: self._write(content, overwrite))

    def to_input_file(self) -> "StoredFile":
        """The same file, to read it."""
        return self

    def _write(self, content: bytes, overwrite: bool) -> None:
        if _is_local(self.location):
            path = _path(self.location)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb" if overwrite else "xb") as file:
                file.write(content)
            return
        bucket, key = parse_s3_uri(_s3(self.location))
        # S3 itself refuses a second writer of the same name.
        condition = {} if overwrite else {"IfNoneMatch": "*"}
        try:
            self.owner.client.put_object(Bucket=bucket, Key=key, Body=content, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] == ALREADY_EXISTS:
                raise FileExistsError(self.location) from error
            raise
        RECENT.put(self.location, content)


class _WholeFile(io.BytesIO):
    """Collects a file's content and writes it on close, but not after an error."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        super().__init__()
        self._write_content = write

    def close(self) -> None:
        if not self.closed:
            self._write_content(self.getvalue())
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            super().close()


def _is_local(location: str) -> bool:
    return not location.startswith(("s3://", "s3a://"))


def _s3(location: str) -> str:
    return location.replace("s3a://", "s3://", 1)


def _path(location: str) -> Path:
    return Path(location.removeprefix("file://").removeprefix("file:"))


def _not_found(error: ClientError, location: str) -> Exception:
    """FileNotFoundError if the object does not exist; otherwise the same error."""
    return FileNotFoundError(location) if error.response["Error"]["Code"] in MISSING else error
