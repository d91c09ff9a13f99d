"""Tests of every alarm at its threshold and without data.

The alarms are copies of the deployed ones in an account without other activity, with hand-written data
points. `test_alarm_causes.py` tests them with real causes.
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
OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
SECONDS = 300
"""The alarms' period: how long a data point counts."""


@dataclass(frozen=True)
class Points:
    """A metric's values within one period: below, at and above the threshold.

    Several values distinguish a sum from a maximum. `state_at` is the state at the threshold, `state_after`
    that of a firing alarm whose data stop, `state_before` that before any data.
    """

    below: Values
    at: Values
    above: Values
    state_at: str = ALARM
    state_after: str = OK
    state_before: str = OK


ONE_IN_ALL = Points(below=[0, 0], at=[0, 1, 0], above=[1, 1])
LEVEL_OF_ONE = Points(
    below=[0, 0], at=[0, 1, 0], above=[1, 1], state_after=ALARM, state_before=INSUFFICIENT_DATA
)
POINTS = {
    "ExecutionsFailed": ONE_IN_ALL,
    "ExecutionsTimedOut": ONE_IN_ALL,
    "ExecutionsAborted": ONE_IN_ALL,
    "ExecutionThrottled": ONE_IN_ALL,
    # milliseconds: an hour
    "ExecutionTime": Points([3_599_999, 1], [3_600_000, 1], [3_600_001, 1], state_at=OK),
    "JobFailures": ONE_IN_ALL,
    "FilesFailed": ONE_IN_ALL,
    # percent of one execution's rows; a period may have several executions
    "QuarantineShare": Points([9, 9], [10, 0], [11, 0]),
    "UnusualMonths": ONE_IN_ALL,
    # hours: 45 days
    "Silence": Points([1_079, 1_079], [1_080], [1_081], state_after=ALARM, state_before=INSUFFICIENT_DATA),
    # seconds: half an hour
    "OldestEvent": Points(
        [1_799, 1_799], [1_800, 0], [1_801, 0], state_after=ALARM, state_before=INSUFFICIENT_DATA
    ),
    "EventDeadLetters": LEVEL_OF_ONE,
    "CloseDeadLetters": LEVEL_OF_ONE,
    "OrchestratorErrors": ONE_IN_ALL,
    "ValidateErrors": ONE_IN_ALL,
    "CloseErrors": ONE_IN_ALL,
    "SmallBatchErrors": ONE_IN_ALL,
    "OrchestratorThrottles": ONE_IN_ALL,
    "ValidateThrottles": ONE_IN_ALL,
    "CloseThrottles": ONE_IN_ALL,
}


@dataclass(frozen=True)
class AlarmAccount:
    """An account with copies of the deployed alarms, by name, and a queue that gets their messages."""

    aws: Aws
    alarms: Mapping[str, Alarm]
    inbox: str

    def measure(
        self, points: Mapping[str, Values], *, seconds_ago: float = 0, dimension_suffix: str = ""
    ) -> None:
        """Put data points of each alarm's metric. `dimension_suffix` changes the values of its dimensions."""
        when = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds_ago)
        for name, values in points.items():
            alarm = self.alarms[name]
            dimensions = [{**each, "Value": each["Value"] + dimension_suffix} for each in alarm["Dimensions"]]
            metric = {"MetricName": alarm["MetricName"], "Dimensions": dimensions, "Timestamp": when}
            self.aws.client("cloudwatch").put_metric_data(
                Namespace=alarm["Namespace"], MetricData=[{**metric, "Value": value} for value in values]
            )

    def states(self) -> dict[str, str]:
        """Return the state of each alarm."""
        found = self.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return {short(alarm): alarm["StateValue"] for alarm in found}

    def new_messages(self) -> list[Alarm]:
        """Return the alarm messages since the last call."""
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
def account(aws: Aws, deployed: list[Alarm]) -> Iterator[AlarmAccount]:
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
    yield AlarmAccount(aws, {short(alarm): alarm for alarm in deployed}, inbox)


def short(alarm: Alarm) -> str:
    """Return an alarm's name without the common prefix and suffix."""
    return str(alarm["AlarmName"]).removeprefix("etl-pipeline-").removesuffix(f"-{SETTINGS.environment}")


def each(pick: Callable[[Points], Any]) -> dict[str, Any]:
    """Return a value of every alarm's points, by name."""
    return {name: pick(points) for name, points in POINTS.items()}


def test_every_deployed_alarm_has_data_points_in_this_module(deployed: list[Alarm]) -> None:
    assert {short(alarm) for alarm in deployed} == set(POINTS)
    for alarm in deployed:
        # These tests put single metrics only.
        assert "Metrics" not in alarm
        assert alarm["Period"] * alarm["EvaluationPeriods"] == SECONDS
        assert alarm["Dimensions"], "an alarm without dimensions counts other resources"


def test_an_alarm_without_data_does_not_fire(account: AlarmAccount) -> None:
    before = each(lambda points: points.state_before)

    eventually(account.states, lambda found: found == before)
    assert account.new_messages() == []


def test_an_alarm_below_its_threshold_is_ok_regardless_of_other_dimensions(account: AlarmAccount) -> None:
    account.measure(each(lambda points: points.below))
    account.measure(each(lambda points: points.above), dimension_suffix="-other")

    assert account.states() == dict.fromkeys(POINTS, OK)
    assert account.new_messages() == []


def test_an_alarm_fires_at_its_threshold_unless_it_must_be_exceeded(account: AlarmAccount) -> None:
    account.measure(each(lambda points: points.at))

    assert account.states() == each(lambda points: points.state_at)


def test_an_alarm_above_its_threshold_notifies_once_with_the_next_step(account: AlarmAccount) -> None:
    account.measure(each(lambda points: points.above))
    account.measure(each(lambda points: points.above))

    assert account.states() == dict.fromkeys(POINTS, ALARM)
    messages = account.new_messages()
    assert sorted(short(message) for message in messages) == sorted(POINTS)
    for message in messages:
        assert message["NewStateValue"] == ALARM
        assert f" What to do: {SETTINGS.runbook_url}#" in message["AlarmDescription"]


def test_missing_data_reset_alarms_on_counts_and_keep_alarms_on_levels(account: AlarmAccount) -> None:
    begun = time.monotonic()
    account.measure(each(lambda points: points.above), seconds_ago=SECONDS - 5)
    assert account.states() == dict.fromkeys(POINTS, ALARM)
    assert time.monotonic() - begun < 5, "the data points expired before the check"

    after = each(lambda points: points.state_after)
    eventually(account.states, lambda found: found == after)


def test_missing_data_keep_an_ok_alarm_ok(account: AlarmAccount) -> None:
    account.measure(each(lambda points: points.below), seconds_ago=SECONDS - 2)
    assert account.states() == dict.fromkeys(POINTS, OK)

    time.sleep(5)  # the data points expire, and the alarms are evaluated again
    assert account.states() == dict.fromkeys(POINTS, OK)
    assert account.new_messages() == []
