"""Tests of Lambda's own metrics and of metrics that a function prints."""

import datetime as dt
import json

PRINTING = """
import json
def handler(event, context):
    print("an ordinary line")
    print(json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "TaxiEtl",
        "Dimensions": [["service"], ["service", "dataset"]],
        "Metrics": [{"Name": "FilesFailed", "Unit": "Count"}, {"Name": "Absent"}]}]},
        "service": "finalizer", "dataset": "green", "FilesFailed": [2.0, 1.0]}))
"""


def total(factory, metric="FilesFailed", namespace="TaxiEtl", **dimensions):
    now = dt.datetime.now(dt.UTC)
    points = factory.aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - dt.timedelta(minutes=10),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


def test_a_printed_metric_counts_in_each_of_its_dimension_sets(factory):
    factory.function("printing", PRINTING)
    factory.aws.client("lambda").invoke(FunctionName="printing", Payload=json.dumps({}))
    assert total(factory, service="finalizer") == 3
    assert total(factory, service="finalizer", dataset="green") == 3
    assert total(factory, dataset="green") == 0


def test_every_invocation_is_counted_once_from_any_source(factory):
    function = factory.function("failing", "def handler(event, context): raise ValueError('no')")
    factory.aws.client("lambda").invoke(FunctionName="failing")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function},
        "End": True,
    }
    factory.run({"Ask": task})
    counted = [
        total(factory, metric, "AWS/Lambda", FunctionName="failing") for metric in ("Invocations", "Errors")
    ]
    assert counted == [2, 2]
