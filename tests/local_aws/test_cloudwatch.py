"""Tests of Step Functions metrics and of the evaluation of alarms."""

import datetime as dt
import json

from tests.fixtures.local_account import eventually

FAILING = {"Stop": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}}
PASSING = {"Pass": {"Type": "Pass", "End": True}}


def total(factory, metric, machine, statistic="Sum"):
    now = dt.datetime.now(dt.UTC)
    points = factory.aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/States",
        MetricName=metric,
        Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
        StartTime=now - dt.timedelta(minutes=10),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=[statistic],
    )["Datapoints"]
    return sum(point[statistic] for point in points)


def alarm_on_failures(factory, name, machine, topic):
    factory.aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[topic],
    )


def test_executions_are_counted_by_final_status(factory):
    failing = factory.machine(FAILING, name="failing")
    passing = factory.machine(PASSING, name="passing")
    for machine in (failing, failing, passing):
        factory.outcome(factory.start(machine))
    counted = {
        metric: (total(factory, metric, failing), total(factory, metric, passing))
        for metric in ("ExecutionsStarted", "ExecutionsFailed", "ExecutionsSucceeded")
    }
    assert counted == {
        "ExecutionsStarted": (2, 1),
        "ExecutionsFailed": (2, 0),
        "ExecutionsSucceeded": (0, 1),
    }
    assert 100 <= total(factory, "ExecutionTime", passing, "Maximum") < 10_000


def test_a_failed_execution_raises_its_own_alarm_only(factory):
    failing = factory.machine(FAILING, name="failing")
    passing = factory.machine(PASSING, name="passing")
    topic = factory.aws.client("sns").create_topic(Name="alarms")["TopicArn"]
    url, arn = factory.queue("notifications")
    factory.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    alarm_on_failures(factory, "failing", failing, topic)
    alarm_on_failures(factory, "passing", passing, topic)
    factory.outcome(factory.start(failing))
    [message] = eventually(lambda: factory.messages(url))
    notification = json.loads(json.loads(message["Body"])["Message"])
    assert (notification["AlarmName"], notification["NewStateValue"]) == ("failing", "ALARM")


def put(factory, name, value, seconds_ago=0):
    factory.aws.client("cloudwatch").put_metric_data(
        Namespace="Ours",
        MetricData=[
            {
                "MetricName": name,
                "Timestamp": dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds_ago),
                "Value": value,
            }
        ],
    )


def test_an_alarm_without_data_follows_treat_missing_data(factory):
    cloudwatch = factory.aws.client("cloudwatch")
    for missing in ("notBreaching", "breaching", "missing", "ignore"):
        cloudwatch.put_metric_alarm(
            AlarmName=missing,
            Namespace="Ours",
            MetricName=missing,
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=5,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData=missing,
        )

    def states():
        return {
            alarm["AlarmName"]: alarm["StateValue"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]
        }

    without_data = {"notBreaching": "OK", "breaching": "ALARM", "missing": "INSUFFICIENT_DATA"}
    eventually(states, lambda found: found == without_data | {"ignore": "INSUFFICIENT_DATA"})
    for name in without_data | {"ignore": ""}:
        # a data point almost one period old soon leaves the period
        put(factory, name, 4 if name == "breaching" else 5, seconds_ago=56)
    with_data = states()
    assert with_data == {"notBreaching": "ALARM", "breaching": "OK", "missing": "ALARM", "ignore": "ALARM"}
    eventually(states, lambda found: found == without_data | {"ignore": "ALARM"})
