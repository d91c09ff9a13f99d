"""Tests that an object to which S3 refuses access fails alone, wherever the job reads it."""

import pytest
from botocore.exceptions import ClientError

from glue_scripts.spark_errors import read_failure
from glue_scripts.storage import RefusedObjectError, S3Storage
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.identity import FileVersion

CSV = b"""VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID,fare_amount
2,2024-01-05 10:00:00,2024-01-05 10:20:00,3.5,74,18.4
"""
VERSION = FileVersion("lake", "raw/taxi/a.csv", "v1")
DENIED = RefusedObjectError(Failure(FailureCode.ACCESS_DENIED, "the pipeline may not read the object"))


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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("java.nio.file.AccessDeniedException: s3a://lake/a.csv: open s3a://lake/a.csv", "access_denied"),
        ("S3Exception: not authorized: kms:Decrypt (AccessDenied)", "kms_key_denied"),
        ("S3Exception: The operation is not valid (InvalidObjectState)", "archived"),
        (
            "AWSBadRequestException: getFileStatus on s3a://lake/a.csv: null (Status Code: 400)",
            "encrypted_with_customer_key",
        ),
        ("AWSBadRequestException: getFileStatus on s3a://lake/a.csv: ExpiredToken", "unreadable"),
        ("Reading past RLE/BitPacking stream", "unreadable"),
    ],
)
def test_sparks_error_says_whether_s3_refused_the_object(text, code):
    assert read_failure(RuntimeError(text)).code == code


@pytest.mark.parametrize("refused_check", [1, 3])
def test_a_refused_object_fails_alone_and_the_others_load(lake, monkeypatch, refused_check):
    good, refused = ("raw/taxi/a.csv", "raw/taxi/b.csv")
    for key in (good, refused):
        lake.storage.put(key, CSV)
    original, checks = lake.storage.current_version, []

    def current_version(version):
        checks.append(version.key)
        if version.key == refused and len(checks) >= refused_check:
            raise DENIED
        return original(version)

    monkeypatch.setattr(lake.storage, "current_version", current_version)
    result = {file.version.key: file for file in lake.load(good, refused).files}
    assert (result[good].status, result[good].written) == ("loaded", 1)
    assert (result[refused].status, result[refused].failure) == ("failed", DENIED.failure)
    assert (lake.count("green", good), lake.count("green", refused)) == (1, 0)
