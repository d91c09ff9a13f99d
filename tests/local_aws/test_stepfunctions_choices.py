"""Tests that a Choice's Condition must be a boolean."""

import pytest


def choosing(condition):
    return {
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Condition": condition, "Next": "Yes"}],
            "Default": "No",
        },
        "Yes": {"Type": "Pass", "Output": "yes", "End": True},
        "No": {"Type": "Pass", "Output": "no", "End": True},
    }


@pytest.mark.parametrize(("condition", "output"), [("{% 1 = 1 %}", '"yes"'), ("{% 1 = 2 %}", '"no"')])
def test_a_boolean_decides(factory, condition, output):
    assert factory.run(choosing(condition))["output"] == output


@pytest.mark.parametrize(
    "condition", ["{% 1 %}", "{% 'yes' %}", "{% {} %}", "{% null %}", "{% $states.input.none %}"]
)
def test_anything_else_fails_the_execution(factory, condition):
    outcome = factory.run(choosing(condition))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "States.QueryEvaluationError")
