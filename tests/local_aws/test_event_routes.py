"""Tests that files of a bucket reach the event queue through EventBridge and through a topic."""

import json
from types import SimpleNamespace

import pytest

from ops import bucket_notifications
from ops.errors import CliError
from ops.session import Session, Target
from taxi_etl.events import parse_message
from tests.fixtures.local_account import eventually

KEY = "raw/taxi/2019/yellow trips+1 é.csv"
UNRELATED = ("raw/bus/x.csv", "images/x.png")


@pytest.fixture
def connected(factory):
    """The versioned bucket `old`, a queue that its events may reach, and the topic `uploads`."""
    s3, sqs, sns = (factory.aws.client(service) for service in ("s3", "sqs", "sns"))
    s3.create_bucket(Bucket="old")
    s3.put_bucket_versioning(Bucket="old", VersioningConfiguration={"Status": "Enabled"})
    url, queue = factory.queue("events")
    topic = sns.create_topic(Name="uploads")["TopicArn"]
    rules = queue.replace(":sqs:", ":events:").rpartition(":")[0] + ":rule/taxi-etl-local-*"
    sources = {"ArnEquals": ["arn:aws:s3:::old", topic], "ArnLike": [rules]}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "sqs:SendMessage",
                "Resource": queue,
                "Condition": {operator: {"aws:SourceArn": arns}},
            }
            for operator, arns in sources.items()
        ],
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    session = Session(Target("local", endpoint_url=factory.aws.account.endpoint_url))
    deployment = SimpleNamespace(bucket_name="lake", queue_url=url, readable_key_arns=())
    return SimpleNamespace(
        factory=factory, session=session, deployment=deployment, url=url, queue=queue, topic=topic, s3=s3
    )


def upload(connected):
    """Upload a trip file and objects outside the raw zone; keep the version ID of the trip file."""
    for key in UNRELATED:
        connected.s3.put_object(Bucket="old", Key=key, Body=b"x")
    connected.version_id = connected.s3.put_object(Bucket="old", Key=KEY, Body=b"trips")["VersionId"]


def announced(connected):
    """Wait for messages of new files in the queue, and return the versions that they announce."""
    found = []

    def receive():
        for message in connected.factory.messages(connected.url):
            versions = parse_message(message["Body"]).versions
            found.extend((version.key, version.version_id, version.size) for version in versions)
        return found

    return eventually(receive, lambda keys: KEY in [key for key, *_ in keys])


def notify_topic(connected):
    """Let the bucket notify the topic of every new object."""
    connected.s3.put_bucket_notification_configuration(
        Bucket="old",
        NotificationConfiguration={
            "TopicConfigurations": [{"TopicArn": connected.topic, "Events": ["s3:ObjectCreated:*"]}]
        },
    )


def test_a_rule_brings_the_files_and_repeating_it_changes_nothing(connected):
    notify_topic(connected)
    where = (connected.session, connected.deployment, "old")
    added, is_new = bucket_notifications.add_through_event_bridge(*where, "raw/taxi/")
    assert is_new
    upload(connected)
    assert announced(connected) == [(KEY, connected.version_id, 5)]
    assert bucket_notifications.add_through_event_bridge(*where, "raw/taxi/") == (added, False)
    ours, others = bucket_notifications.show(*where)
    assert (ours, [each.destination for each in others]) == ([added], [connected.topic])
    assert bucket_notifications.remove(*where, None) == [added]
    assert bucket_notifications.show(*where)[0] == []


@pytest.mark.parametrize("raw", [True, False])
def test_a_topic_brings_the_files_with_and_without_raw_delivery(connected, raw):
    notify_topic(connected)
    where = (connected.session, connected.deployment, "old")
    added, is_new = bucket_notifications.add_through_topic(*where, "uploads")
    assert (is_new, added.through) == (True, connected.topic)
    sns = connected.factory.aws.client("sns")
    sns.set_subscription_attributes(
        SubscriptionArn=added.name, AttributeName="RawMessageDelivery", AttributeValue=str(raw).lower()
    )
    upload(connected)
    assert announced(connected) == [(KEY, connected.version_id, 5)]
    assert bucket_notifications.add_through_topic(*where, connected.topic) == (added, False)
    assert bucket_notifications.show(*where)[0] == [added]
    assert bucket_notifications.remove(*where, None) == [added]
    assert bucket_notifications.show(*where)[0] == []


def test_a_topic_that_the_bucket_does_not_notify_is_refused(connected):
    with pytest.raises(CliError, match=r"does not notify topic .*:uploads of new objects under raw/taxi/"):
        bucket_notifications.add_through_topic(connected.session, connected.deployment, "old", "uploads")
