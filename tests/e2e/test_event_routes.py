"""Test that files of existing buckets start executions through EventBridge and through topics.

The buckets and the queue have the policies that the buckets' owner and the stack would give them. The files
are invalid, so that each execution ends without a job run.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from taxi_etl.identity import FileVersion
from tests.e2e.conftest import App, check_nothing_pending

ROUTES = {"bridged-uploads": "", "raw-uploads": "true", "wrapped-uploads": "false"}
"""Buckets, which notify a topic of their name; the value is its raw delivery, empty for EventBridge."""
KEY = "raw/taxi/2021/green trips+1 é_2021-04.csv.gz"


@pytest.fixture
def connectable(app: App) -> Iterator[None]:
    """Create the buckets and topics, and let the queue accept their events."""
    s3, sns, sqs = (app.session.client(name) for name in ("s3", "sns", "sqs"))
    functions = app.session.client("lambda")
    validator = functions.get_function_configuration(FunctionName=app.deployed.validate_function_name)
    url = app.deployed.queue_url
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "QueueArn"])["Attributes"]
    senders = [found["QueueArn"].replace(":sqs:", ":events:").rpartition(":")[0] + ":rule/taxi-etl-local-*"]
    for bucket in ROUTES:
        arn, topic = f"arn:aws:s3:::{bucket}", sns.create_topic(Name=bucket)["TopicArn"]
        senders += [arn, topic]
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        read = {
            "Principal": {"AWS": validator["Role"]},
            "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"],
            "Resource": [arn, f"{arn}/*"],
        }
        s3.put_bucket_policy(Bucket=bucket, Policy=_policy(read))
        events = {"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [events]}
        )
    send = {
        "Principal": "*",
        "Action": "sqs:SendMessage",
        "Resource": found["QueueArn"],
        "Condition": {"ArnLike": {"aws:SourceArn": senders}},
    }
    policy = _policy(send, *json.loads(found["Policy"])["Statement"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": found["Policy"]})


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    )


@pytest.mark.usefixtures("connectable")
def test_a_file_starts_one_execution_through_each_route(app: App) -> None:
    s3, sns = app.session.client("s3"), app.session.client("sns")
    before, dead = app.executions(), app.pending()["events, dead letters"]
    sent = []
    for bucket, raw in ROUTES.items():
        route = ["--topic", bucket] if raw else ["--event-bridge"]
        code, added = app.command("trigger", "add", "--bucket", bucket, *route)
        assert (code, added["added"]) == (0, True)
        if raw:
            sns.set_subscription_attributes(
                SubscriptionArn=added["trigger"]["id"],
                AttributeName="RawMessageDelivery",
                AttributeValue=raw,
            )
        for key in ("raw/bus/x.csv", f"{KEY}.part", KEY):
            version_id = s3.put_object(Bucket=bucket, Key=key, Body=b"not gzip")["VersionId"]
        sent.append(FileVersion(bucket, KEY, version_id))

    outcomes = app.follow(sent)

    assert [outcome.status for outcome in outcomes] == ["rejected"] * 3
    assert {reason.split(":")[0] for outcome in outcomes for reason in outcome.reasons} == {"not_gzip"}
    assert {outcome.version.size for outcome in outcomes} == {8}
    assert app.executions() - before == {outcome.execution for outcome in outcomes}
    for bucket in ROUTES:
        code, document = app.command("trigger", "remove", "--bucket", bucket)
        assert (code, len(document["removed"])) == (0, 1)
    check_nothing_pending(app)
    assert app.pending()["events, dead letters"] == dead
