"""Does each alarm keep calm below its threshold, ring at it, and take a gap in its data as it should?

Every alarm as it is deployed, on data points written down by hand, in an account where nothing else happens.
`test_alarm_causes.py` lets them ring for real.
"""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from stacks.settings import LOCAL as SETTINGS
from tests.fixtures.deployed_app import App
from tests.fixtures.local_account import Aws, eventually

Alarm = dict[str, Any]
Values = list[float]
CALM, RINGING, UNKNOWN = "OK", "ALARM", "INSUFFICIENT_DATA"
SECONDS = 300
"""For how long a data point counts."""


@dataclass(frozen=True)
class Points:
    """What a metric says within five minutes: below the threshold, at it, and above it.

    More than one value tells a sum from a maximum. `at_is` is what the threshold itself means, `gap_is` what
    a ringing alarm becomes when no more data come, `unheard_is` what it is before any.
    """

    below: Values
    at: Values
    above: Values
    at_is: str = RINGING
    gap_is: str = CALM
    unheard_is: str = CALM


ONE_IN_ALL = Points(below=[0, 0], at=[0, 1, 0], above=[1, 1])
LEVEL_OF_ONE = Points(below=[0, 0], at=[0, 1, 0], above=[1, 1], gap_is=RINGING, unheard_is=UNKNOWN)
POINTS = {
    "ExecutionsFailed": ONE_IN_ALL,
    "ExecutionsTimedOut": ONE_IN_ALL,
    "ExecutionsAborted": ONE_IN_ALL,
    "ExecutionThrottled": ONE_IN_ALL,
    # milliseconds: an hour is what an execution may take
    "ExecutionTime": Points([3_599_999, 1], [3_600_000, 1], [3_600_001, 1], at_is=CALM),
    "JobFailures": ONE_IN_ALL,
    "FilesFailed": ONE_IN_ALL,
    # percent of an execution, of which there may be several
    "QuarantineShare": Points([9, 9], [10, 0], [11, 0]),
    # hours: 45 days
    "Silence": Points([1_079, 1_079], [1_080], [1_081], gap_is=RINGING, unheard_is=UNKNOWN),
    # seconds: half an hour
    "OldestEvent": Points([1_799, 1_799], [1_800, 0], [1_801, 0], gap_is=RINGING, unheard_is=UNKNOWN),
    "EventDeadLetters": LEVEL_OF_ONE,
    "CloseDeadLetters": LEVEL_OF_ONE,
    "OrchestratorErrors": ONE_IN_ALL,
    "ValidateErrors": ONE_IN_ALL,
    "CloseErrors": ONE_IN_ALL,
    "OrchestratorThrottles": ONE_IN_ALL,
    "ValidateThrottles": ONE_IN_ALL,
    "CloseThrottles": ONE_IN_ALL,
}


@dataclass(frozen=True)
class Bench:
    """An account with copies of the deployed alarms, by name, and a queue that hears what they tell."""

    aws: Aws
    alarms: Mapping[str, Alarm]
    inbox: str

    def measure(self, points: Mapping[str, Values], *, seconds_ago: float = 0, elsewhere: str = "") -> None:
        """Put data points as each alarm's metric; `elsewhere` is appended to the values of its dimensions."""
        when = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds_ago)
        for name, values in points.items():
            alarm = self.alarms[name]
            dimensions = [{**each, "Value": each["Value"] + elsewhere} for each in alarm["Dimensions"]]
            metric = {"MetricName": alarm["MetricName"], "Dimensions": dimensions, "Timestamp": when}
            self.aws.client("cloudwatch").put_metric_data(
                Namespace=alarm["Namespace"], MetricData=[{**metric, "Value": value} for value in values]
            )

    def states(self) -> dict[str, str]:
        """What each alarm is."""
        found = self.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return {short(alarm): alarm["StateValue"] for alarm in found}

    def told(self) -> list[Alarm]:
        """What the subscriber has heard since the last look."""
        sqs, found = self.aws.client("sqs"), []
        while arrived := sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for each in arrived:
                sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=each["ReceiptHandle"])
                found.append(json.loads(json.loads(each["Body"])["Message"]))
        return found


