"""Does a Choice take only true for true?"""

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
def test_a_boolean_decides(workshop, condition, output):
    assert workshop.run(choosing(condition))["output"] == output


@pytest.mark.parametrize(
    "condition", ["{% 1 %}", "{% 'yes' %}", "{% {} %}", "{% null %}", "{% $states.input.none %}"]
)
def test_anything_else_fails_the_execution(workshop, condition):
    outcome = workshop.run(choosing(condition))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "States.QueryEvaluationError")
