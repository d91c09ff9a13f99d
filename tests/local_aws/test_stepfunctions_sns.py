"""Tests of messages that a state machine publishes."""

import json


def publishing(topic, **more):
    return {
        "Publish": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Arguments": {
                "TopicArn": topic,
                "Subject": "Outcome",
                "Message": {"status": "FAILED"},
                "MessageAttributes": {
                    "status": {"DataType": "String", "StringValue": "FAILED"},
                    "dataset": {"DataType": "String.Array", "StringValue": '["yellow", "green"]'},
                },
                **more,
            },
            "End": True,
        }
    }


def subscribed(factory, topic, name, policy):
    url, arn = factory.queue(name)
    factory.aws.client("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps(policy)},
    )
    return url


def test_message_attributes_filter_the_subscribers(factory):
    topic = factory.aws.client("sns").create_topic(Name="news")["TopicArn"]
    failures = subscribed(factory, topic, "failures", {"status": ["FAILED"], "dataset": ["green"]})
    successes = subscribed(factory, topic, "successes", {"status": ["SUCCESS"]})
    outcome = factory.run(publishing(topic))
    assert set(json.loads(outcome["output"])) == {"MessageId"}
    [message] = factory.messages(failures)
    envelope = json.loads(message["Body"])
    assert envelope["MessageAttributes"]["status"] == {"Type": "String", "Value": "FAILED"}
    assert (envelope["Subject"], json.loads(envelope["Message"])) == ("Outcome", {"status": "FAILED"})
    assert factory.messages(successes) == []


def test_a_missing_topic_has_its_own_error(factory):
    missing = "arn:aws:sns:us-east-1:000000000000:missing"
    assert factory.run(publishing(missing))["error"] == "SNS.NotFoundException"


def test_a_message_above_256_kib_has_its_own_error(factory):
    topic = factory.aws.client("sns").create_topic(Name="news")["TopicArn"]
    states = publishing(topic, Message="{% $pad('', 262143, 'x') %}")
    assert factory.run(states)["error"] == "SNS.InvalidParameterException"
