"""Does an alarm on a dead-letter queue ring?"""

import datetime as dt
import json

from tests.fixtures.local_account import eventually


def test_a_dead_letter_queue_raises_its_alarm(workshop):
    topic = workshop.aws.client("sns").create_topic(Name="alarms")["TopicArn"]
    told, told_arn = workshop.queue("told")
    workshop.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=told_arn)
    letters, _ = workshop.queue("letters")
    workshop.aws.client("cloudwatch").put_metric_alarm(
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
    workshop.aws.client("sqs").send_message(QueueUrl=letters, MessageBody="given up")
    # the emulator's first evaluation may tell that it was fine before
    message = eventually(
        lambda: [json.loads(json.loads(m["Body"])["Message"]) for m in workshop.messages(told)],
        lambda found: any(entry["NewStateValue"] == "ALARM" for entry in found),
    )
    assert {entry["AlarmName"] for entry in message} == {"letters"}


def test_the_age_of_the_oldest_message_includes_messages_in_flight(workshop):
    url, _ = workshop.queue("waiting")
    workshop.queue("empty")
    sqs = workshop.aws.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="first")
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)

    assert eventually(lambda: highest(workshop, "waiting"), lambda age: age is not None and age > 1) < 30
    assert highest(workshop, "empty") == 0


def highest(workshop, queue):
    now = dt.datetime.now(dt.UTC)
    points = workshop.aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=now - dt.timedelta(minutes=10),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max((point["Maximum"] for point in points), default=None)
