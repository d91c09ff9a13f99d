"""Does Lambda do for a function only what the function's role allows?"""

import json

import pytest

from tests.fixtures.local_account import eventually

LOG = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/reader:*"


@pytest.fixture
def queue(workshop):
    """The URL and ARN of a queue whose events a function `reader` gets; it fails on those that say so."""
    url, arn = workshop.queue("events", VisibilityTimeout="30")
    workshop.function(
        "reader",
        "def handler(event, context):\n    print('read')\n    if event.get('fail'): raise ValueError('no')",
    )
    workshop.aws.client("lambda").create_event_source_mapping(FunctionName="reader", EventSourceArn=arn)
    return url, arn


def asked(workshop, action):
    """Whether an action was asked for, and allowed each time; None if it never was."""
    answers = {call["allowed"] for call in workshop.aws.calls() if call["action"] == action}
    return all(answers) if answers else None


def waiting(workshop, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = workshop.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return [int(found[name]) for name in names]


def test_without_sqs_receive_message_no_event_arrives(workshop, queue):
    url, arn = queue
    workshop.allow(("sqs:DeleteMessage", arn))
    workshop.aws.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    eventually(lambda: asked(workshop, "sqs:ReceiveMessage") is False)
    assert waiting(workshop, url) == [1, 0]


def test_without_sqs_delete_message_a_message_stays_in_the_queue(workshop, queue):
    url, arn = queue
    workshop.allow(("sqs:ReceiveMessage", arn))
    workshop.aws.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    eventually(lambda: asked(workshop, "sqs:DeleteMessage") is False)
    assert waiting(workshop, url) == [0, 1]


def test_with_both_permissions_a_message_is_processed_and_deleted(workshop, queue):
    url, arn = queue
    workshop.allow(("sqs:ReceiveMessage", arn), ("sqs:DeleteMessage", arn))
    workshop.aws.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    eventually(lambda: asked(workshop, "sqs:DeleteMessage"))
    assert eventually(lambda: waiting(workshop, url), lambda found: found == [0, 0])


@pytest.mark.parametrize(
    ("rights", "groups"),
    [
        ([], []),
        (["logs:CreateLogStream"], []),
        (["logs:CreateLogStream", "logs:PutLogEvents"], ["/aws/lambda/reader"]),
    ],
)
def test_a_log_needs_both_permissions(workshop, queue, rights, groups):
    workshop.allow(*((right, LOG) for right in rights), ("sqs:ReceiveMessage", queue[1]))
    workshop.aws.client("lambda").invoke(FunctionName="reader", Payload=b"{}")
    found = workshop.aws.client("logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in found] == groups


@pytest.mark.parametrize("may_send", [False, True])
def test_a_failure_destination_needs_sqs_send_message(workshop, queue, may_send):
    url, arn = workshop.queue("given-up")
    workshop.aws.client("lambda").put_function_event_invoke_config(
        FunctionName="reader",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    workshop.allow(("sqs:SendMessage" if may_send else "sqs:SendMessages", arn))
    workshop.aws.client("lambda").invoke(
        FunctionName="reader", InvocationType="Event", Payload=json.dumps({"fail": True})
    )
    eventually(lambda: asked(workshop, "sqs:SendMessage") is may_send, seconds=40)
    assert waiting(workshop, url) == [int(may_send), 0]
