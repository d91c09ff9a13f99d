"""Tests of the local copies of files, and of the limits of the child process."""

from collections.abc import Iterator

import pytest

from duckdb_engine.limits import OVERHEAD_BYTES, Limits
from duckdb_engine.local_copies import LocalCopies
from loading.source_file import SourceFile
from taxi_etl.documents import AcceptedFile
from taxi_etl.identity import FileVersion

VERSION = FileVersion("lake", "raw/taxi/yellow_tripdata_2024-01.csv", "v1", 6)
SOURCE = SourceFile(AcceptedFile(VERSION, "yellow", "csv", ()), "")


class Storage:
    """Storage that counts its reads; the first one may break off."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.reads = 0
        self.breaks = breaks

    def chunks(self, version: FileVersion) -> Iterator[bytes]:
        self.reads += 1
        yield b"abc"
        if self.breaks and self.reads == 1:
            raise ConnectionError
        yield b"def"


def test_a_file_is_read_once(tmp_path):
    storage = Storage()
    copies = LocalCopies(storage, tmp_path)

    assert b"".join(copies.chunks(VERSION)) == b"abcdef"
    assert copies.copy_of(SOURCE).read_bytes() == b"abcdef"
    assert copies.location(VERSION) == copies.copy_of(SOURCE).as_uri()
    assert storage.reads == 1


def test_a_copy_that_was_broken_off_is_made_again(tmp_path):
    copies = LocalCopies(Storage(breaks=True), tmp_path)

    with pytest.raises(ConnectionError):
        copies.copy_of(SOURCE)

    assert copies.copy_of(SOURCE).read_bytes() == b"abcdef"


def test_versions_of_a_file_have_copies_of_their_own(tmp_path):
    copies = LocalCopies(Storage(), tmp_path)
    newer = FileVersion(VERSION.bucket, VERSION.key, "v2", 6)

    assert copies.location(VERSION) != copies.location(newer)


def test_duckdb_gets_half_of_the_function_s_memory():
    limits = Limits.of_machine({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048"})

    assert limits.duckdb_bytes == 1024**3
    assert limits.address_space_bytes == 2 * 1024**3 + OVERHEAD_BYTES
    assert limits.threads >= 1
    assert Limits.from_json(limits.to_json()) == limits
