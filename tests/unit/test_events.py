"""Tests of parsing queue messages, with recorded S3 notifications."""

import json
from pathlib import Path
from typing import Any

import pytest

from taxi_etl.events import MessageContent, UnreadableMessageError, parse_message
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


def parse(*records: Any) -> MessageContent:
    return parse_message(json.dumps({"Records": list(records)}))


def test_an_upload_announces_its_version() -> None:
    assert parse_message(sample("sqs_object_created")) == MessageContent(
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
    assert found == MessageContent(ignored=((BUCKET, "S3 test event"),))


def test_a_removal_is_ignored() -> None:
    found = parse_message(sample("sqs_object_removed"))
    assert found.versions == ()
    assert [why for _, why in found.ignored] == [
        "ObjectRemoved:DeleteMarkerCreated does not create an object"
    ]


def test_a_message_may_hold_several_records_and_one_of_them_twice() -> None:
    found = parse(record(), record("raw/taxi/b.csv"), record(), record("raw/taxi/sub/"))
    assert [version.key for version in found.versions] == ["raw/taxi/a.csv", "raw/taxi/b.csv"]
    assert found.ignored == (
        ("s3://lake/raw/taxi/sub/", "the object is not a trip file: it is a folder marker"),
    )


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


NO_UTF8 = "raw/taxi/\ud800.csv"


@pytest.mark.parametrize(
    "described",
    [
        {"key": ""},
        {"key": NO_UTF8},
        {"key": "raw/taxi/%FF.csv"},
        {"versionId": 5},
        {"versionId": ["v1"]},
        {"versionId": "\ud800"},
        {"size": -1},
        {"size": float("inf")},
        {"size": float("nan")},
        {"size": "large"},
        {"size": [5]},
        {"eTag": 7},
        {"sequencer": 1},
    ],
    ids=ascii,
)
def test_values_that_no_object_has_are_errors_of_their_own_message(described: dict[str, Any]) -> None:
    with pytest.raises(UnreadableMessageError, match="a record is not an S3 event"):
        parse(record(**described))


@pytest.mark.parametrize("bucket", [None, "", 5, "\ud800"], ids=ascii)
def test_a_bucket_without_a_name_is_an_error(bucket: Any) -> None:
    event = record()
    event["s3"]["bucket"]["name"] = bucket
    with pytest.raises(UnreadableMessageError, match="a record is not an S3 event"):
        parse(event)
    bridged = json.loads(event_bridge())
    bridged["detail"]["bucket"]["name"] = bucket
    with pytest.raises(UnreadableMessageError, match="a record is not an S3 event"):
        parse_message(json.dumps(bridged))


def test_a_body_that_is_nested_too_deeply_is_an_error() -> None:
    with pytest.raises(UnreadableMessageError, match="the body is not JSON"):
        parse_message("[" * 100_000)
    with pytest.raises(UnreadableMessageError, match=r"the message of topic .* is not JSON"):
        parse_message(through_sns('{"a":' * 50_000))


def test_events_of_one_message_are_read_or_ignored_each() -> None:
    removed = {"key": "raw/taxi/c.csv", "eTag": "e", "versionId": "v", "sequencer": "0"}
    found = parse(
        record("raw/taxi/a+b.csv"),
        record("raw/taxi/_SUCCESS", size=0),
        {"eventName": "ObjectRemoved:Delete", "s3": {"bucket": {"name": "lake"}, "object": removed}},
        record("raw/taxi/2019", size=0),
        record("raw/taxi/empty.csv", size=0),
        record("raw/taxi/c.csv", "ObjectCreated:CompleteMultipartUpload", eTag=None, sequencer=None),
    )
    assert [(version.key, version.size) for version in found.versions] == [
        ("raw/taxi/a b.csv", 5),
        ("raw/taxi/empty.csv", 0),
        ("raw/taxi/c.csv", 5),
    ]
    assert [uri.rpartition("/")[2] for uri, _ in found.ignored] == ["_SUCCESS", "c.csv", "2019"]


EVENT_BRIDGE_EVENT = {
    "version": "0",
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Object Created",
    "source": "aws.s3",
    "account": "123456789012",
    "time": "2021-11-12T00:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:s3:::lake"],
    "detail": {
        "version": "0",
        "bucket": {"name": "lake"},
        "object": {
            "key": "raw/taxi/a b+c%20d.csv",
            "size": 5,
            "etag": "b1946ac92492d2347c6235b4d2611184",
            "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
            "sequencer": "00617F08299329D189",
        },
        "request-id": "N4N7GDK58NMKJ12R",
        "requester": "123456789012",
        "source-ip-address": "1.2.3.4",
        "reason": "PutObject",
    },
}
"""An EventBridge event as the S3 user guide shows it, with a key that looks encoded and is not."""


def event_bridge(kind: str = "Object Created", source: str = "aws.s3", **described: Any) -> str:
    """An EventBridge event with another type, source or description of its object."""
    event = json.loads(json.dumps(EVENT_BRIDGE_EVENT))
    event |= {"detail-type": kind, "source": source}
    event["detail"]["object"] |= described
    return json.dumps(event)


