"""Tests of the metric TriggeredRules."""

import json

from tests.fixtures.local_account import eventually


def test_a_rule_without_a_target_raises_its_alarm_and_no_other_rule_does(factory):
    events, cloudwatch = factory.aws.client("events"), factory.aws.client("cloudwatch")
    for name, state in (("failed", "FAILED"), ("fine", "SUCCEEDED")):
        pattern = {"source": ["ours"], "detail": {"state": [state]}}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/Events",
            MetricName="TriggeredRules",
            Dimensions=[{"Name": "RuleName", "Value": name}],
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=2,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
        )

    def states():
        return {
            alarm["AlarmName"]: alarm["StateValue"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]
        }

    event = {"Source": "ours", "DetailType": "end", "Detail": json.dumps({"state": "FAILED"})}
    events.put_events(Entries=[event])
    eventually(states, lambda found: found == {"failed": "OK", "fine": "OK"})
    events.put_events(Entries=[event])
    assert states() == {"failed": "ALARM", "fine": "OK"}
