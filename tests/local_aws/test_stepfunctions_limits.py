"""Tests of the 256 KiB limit and of the errors that States.ALL does not catch."""

import json

LIMIT = 262_144


def growing(length, **more):
    """A Pass state whose output is a text of `length` characters, so `length` + 2 bytes of JSON."""
    return {"Grow": {"Type": "Pass", "Output": f"{{% $pad('', {length}, 'x') %}}", "End": True, **more}}


def test_an_output_of_exactly_the_limit_passes(factory):
    outcome = factory.run(growing(LIMIT - 2))
    assert outcome["status"] == "SUCCEEDED"


def test_an_output_one_byte_above_the_limit_fails(factory):
    outcome = factory.run(growing(LIMIT - 1))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert "'Grow'" in outcome["cause"]


def large_result(factory, errors):
    function = factory.function("large", f"def handler(event, context): return 'x' * {LIMIT}")
    return {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": function},
            "Catch": [{"ErrorEquals": errors, "Output": "{% $states.errorOutput.Error %}", "Next": "Done"}],
            "End": True,
        },
        "Done": {"Type": "Succeed"},
    }


def test_states_all_does_not_catch_the_size_error(factory):
    outcome = factory.run(large_result(factory, ["States.ALL"]))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_a_catch_that_names_the_size_error_catches_it(factory):
    outcome = factory.run(large_result(factory, ["States.DataLimitExceeded"]))
    assert json.loads(outcome["output"]) == "States.DataLimitExceeded"