def through_sns(body: Any, kind: str = "Notification", **more: str) -> str:
    """A message in SNS's envelope, as a queue receives it without raw delivery."""
    message = body if isinstance(body, str) else json.dumps(body)
    topic = "arn:aws:sns:eu-west-1:123456789012:uploads"
    return json.dumps({"Type": kind, "MessageId": "m", "TopicArn": topic, "Message": message, **more})


def test_an_event_bridge_event_announces_its_version_with_its_key_as_it_is() -> None:
    assert parse_message(event_bridge()) == MessageContent(
        versions=(
            FileVersion(
                bucket="lake",
                key="raw/taxi/a b+c%20d.csv",
                version_id="IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
                size=5,
                etag="b1946ac92492d2347c6235b4d2611184",
                sequencer="00617F08299329D189",
            ),
        )
    )


@pytest.mark.parametrize(
    "kind",
    ["Object Deleted", "Object Restore Completed", "Object Tags Added", "Object Storage Class Changed"],
)
def test_other_event_bridge_events_of_objects_are_ignored(kind: str) -> None:
    assert parse_message(event_bridge(kind)).ignored == (
        ("s3://lake/raw/taxi/a b+c%20d.csv", f"{kind} does not create an object"),
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (event_bridge(source="aws.ec2"), "'Object Created' of 'aws.ec2' does not name an S3 object"),
        (event_bridge(source="com.example.s3"), "of 'com.example.s3' does not name an S3 object"),
        (
            json.dumps({"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": {}}),
            "let the EventBridge rule match .*Object Created",
        ),
        (json.dumps(EVENT_BRIDGE_EVENT["detail"]), "no S3 event records"),
        (event_bridge(key=None), "a record is not an S3 event"),
        (json.dumps({"detail-type": "Object Created", "source": "aws.s3"}), "a record is not an S3 event"),
        (event_bridge(**{"version-id": ""}), "has no version-id.*turn versioning on"),
    ],
)
def test_any_other_event_bridge_event_is_an_error(body: str, why: str) -> None:
    with pytest.raises(UnreadableMessageError, match=why):
        parse_message(body)


@pytest.mark.parametrize(
    "more",
    [
        {"Subject": "Amazon S3 Notification", "Timestamp": "2026-01-01T00:00:00.000Z"},
        {"SignatureVersion": "1", "Signature": "EXAMPLE", "SigningCertURL": "https://sns.example/x.pem"},
        {},
    ],
)
def test_a_message_through_a_topic_announces_the_same_as_without(more: dict[str, str]) -> None:
    event = {"Records": [record("raw/taxi/x+y.csv"), record("raw/taxi/b.csv", "ObjectRemoved:Delete")]}
    assert parse_message(through_sns(event, **more)) == parse_message(json.dumps(event))
    assert parse_message(through_sns(event_bridge(), **more)) == parse_message(event_bridge())
    assert parse_message(through_sns(through_sns(event), **more)) == parse_message(json.dumps(event))


def test_the_test_of_a_notification_through_a_topic_is_ignored() -> None:
    event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake"}
    assert parse_message(through_sns(event)) == MessageContent(ignored=(("lake", "S3 test event"),))


def test_the_end_of_a_subscription_is_ignored() -> None:
    [(topic, reason)] = parse_message(through_sns("You have chosen", "UnsubscribeConfirmation")).ignored
    assert (topic.rpartition(":")[2], reason) == ("uploads", "the topic's subscription has ended")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (through_sns("hello"), "the message of topic .*:uploads is not JSON"),
        (through_sns([]), "the message of topic .*:uploads is not a JSON object"),
        (through_sns({"Alarm": "x"}), "no S3 event records"),
        (json.dumps({"Type": "Notification", "TopicArn": "t"}), "the message of topic t is not JSON"),
        (through_sns("", "SubscriptionConfirmation", Token="x"), "asks to confirm its subscription"),
        (json.dumps({"Type": "Notification", "Message": json.dumps({"Records": [record()]})}), "no S3 event"),
    ],
)
def test_any_other_message_of_a_topic_is_an_error(body: str, why: str) -> None:
    with pytest.raises(UnreadableMessageError, match=why):
        parse_message(body)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("2019/_SUCCESS", "its name begins with an underscore"),
        ("2019/.yellow.csv.crc", "it is a checksum"),
        ("2019/yellow.csv.PART", "it is an unfinished transfer"),
        ("2019_$folder$", "it is a folder marker"),
        ("_temporary/0/task/part-00000.parquet", "its folder _temporary holds"),
    ],
)
def test_markers_and_temporary_objects_are_ignored_on_every_way(key: str, reason: str) -> None:
    key = f"raw/taxi/{key}"
    for body in (json.dumps({"Records": [record(key)]}), event_bridge(key=key)):
        found = parse_message(body)
        assert (found.versions, [uri for uri, _ in found.ignored]) == ((), [f"s3://lake/{key}"])
        assert found.ignored[0][1].startswith(f"the object is not a trip file: {reason}")
