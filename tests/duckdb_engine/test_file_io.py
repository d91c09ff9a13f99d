"""Tests of metadata files in S3: what is requested again, and what is not."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from duckdb_engine import file_io
from duckdb_engine.recent_contents import RecentContents

LOCATION = "s3://lake/warehouse/taxi.db/green_trips/metadata/00001-a.metadata.json"
PLACE = ("lake", LOCATION.removeprefix("s3://lake/"))


class FakeS3:
    """Objects by bucket and key; `calls` are the requests."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.calls: list[str] = []

    def get_object(self, **request: Any) -> dict[str, Any]:
        place = self._called("get", request)
        if place not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[place])}

    def put_object(self, **request: Any) -> None:
        place = self._called("put", request)
        if request.get("IfNoneMatch") and place in self.objects:
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.objects[place] = request["Body"]

    def delete_object(self, **request: Any) -> None:
        self.objects.pop(self._called("delete", request), None)

    def _called(self, name: str, request: dict[str, Any]) -> tuple[str, str]:
        self.calls.append(name)
        return request["Bucket"], request["Key"]


@pytest.fixture
def s3(monkeypatch):
    fake = FakeS3()
    monkeypatch.setattr(file_io, "s3_client", lambda: fake)
    monkeypatch.setattr(file_io, "RECENT", RecentContents())
    return fake


def read() -> bytes:
    return file_io.Boto3FileIO().new_input(LOCATION).open().read()


def write(content: bytes) -> None:
    with file_io.Boto3FileIO().new_output(LOCATION).create() as stream:
        stream.write(content)


def test_a_file_is_requested_once(s3):
    s3.objects[PLACE] = b"one"

    assert (read(), read()) == (b"one", b"one")
    assert s3.calls == ["get"]


def test_a_written_file_is_not_requested(s3):
    write(b"one")

    assert (read(), s3.objects[PLACE]) == (b"one", b"one")
    # pyiceberg asks for the size of each manifest that it wrote.
    assert len(file_io.Boto3FileIO().new_input(LOCATION)) == 3
    assert s3.calls == ["put"]


def test_a_refused_write_is_not_kept(s3):
    s3.objects[PLACE] = b"of another writer"

    with pytest.raises(FileExistsError):
        write(b"one")

    assert read() == b"of another writer"


def test_a_missing_file_is_requested_again(s3):
    with pytest.raises(FileNotFoundError):
        read()
    s3.objects[PLACE] = b"one"

    assert read() == b"one"


def test_a_deleted_file_is_gone(s3):
    write(b"one")
    file_io.Boto3FileIO().delete(LOCATION)

    with pytest.raises(FileNotFoundError):
        read()


def test_the_least_recently_used_contents_are_dropped():
    recent = RecentContents(bytes_max=5)
    for location, content in (("a", b"12"), ("b", b"34"), ("c", b"5")):
        recent.put(location, content)
    recent.get("a")

    recent.put("d", b"6")

    assert [recent.get(each) for each in "abcd"] == [b"12", None, b"5", b"6"]


def test_replaced_contents_count_once():
    recent = RecentContents(bytes_max=4)
    for content in (b"12", b"34", b"56"):
        recent.put("a", content)
    recent.put("b", b"78")

    assert [recent.get(each) for each in "ab"] == [b"56", b"78"]


def test_contents_larger_than_the_limit_are_not_kept():
    recent = RecentContents(bytes_max=2)

    recent.put("a", b"123")

    assert recent.get("a") is None
