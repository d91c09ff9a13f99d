"""Tests that queues, logs and failure destinations need the function's permissions."""

import json

import pytest

from tests.fixtures.local_account import eventually

LOG = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/reader:*"


@pytest.fixture
def queue(factory):
    """The URL and ARN of a queue that feeds the function `reader`, which fails on events with `fail`."""
    url, arn = factory.queue("events", VisibilityTimeout="30")
    factory.function(
        "reader",
        "def handler(event, context):\n    print('read')\n    if event.get('fail'): raise ValueError('no')",
    )
    factory.aws.client("lambda").create_event_source_mapping(FunctionName="reader", EventSourceArn=arn)
    return url, arn


def decision(factory, action):
    """Return whether all calls of an action were allowed, None without such calls."""
    answers = {call["allowed"] for call in factory.aws.calls() if call["action"] == action}
    return all(answers) if answers else None


def message_counts(factory, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = factory.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return [int(found[name]) for name in names]


def test_without_sqs_receive_message_no_event_arrives(factory, queue):
    url, arn = queue
    factory.allow(("sqs:DeleteMessage", arn))
    factory.aws.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    eventually(lambda: decision(factory, "sqs:ReceiveMessage") is False)
    assert message_counts(factory, url) == [1, 0]


def test_without_sqs_delete_message_a_message_stays_in_the_queue(factory, queue):
    url, arn = queue
    factory.allow(("sqs:ReceiveMessage", arn))
    factory.aws.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    eventually(lambda: decision(factory, "sqs:DeleteMessage") is False)
    assert message_counts(factory, url) == [0, 1]


def test_with_both_permissions_a_message_is_processed_and_deleted(factory, queue):
    url, arn = queue
    factory.allow(("sqs:ReceiveMessage", arn), ("sqs:DeleteMessage", arn))
    factory.aws.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    eventually(lambda: decision(factory, "sqs:DeleteMessage"))
    assert eventually(lambda: message_counts(factory, url), lambda found: found == [0, 0])


@pytest.mark.parametrize(
    ("permissions", "groups"),
    [
        ([], []),
        (["logs:CreateLogStream"], []),
        (["logs:CreateLogStream", "logs:PutLogEvents"], ["/aws/lambda/reader"]),
    ],
)
def test_a_log_needs_both_permissions(factory, queue, permissions, groups):
    factory.allow(*((permission, LOG) for permission in permissions), ("sqs:ReceiveMessage", queue[1]))
    factory.aws.client("lambda").invoke(FunctionName="reader", Payload=b"{}")
    found = factory.aws.client("logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in found] == groups


@pytest.mark.parametrize("may_send", [False, True])
def test_a_failure_destination_needs_sqs_send_message(factory, queue, may_send):
    url, arn = factory.queue("given-up")
    factory.aws.client("lambda").put_function_event_invoke_config(
        FunctionName="reader",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    factory.allow(("sqs:SendMessage" if may_send else "sqs:SendMessages", arn))
    factory.aws.client("lambda").invoke(
        FunctionName="reader", InvocationType="Event", Payload=json.dumps({"fail": True})
    )
    eventually(lambda: decision(factory, "sqs:SendMessage") is may_send, seconds=40)
    assert message_counts(factory, url) == [int(may_send), 0]
