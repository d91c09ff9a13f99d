"""Do real alarms see real executions?"""

import datetime as dt
import json

from tests.fixtures.local_account import eventually

FAILING = {"Stop": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}}
PASSING = {"Pass": {"Type": "Pass", "End": True}}


def total(workshop, metric, machine, statistic="Sum"):
    now = dt.datetime.now(dt.UTC)
    points = workshop.aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/States",
        MetricName=metric,
        Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
        StartTime=now - dt.timedelta(minutes=10),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=[statistic],
    )["Datapoints"]
    return sum(point[statistic] for point in points)


def alarm_on_failures(workshop, name, machine, topic):
    workshop.aws.client("cloudwatch").put_metric_alarm(
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


def test_executions_are_counted_by_final_status(workshop):
    failing = workshop.machine(FAILING, name="failing")
    passing = workshop.machine(PASSING, name="passing")
    for machine in (failing, failing, passing):
        workshop.outcome(workshop.start(machine))
    counted = {
        metric: (total(workshop, metric, failing), total(workshop, metric, passing))
        for metric in ("ExecutionsStarted", "ExecutionsFailed", "ExecutionsSucceeded")
    }
    assert counted == {
        "ExecutionsStarted": (2, 1),
        "ExecutionsFailed": (2, 0),
        "ExecutionsSucceeded": (0, 1),
    }
    assert 100 <= total(workshop, "ExecutionTime", passing, "Maximum") < 10_000


def test_a_failed_execution_raises_its_own_alarm_only(workshop):
    failing = workshop.machine(FAILING, name="failing")
    passing = workshop.machine(PASSING, name="passing")
    topic = workshop.aws.client("sns").create_topic(Name="alarms")["TopicArn"]
    url, arn = workshop.queue("told")
    workshop.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    alarm_on_failures(workshop, "failing", failing, topic)
    alarm_on_failures(workshop, "passing", passing, topic)
    workshop.outcome(workshop.start(failing))
    [message] = eventually(lambda: workshop.messages(url))
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["AlarmName"], told["NewStateValue"]) == ("failing", "ALARM")


def put(workshop, name, value, seconds_ago=0):
    workshop.aws.client("cloudwatch").put_metric_data(
        Namespace="Ours",
        MetricData=[
            {
                "MetricName": name,
                "Timestamp": dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds_ago),
                "Value": value,
            }
        ],
    )


def test_an_alarm_without_data_follows_treat_missing_data(workshop):
    cloudwatch = workshop.aws.client("cloudwatch")
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

    unheard = {"notBreaching": "OK", "breaching": "ALARM", "missing": "INSUFFICIENT_DATA"}
    eventually(states, lambda found: found == unheard | {"ignore": "INSUFFICIENT_DATA"})
    for name in unheard | {"ignore": ""}:
        # a point that is nearly a period old is soon out of sight
        put(workshop, name, 4 if name == "breaching" else 5, seconds_ago=56)
    seen = states()
    assert seen == {"notBreaching": "ALARM", "breaching": "OK", "missing": "ALARM", "ignore": "ALARM"}
    eventually(states, lambda found: found == unheard | {"ignore": "ALARM"})
