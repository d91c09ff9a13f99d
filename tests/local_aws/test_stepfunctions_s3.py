"""Tests of state machines that read an S3 object."""

import json

import pytest


def reading(**arguments):
    return {
        "Read": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
            "Arguments": {"Bucket": "lake", **arguments},
            "End": True,
        }
    }


@pytest.fixture
def lake(factory):
    s3 = factory.aws.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    return s3


def test_the_body_is_text_that_parse_reads(factory, lake):
    body = '{"rows": 3, "name": "Zürich"}'
    put = lake.put_object(
        Bucket="lake", Key="runs/a b+c/summary.json", Body=body, ContentType="application/json"
    )
    states = reading(Key="runs/a b+c/summary.json")
    states["Read"]["Output"] = {
        "parsed": "{% $parse($states.result.Body) %}",
        "version": "{% $states.result.VersionId %}",
        "length": "{% $states.result.ContentLength %}",
        "type": "{% $states.result.ContentType %}",
    }
    output = json.loads(factory.run(states)["output"])
    assert output == {
        "parsed": {"rows": 3, "name": "Zürich"},
        "version": put["VersionId"],
        "length": 30,
        "type": "application/json",
    }


def test_an_older_version_can_be_read(factory, lake):
    old = lake.put_object(Bucket="lake", Key="k", Body="old")["VersionId"]
    lake.put_object(Bucket="lake", Key="k", Body="new")
    states = reading(Key="k", VersionId=old)
    states["Read"]["Output"] = "{% $states.result.Body %}"
    assert json.loads(factory.run(states)["output"]) == "old"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"Key": "missing"}, "S3.NoSuchKeyException"),
        ({"Bucket": "none", "Key": "k"}, "S3.NoSuchBucketException"),
    ],
)
def test_a_missing_object_or_bucket_has_the_sdks_error(factory, lake, arguments, error):
    assert factory.run(reading(**arguments))["error"] == error
