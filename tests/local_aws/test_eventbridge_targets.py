"""Do a rule's function and its dead letters work as on AWS?"""

import json

import pytest

from tests.fixtures.local_account import eventually


@pytest.fixture
def rule(workshop):
    """A rule for events of source `test`, with a target of this ARN whose dead letters go to queue `dead`."""
    url, arn = workshop.queue("dead")
    events = workshop.aws.client("events")
    events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["test"]}))

    def deliver(target):
        retries = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
        whole = {"Id": "target", "Arn": target, "DeadLetterConfig": {"Arn": arn}, "RetryPolicy": retries}
        events.put_targets(Rule="rule", Targets=[whole])
        events.put_events(Entries=[{"Source": "test", "DetailType": "t", "Detail": '{"n": 1}'}])
        return url

    return deliver


def test_an_event_for_a_missing_function_goes_to_the_targets_dead_letter_queue(workshop, rule):
    dead = rule("arn:aws:lambda:us-east-1:000000000000:function:missing")
    [message] = eventually(lambda: workshop.messages(dead))
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "RESOURCE_NOT_FOUND"


def test_a_failing_functions_event_goes_to_its_failure_destination(workshop, rule):
    function = workshop.function("failing", "def handler(event, context): raise ValueError('no')")
    given_up, given_up_arn = workshop.queue("given-up")
    workshop.aws.client("lambda").put_function_event_invoke_config(
        FunctionName="failing",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": given_up_arn}},
    )
    dead = rule(function)
    [message] = eventually(lambda: workshop.messages(given_up), seconds=40)
    told = json.loads(message["Body"])
    assert told["requestPayload"]["detail"] == {"n": 1}
    assert told["responsePayload"]["errorType"] == "ValueError"
    assert workshop.messages(dead) == []
