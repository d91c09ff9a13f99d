"""Tests of the response to a missing object by list permission."""

import pytest

READ = ("s3:GetObject", "arn:aws:s3:::lake/*")
LIST = ("s3:ListBucket", "arn:aws:s3:::lake")


@pytest.fixture
def call(factory):
    """A function that requests an object with a role and returns the error's code."""
    factory.aws.client("s3").create_bucket(Bucket="lake")
    factory.aws.settings(enforce_roles=True)
    called = factory.caller()
    return lambda operation, key: called("s3", operation, Bucket="lake", Key=key)


def test_a_role_without_list_permission_gets_403(factory, call):
    factory.allow(READ)
    assert call("get_object", "raw/none.csv") == "AccessDenied"
    assert call("head_object", "raw/none.csv") == "403"


def test_a_role_with_list_permission_gets_404(factory, call):
    factory.allow(READ, LIST)
    assert call("get_object", "raw/none.csv") == "NoSuchKey"
    assert call("head_object", "raw/none.csv") == "404"


def test_list_permission_on_a_prefix_covers_its_keys(factory, call):
    factory.allow(READ, LIST, StringLikeIfExists={"s3:prefix": "raw/*"})
    assert call("head_object", "raw/none.csv") == "404"
    assert call("head_object", "runs/none.json") == "403"


def test_reading_an_existing_object_needs_no_list_permission(factory, call):
    factory.aws.client("s3").put_object(Bucket="lake", Key="raw/trips.csv", Body="id")
    factory.allow(READ)
    assert call("get_object", "raw/trips.csv") == ""
