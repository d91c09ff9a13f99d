"""Tests of parsing queue messages, with recorded S3 notifications."""

import json
from pathlib import Path
from typing import Any

import pytest

from taxi_etl.events import Announcement, UnreadableMessageError, parse_message
from taxi_etl.identity import FileVersion

EVENTS = Path(__file__).resolve().parents[1] / "events"
BUCKET = "123456789012-oubt-datalake"


def sample(name: str) -> str:
    """The body of the first message in a sample event."""
    body: str = json.loads((EVENTS / f"{name}.json").read_text())["Records"][0]["body"]
    return body


def record(key: str = "raw/taxi/a.csv", name: str = "ObjectCreated:Put", **described: Any) -> dict[str, Any]:
    """An S3 event record."""
    facts = {"key": key, "versionId": "v1", "size": 5, "eTag": "e", "sequencer": "01", **described}
    return {"eventName": name, "s3": {"bucket": {"name": "lake"}, "object": facts}}


def parse(*records: Any) -> Announcement:
    return parse_message(json.dumps({"Records": list(records)}))


def test_an_upload_announces_its_version() -> None:
    assert parse_message(sample("sqs_object_created")) == Announcement(
        versions=(
            FileVersion(
                bucket=BUCKET,
                key="raw/taxi/green_tripdata_2024-01.parquet",
                version_id="L4kqtJlcpXroDTDmpUMLUo",
                size=1362284,
                etag="2f3a6f7be9ad4ee46bd0d3b0cf9e6f1c",
                sequencer="0055AED6DCD90281E5",
            ),
        )
    )


def test_keys_are_decoded_and_any_kind_of_creation_counts() -> None:
    (version,) = parse_message(sample("sqs_multipart_encoded_key")).versions
    assert version.key == "raw/taxi/2024/café & ferry +1/yellow_tripdata_2024-02.csv.gz"


def test_the_test_of_a_notification_is_ignored() -> None:
    found = parse_message(sample("sqs_test_event"))
    assert found == Announcement(ignored=((BUCKET, "S3 test event"),))


def test_a_removal_is_ignored() -> None:
    found = parse_message(sample("sqs_object_removed"))
    assert found.versions == ()
    assert [why for _, why in found.ignored] == [
        "ObjectRemoved:DeleteMarkerCreated does not create an object"
    ]


def test_a_message_may_hold_several_records_and_one_of_them_twice() -> None:
    found = parse(record(), record("raw/taxi/b.csv"), record(), record("raw/taxi/sub/"))
    assert [version.key for version in found.versions] == ["raw/taxi/a.csv", "raw/taxi/b.csv"]
    assert found.ignored == (("s3://lake/raw/taxi/sub/", "the object is a folder marker"),)


@pytest.mark.parametrize(
    "key", ["runs/etl-pipeline-workflow/x/manifest.json", "warehouse/taxi/data/0.parquet"]
)
def test_objects_that_the_pipeline_wrote_are_ignored(key: str) -> None:
    found = parse(record(key))
    assert (found.versions, found.ignored) == ((), ((f"s3://lake/{key}", "the pipeline wrote the object"),))


def test_a_key_outside_the_raw_zone_is_announced_for_validation_to_reject() -> None:
    assert [version.key for version in parse(record("inbox/a.csv")).versions] == ["inbox/a.csv"]


def test_the_spelling_of_notification_settings_is_understood() -> None:
    assert len(parse(record(name="s3:ObjectCreated:Copy")).versions) == 1


def test_size_etag_and_sequencer_may_be_missing() -> None:
    bare = {"key": "raw/taxi/a.csv", "versionId": "v1"}
    event = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "lake"}, "object": bare}}
    assert parse(event).versions == (FileVersion("lake", "raw/taxi/a.csv", "v1"),)


def test_the_first_record_of_a_version_counts() -> None:
    first, repeated = record(sequencer="01"), record(sequencer="02")
    assert [version.sequencer for version in parse(first, repeated).versions] == ["01"]


@pytest.mark.parametrize("version_id", [None, "", "null"])
def test_an_unversioned_bucket_is_refused_with_what_to_do(version_id: str | None) -> None:
    with pytest.raises(
        UnreadableMessageError, match=r"s3://lake/raw/taxi/a.csv has no versionId.*turn versioning on"
    ):
        parse(record(versionId=version_id))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("load this", "the body is not JSON"),
        ("", "the body is not JSON"),
        ("[]", "the body is not a JSON object"),
        ('"text"', "the body is not a JSON object"),
        ("{}", "no S3 event records"),
        ('{"Records": []}', "no S3 event records"),
        ('{"Records": {"a": 1}}', "no S3 event records"),
        ('{"Event": "s3:Other"}', "no S3 event records"),
        ('{"Records": ["x"]}', "a record is not an S3 event"),
        ('{"Records": [{"eventName": "ObjectCreated:Put"}]}', "a record is not an S3 event"),
    ],
)
def test_any_other_message_is_an_error(body: str, why: str) -> None:
    with pytest.raises(UnreadableMessageError, match=why):
        parse_message(body)


@pytest.mark.parametrize(("name", "key"), [(1, "raw/taxi/a.csv"), ("ObjectCreated:Put", None)])
def test_names_and_keys_that_are_not_text_are_errors(name: Any, key: Any) -> None:
    with pytest.raises(UnreadableMessageError, match="a record is not an S3 event"):
        parse(record(key, name))


def test_a_size_that_is_not_a_number_is_an_error() -> None:
    with pytest.raises(UnreadableMessageError, match="not an S3 event"):
        parse(record(size="large"))
