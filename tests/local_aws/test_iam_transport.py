"""Tests that policies that require TLS allow loopback requests."""

import json


def test_a_queue_that_denies_unencrypted_calls_can_be_used(factory):
    url, arn = factory.queue("queue")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    sqs = factory.aws.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    factory.aws.settings(enforce_roles=True)
    sqs.send_message(QueueUrl=url, MessageBody="welcome")
    assert [message["Body"] for message in factory.messages(url)] == ["welcome"]
