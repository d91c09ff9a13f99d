"""Tests of retry delays."""

import time

RAISING = "def handler(event, context): raise RuntimeError('again')"


def retrying(factory, **retrier):
    return {
        "Try": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": factory.function("raising", RAISING)},
            "Retry": [{"ErrorEquals": ["RuntimeError"], **retrier}],
            "End": True,
        }
    }


def delays(factory, outcome):
    return [entry["delaySeconds"] for entry in factory.aws.retries(outcome["executionArn"])]


def test_delays_back_off_and_are_recorded_beyond_a_minute(factory):
    factory.aws.wait_scale(0)
    outcome = factory.run(retrying(factory, IntervalSeconds=60, MaxAttempts=5, BackoffRate=1.5))
    assert outcome["error"] == "RuntimeError"
    assert delays(factory, outcome) == [60, 90, 135, 202.5, 303.75]


def test_delays_stop_growing_at_max_delay(factory):
    factory.aws.wait_scale(0)
    bounded = {"IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2, "MaxDelaySeconds": 5}
    outcome = factory.run(retrying(factory, **bounded, JitterStrategy="FULL"))
    assert delays(factory, outcome) == [2, 4, 5, 5]
    first = factory.aws.retries(outcome["executionArn"])[0]
    assert first == {
        "state": "Try",
        "row": 0,
        "error": "RuntimeError",
        "attempt": 1,
        "delaySeconds": 2,
        "jitter": "FULL",
    }


def test_a_retry_without_jitter_waits_its_delay(factory):
    states = retrying(factory, IntervalSeconds=1, MaxAttempts=2, BackoffRate=2)
    begun = time.monotonic()
    factory.run(states)
    assert time.monotonic() - begun >= 3
