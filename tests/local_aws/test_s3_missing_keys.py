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


def test_who_may_not_list_is_told_nothing(workshop, call):
    workshop.allow(READ)
    assert call("get_object", "raw/none.csv") == "AccessDenied"
    assert call("head_object", "raw/none.csv") == "403"


def test_who_may_list_is_told_that_it_is_missing(workshop, call):
    workshop.allow(READ, LIST)
    assert call("get_object", "raw/none.csv") == "NoSuchKey"
    assert call("head_object", "raw/none.csv") == "404"


def test_a_right_to_list_under_a_prefix_counts_for_the_keys_under_it(workshop, call):
    workshop.allow(READ, LIST, StringLikeIfExists={"s3:prefix": "raw/*"})
    assert call("head_object", "raw/none.csv") == "404"
    assert call("head_object", "runs/none.json") == "403"


def test_an_object_that_is_there_needs_no_right_to_list(workshop, call):
    workshop.aws.client("s3").put_object(Bucket="lake", Key="raw/trips.csv", Body="id")
    workshop.allow(READ)
    assert call("get_object", "raw/trips.csv") == ""
