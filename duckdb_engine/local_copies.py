"""The storage of a load that reads each file from S3 once and keeps a local copy for its engine."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from loading.source_file import SourceFile
from loading.storage import CHUNK_BYTES, Storage
from taxi_etl.identity import FileVersion


class LocalCopies:
    """Wraps a storage and reads its files from copies in `folder`; implements `loading.storage.Storage`."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        self.storage = storage
        self.folder = folder

    def read(self, uri: str) -> bytes:
        """The content of an object."""
        return self.storage.read(uri)

    def write(self, uri: str, text: str) -> None:
        """Write an object."""
        self.storage.write(uri, text)

    def current_version(self, version: FileVersion) -> str | None:
        """The ID of the current version of the file's key; None if the object was deleted."""
        return self.storage.current_version(version)

    def location(self, version: FileVersion) -> str:
        """The URI of the file's local copy, which exists after `chunks` or `copy_of`."""
        return self._path(version).as_uri()

    def chunks(self, version: FileVersion) -> Iterator[bytes]:
        """The content of the file's current version, in order; empty if the object was deleted."""
        with self._copy(version).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def copy_of(self, source: SourceFile) -> Path:
        """The local copy of a file. Raises the errors of `chunks` of the wrapped storage."""
        return self._copy(source.file.version)

    def _copy(self, version: FileVersion) -> Path:
        """The local copy, made on first use; an interrupted copy is made again."""
        path = self._path(version)
        if not path.exists():
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                file.writelines(self.storage.chunks(version))
            part.rename(path)
        return path

    def _path(self, version: FileVersion) -> Path:
        name = hashlib.sha256(repr(version.identity).encode()).hexdigest()[:32]
        return self.folder / f"{name}.source"
