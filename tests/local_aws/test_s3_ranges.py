"""Tests of byte ranges of older object versions."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def older(factory):
    """The S3 client, and the arguments of an older version with ten bytes."""
    s3 = factory.aws.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="lake", Key="k", Body=b"0123456789")["VersionId"]
    s3.put_object(Bucket="lake", Key="k", Body=b"x")
    return s3, {"Bucket": "lake", "Key": "k", "VersionId": version}


@pytest.mark.parametrize(
    ("span", "content", "content_range"),
    [
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_a_range_returns_only_its_bytes(older, span, content, content_range):
    s3, version = older
    part = s3.get_object(**version, Range=span)
    assert (part["Body"].read(), part["ContentRange"]) == (content, content_range)


def test_without_a_range_the_version_is_whole(older):
    s3, version = older
    assert s3.get_object(**version)["Body"].read() == b"0123456789"


def test_a_range_beyond_the_end_is_refused(older):
    s3, version = older
    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(**version, Range="bytes=10-20")
