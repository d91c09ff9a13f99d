"""Tests of batch size, batching window and payload limit of event source mappings."""

import json
import time

from tests.fixtures.local_account import eventually

RECORDING = """
import boto3, json, time
def handler(event, context):
    boto3.client("s3").put_object(Bucket="calls", Key=f"{time.time()}.json",
        Body=json.dumps([record["body"] for record in event["Records"]]))
    return {"batchItemFailures": []}
"""


def calls(factory):
    """Return the bodies of every invocation so far, in order."""
    s3 = factory.aws.client("s3")
    listed = s3.list_objects_v2(Bucket="calls").get("Contents", [])
    keys = sorted(entry["Key"] for entry in listed)
    return [json.load(s3.get_object(Bucket="calls", Key=key)["Body"]) for key in keys]


def map_queue(factory, batch_size, window):
    """Create a queue that feeds a function that records its invocations, and return its URL."""
    factory.aws.client("s3").create_bucket(Bucket="calls")
    factory.function("recorder", RECORDING)
    url, arn = factory.queue("events", VisibilityTimeout="120")
    factory.aws.client("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName="recorder",
        BatchSize=batch_size,
        MaximumBatchingWindowInSeconds=window,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    return url


def send(factory, url, bodies):
    sqs = factory.aws.client("sqs")
    for start in range(0, len(bodies), 10):
        entries = [
            {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[start : start + 10])
        ]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def test_messages_within_the_window_arrive_in_one_batch_larger_than_ten(factory):
    url = map_queue(factory, batch_size=100, window=3)
    begun = time.monotonic()
    send(factory, url, [f"message {number}" for number in range(25)])
    [batch] = eventually(lambda: calls(factory))
    assert len(batch) == 25
    assert time.monotonic() - begun >= 3


def test_a_full_batch_does_not_wait_for_the_window(factory):
    url = map_queue(factory, batch_size=20, window=60)
    send(factory, url, [f"message {number}" for number in range(20)])
    [batch] = eventually(lambda: calls(factory), seconds=10)
    assert len(batch) == 20


def test_a_batch_ends_where_the_payload_reaches_six_megabytes(factory):
    url = map_queue(factory, batch_size=1000, window=2)
    # 26 messages of 250,000 bytes are more than 6 MiB (6,291,456), 25 with their records' overhead are not
    for _ in range(26):
        factory.aws.client("sqs").send_message(QueueUrl=url, MessageBody="x" * 250_000)
    first, second = eventually(lambda: calls(factory), lambda found: len(found) == 2)
    assert sorted((len(first), len(second))) == [1, 25]
