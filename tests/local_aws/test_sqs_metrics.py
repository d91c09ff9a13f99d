"""Does an alarm on a dead-letter queue ring?"""

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
