"""Is a missing object missing only to those who may list it?"""

import pytest

READ = ("s3:GetObject", "arn:aws:s3:::lake/*")
LIST = ("s3:ListBucket", "arn:aws:s3:::lake")


@pytest.fixture
def call(workshop):
    """Asks for an object in a role's name; gives the error's code."""
    workshop.aws.client("s3").create_bucket(Bucket="lake")
    workshop.aws.settings(enforce_roles=True)
    called = workshop.calling()
    return lambda operation, key: called("s3", operation, Bucket="lake", Key=key)


def test_a_role_without_list_permission_gets_403(workshop, call):
    workshop.allow(READ)
    assert call("get_object", "raw/none.csv") == "AccessDenied"
    assert call("head_object", "raw/none.csv") == "403"


def test_a_role_with_list_permission_gets_404(workshop, call):
    workshop.allow(READ, LIST)
    assert call("get_object", "raw/none.csv") == "NoSuchKey"
    assert call("head_object", "raw/none.csv") == "404"


def test_list_permission_on_a_prefix_covers_its_keys(workshop, call):
    workshop.allow(READ, LIST, StringLikeIfExists={"s3:prefix": "raw/*"})
    assert call("head_object", "raw/none.csv") == "404"
    assert call("head_object", "runs/none.json") == "403"


def test_reading_an_existing_object_needs_no_list_permission(workshop, call):
    workshop.aws.client("s3").put_object(Bucket="lake", Key="raw/trips.csv", Body="id")
    workshop.allow(READ)
    assert call("get_object", "raw/trips.csv") == ""
