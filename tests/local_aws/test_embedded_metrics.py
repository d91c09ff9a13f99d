"""Do metrics that a function prints reach CloudWatch, under their dimensions?"""

import datetime as dt
import json

PRINTING = """
import json
def handler(event, context):
    print("an ordinary line")
    print(json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "TaxiEtl",
        "Dimensions": [["service"], ["service", "dataset"]],
        "Metrics": [{"Name": "FilesFailed", "Unit": "Count"}, {"Name": "Absent"}]}]},
        "service": "closer", "dataset": "green", "FilesFailed": [2.0, 1.0]}))
"""


def total(workshop, **dimensions):
    now = dt.datetime.now(dt.UTC)
    points = workshop.aws.client("cloudwatch").get_metric_statistics(
        Namespace="TaxiEtl",
        MetricName="FilesFailed",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - dt.timedelta(minutes=10),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


def test_a_printed_metric_counts_in_each_of_its_dimension_sets(workshop):
    workshop.function("printing", PRINTING)
    workshop.aws.client("lambda").invoke(FunctionName="printing", Payload=json.dumps({}))
    assert total(workshop, service="closer") == 3
    assert total(workshop, service="closer", dataset="green") == 3
    assert total(workshop, dataset="green") == 0
