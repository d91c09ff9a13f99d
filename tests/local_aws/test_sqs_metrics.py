"""Tests of queue metrics and of alarms on them."""

import datetime as dt
import json

from tests.fixtures.local_account import eventually


def test_a_dead_letter_queue_raises_its_alarm(factory):
    topic = factory.aws.client("sns").create_topic(Name="alarms")["TopicArn"]
    inbox, inbox_arn = factory.queue("inbox")
    factory.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox_arn)
    letters, _ = factory.queue("letters")
    factory.aws.client("cloudwatch").put_metric_alarm(
        AlarmName="letters",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "letters"}],
        Statistic="Maximum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[topic],
    )
    factory.aws.client("sqs").send_message(QueueUrl=letters, MessageBody="given up")
    # the emulator's first evaluation may notify of OK before
    message = eventually(
        lambda: [json.loads(json.loads(m["Body"])["Message"]) for m in factory.messages(inbox)],
        lambda found: any(entry["NewStateValue"] == "ALARM" for entry in found),
    )
    assert {entry["AlarmName"] for entry in message} == {"letters"}


def test_the_age_of_the_oldest_message_includes_messages_in_flight(factory):
    url, _ = factory.queue("waiting")
    factory.queue("empty")
    sqs = factory.aws.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="first")
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)

    assert eventually(lambda: highest(factory, "waiting"), lambda age: age is not None and age > 1) < 30
    assert highest(factory, "empty") == 0


def highest(factory, queue):
    now = dt.datetime.now(dt.UTC)
    points = factory.aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=now - dt.timedelta(minutes=10),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max((point["Maximum"] for point in points), default=None)