@pytest.fixture(scope="module")
def deployed(app: App) -> list[Alarm]:
    """The alarms of the deployed stack."""
    names = list(app.deployed.alarm_names)
    found = app.session.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    return list(found)


@pytest.fixture
def bench(aws: Aws, deployed: list[Alarm]) -> Iterator[Bench]:
    """The deployed alarms in an empty account, their topic and a subscriber."""
    (topic,) = {action for alarm in deployed for action in alarm["AlarmActions"]}
    made = aws.client("sns").create_topic(Name=topic.rpartition(":")[2])["TopicArn"]
    assert made == topic
    inbox = aws.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    got = aws.client("sqs").get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=got["Attributes"]["QueueArn"])
    cloudwatch = aws.client("cloudwatch")
    taken = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    for alarm in deployed:
        cloudwatch.put_metric_alarm(**{key: value for key, value in alarm.items() if key in taken})
    yield Bench(aws, {short(alarm): alarm for alarm in deployed}, inbox)


def short(alarm: Alarm) -> str:
    """An alarm's name without what all of them share."""
    return str(alarm["AlarmName"]).removeprefix("etl-pipeline-").removesuffix(f"-{SETTINGS.environment}")


def each(pick: Callable[[Points], Any]) -> dict[str, Any]:
    """Something of the points of every alarm, by its name."""
    return {name: pick(points) for name, points in POINTS.items()}


def test_every_deployed_alarm_has_data_points_in_this_module(deployed: list[Alarm]) -> None:
    assert {short(alarm) for alarm in deployed} == set(POINTS)
    for alarm in deployed:
        # an expression over several metrics would need more than these tests put
        assert "Metrics" not in alarm
        assert alarm["Period"] * alarm["EvaluationPeriods"] == SECONDS
        assert alarm["Dimensions"], "it would count what is not ours"


def test_an_alarm_without_data_does_not_fire(bench: Bench) -> None:
    unheard = each(lambda points: points.unheard_is)

    eventually(bench.states, lambda found: found == unheard)
    assert bench.told() == []


def test_an_alarm_below_its_threshold_is_ok_regardless_of_other_dimensions(bench: Bench) -> None:
    bench.measure(each(lambda points: points.below))
    bench.measure(each(lambda points: points.above), elsewhere="-of-others")

    assert bench.states() == dict.fromkeys(POINTS, CALM)
    assert bench.told() == []


def test_an_alarm_fires_at_its_threshold_unless_it_must_be_exceeded(bench: Bench) -> None:
    bench.measure(each(lambda points: points.at))

    assert bench.states() == each(lambda points: points.at_is)


def test_an_alarm_above_its_threshold_notifies_once_with_the_next_step(bench: Bench) -> None:
    bench.measure(each(lambda points: points.above))
    bench.measure(each(lambda points: points.above))

    assert bench.states() == dict.fromkeys(POINTS, RINGING)
    told = bench.told()
    assert sorted(short(message) for message in told) == sorted(POINTS)
    for message in told:
        assert message["NewStateValue"] == RINGING
        assert f" What to do: {SETTINGS.runbook_url}#" in message["AlarmDescription"]


def test_missing_data_reset_alarms_on_counts_and_keep_alarms_on_levels(bench: Bench) -> None:
    begun = time.monotonic()
    bench.measure(each(lambda points: points.above), seconds_ago=SECONDS - 5)
    assert bench.states() == dict.fromkeys(POINTS, RINGING)
    assert time.monotonic() - begun < 5, "too slow to tell"

    after = each(lambda points: points.gap_is)
    eventually(bench.states, lambda found: found == after)


def test_missing_data_keep_an_ok_alarm_ok(bench: Bench) -> None:
    bench.measure(each(lambda points: points.below), seconds_ago=SECONDS - 2)
    assert bench.states() == dict.fromkeys(POINTS, CALM)

    time.sleep(5)  # out of sight, and looked at again
    assert bench.states() == dict.fromkeys(POINTS, CALM)
    assert bench.told() == []
