"""Tests that S3's refusal of an object is distinguished from a fault."""

import pytest
from botocore.exceptions import ClientError

from loading.storage import RefusedObjectError, S3Storage
from taxi_etl.identity import FileVersion

VERSION = FileVersion("lake", "raw/taxi/a.csv", "v1")


class RefusingS3:
    """An S3 client whose HEAD answers with one error code."""

    def __init__(self, code: str) -> None:
        self.code = code

    def head_object(self, **_: str) -> None:
        raise ClientError({"Error": {"Code": self.code, "Message": ""}}, "HeadObject")


@pytest.mark.parametrize(
    ("code", "expected"), [("403", "access_denied"), ("400", "encrypted_with_customer_key")]
)
def test_a_refused_head_is_a_failure_of_the_object(code, expected):
    with pytest.raises(RefusedObjectError) as raised:
        S3Storage(RefusingS3(code)).current_version(VERSION)
    assert raised.value.failure.code == expected


@pytest.mark.parametrize("code", ["500", "503", "SlowDown", "ExpiredToken"])
def test_a_fault_of_the_head_is_raised(code):
    with pytest.raises(ClientError):
        S3Storage(RefusingS3(code)).current_version(VERSION)
