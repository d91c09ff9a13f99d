"""Is 256 KiB the most that travels, and does no catch-all hide it?"""

import json

LIMIT = 262_144


def growing(length, **more):
    """A Pass state whose output is a text of `length` characters, so `length` + 2 bytes of JSON."""
    return {"Grow": {"Type": "Pass", "Output": f"{{% $pad('', {length}, 'x') %}}", "End": True, **more}}


def test_an_output_of_exactly_the_limit_passes(workshop):
    outcome = workshop.run(growing(LIMIT - 2))
    assert outcome["status"] == "SUCCEEDED"


def test_an_output_one_byte_above_the_limit_fails(workshop):
    outcome = workshop.run(growing(LIMIT - 1))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert "'Grow'" in outcome["cause"]


def large_result(workshop, errors):
    function = workshop.function("large", f"def handler(event, context): return 'x' * {LIMIT}")
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


def test_states_all_does_not_catch_the_size_error(workshop):
    outcome = workshop.run(large_result(workshop, ["States.ALL"]))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_a_catch_that_names_the_size_error_catches_it(workshop):
    outcome = workshop.run(large_result(workshop, ["States.DataLimitExceeded"]))
    assert json.loads(outcome["output"]) == "States.DataLimitExceeded"
