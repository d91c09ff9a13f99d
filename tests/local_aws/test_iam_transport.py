"""Can policies that demand TLS be enforced here?"""

import json


def test_a_queue_that_denies_unencrypted_calls_can_be_used(workshop):
    url, arn = workshop.queue("queue")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    sqs = workshop.aws.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    workshop.aws.settings(enforce_roles=True)
    sqs.send_message(QueueUrl=url, MessageBody="welcome")
    assert [message["Body"] for message in workshop.messages(url)] == ["welcome"]
