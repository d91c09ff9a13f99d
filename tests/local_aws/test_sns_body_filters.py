"""Tests of filter policies for objects in an array of a message's body."""

import json

from tests.fixtures.local_account import eventually


def record(name, bucket):
    return {"eventName": name, "s3": {"bucket": {"name": bucket}}}


def test_a_policy_applies_to_the_objects_of_an_array(factory):
    sns = factory.aws.client("sns")
    topic = sns.create_topic(Name="filtered")["TopicArn"]
    url, arn = factory.queue("filtered")
    policy = {"Records": {"eventName": [{"prefix": "ObjectCreated:"}], "s3": {"bucket": {"name": ["lake"]}}}}
    attributes = {
        "RawMessageDelivery": "true",
        "FilterPolicyScope": "MessageBody",
        "FilterPolicy": json.dumps(policy),
    }
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    bodies = [
        {"Records": [record("ObjectRemoved:Delete", "lake")]},
        {"Records": [record("ObjectCreated:Put", "other")]},
        {"Records": []},
        {"Event": "s3:TestEvent"},
        {"Records": [record("ObjectCreated:Put", "lake")]},
    ]
    for body in bodies:
        sns.publish(TopicArn=topic, Message=json.dumps(body))
    assert eventually(lambda: [json.loads(each["Body"]) for each in factory.messages(url)]) == bodies[-1:]
