"""Tests of retries and dead-letter queues of EventBridge rules."""

import json

import pytest

from tests.fixtures.local_account import eventually


@pytest.fixture
def rule(factory):
    """A function that sends an event to a rule's target and returns the URL of its dead-letter queue."""
    url, arn = factory.queue("dead")
    events = factory.aws.client("events")
    events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["test"]}))

    def deliver(target):
        retries = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
        whole = {"Id": "target", "Arn": target, "DeadLetterConfig": {"Arn": arn}, "RetryPolicy": retries}
        events.put_targets(Rule="rule", Targets=[whole])
        events.put_events(Entries=[{"Source": "test", "DetailType": "t", "Detail": '{"n": 1}'}])
        return url

    return deliver


def test_an_event_for_a_missing_function_is_sent_to_the_targets_dead_letter_queue(factory, rule):
    dead = rule("arn:aws:lambda:us-east-1:000000000000:function:missing")
    [message] = eventually(lambda: factory.messages(dead))
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "RESOURCE_NOT_FOUND"


def test_a_failing_functions_event_is_sent_to_its_failure_destination(factory, rule):
    function = factory.function("failing", "def handler(event, context): raise ValueError('no')")
    given_up, given_up_arn = factory.queue("given-up")
    factory.aws.client("lambda").put_function_event_invoke_config(
        FunctionName="failing",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": given_up_arn}},
    )
    dead = rule(function)
    [message] = eventually(lambda: factory.messages(given_up), seconds=40)
    record = json.loads(message["Body"])
    assert record["requestPayload"]["detail"] == {"n": 1}
    assert record["responsePayload"]["errorType"] == "ValueError"
    assert factory.messages(dead) == []
