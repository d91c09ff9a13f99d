"""Tests of scripted task results and of what they record."""

import json
import urllib.error

import pytest

CAUGHT = [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "Done"}]


def crawler_reader(**more):
    """Return a state machine that reads a crawler that does not exist."""
    return {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:getCrawler",
            "Arguments": {"Name": "{% $states.input.name %}"},
            "Catch": CAUGHT,
            "Next": "Done",
            **more,
        },
        "Done": {"Type": "Succeed"},
    }


@pytest.fixture
def run(factory):
    """A function that runs a state machine with a script, and returns the outcome and the record."""
    factory.aws.wait_scale(0)

    def run(states, answers, document=None):
        factory.aws.script("scripted", answers)
        execution = factory.start(factory.machine(states), document or {"name": "mine"}, name="scripted")
        outcome = factory.outcome(execution)
        return outcome, factory.aws.scripted(execution)

    return run


def test_each_attempt_gets_its_own_answer_and_its_arguments_are_recorded(factory, run):
    again = [{"ErrorEquals": ["Glue.Busy"], "MaxAttempts": 3}]
    busy = {"Throw": {"Error": "Glue.Busy", "Cause": "later"}}
    answers = {"Ask": [busy, busy, {"Return": {"Crawler": {"State": "READY"}}}]}
    outcome, record = run(crawler_reader(Retry=again), answers)
    assert json.loads(outcome["output"]) == {"Crawler": {"State": "READY"}}
    assert [call["arguments"] for call in record["calls"]] == [{"Name": "mine"}] * 3
    assert record["calls"][0]["resource"] == "arn:aws:states:::aws-sdk:glue:getCrawler"
    assert record["answers"] == {"Ask": []}


def test_a_state_without_a_script_calls_the_real_service(run):
    outcome, record = run(crawler_reader(), {"Other": []})
    assert json.loads(outcome["output"]) == "Glue.EntityNotFoundException"
    assert len(record["calls"]) == 1


def test_the_real_service_may_come_after_scripted_answers(run):
    again = [{"ErrorEquals": ["Glue.Busy"]}]
    busy = {"Throw": {"Error": "Glue.Busy"}}
    outcome, _ = run(crawler_reader(Retry=again), {"Ask": [busy, {"Call": True}]})
    assert json.loads(outcome["output"]) == "Glue.EntityNotFoundException"


def test_a_script_without_answers_left_fails_despite_catches(run):
    outcome, _ = run(crawler_reader(), {"Ask": []})
    assert (outcome["status"], outcome["error"]) == ("FAILED", "States.Runtime")
    assert "no answer left for Ask" in outcome["cause"]


@pytest.mark.parametrize(
    ("after", "timeout", "output"),
    [
        (30, {"TimeoutSeconds": 30}, "on time"),
        (31, {"TimeoutSeconds": 30}, "States.Timeout"),
        (9**9, {}, "on time"),
    ],
)
def test_an_answer_after_the_tasks_timeout_is_a_timeout_without_waiting(run, after, timeout, output):
    outcome, _ = run(crawler_reader(**timeout), {"Ask": [{"Return": "on time", "AfterSeconds": after}]})
    assert json.loads(outcome["output"]) == output


@pytest.mark.parametrize(
    ("plus", "kind", "ending"),
    [(0, "text", "Z"), (-1, "text", "Z"), (0.25, "text", ".250Z"), (2, "number", ""), (0.5, "number", ".5")],
)
def test_times_are_relative_to_the_second_in_which_a_state_was_entered(run, plus, kind, ending):
    result, entered = "$states.result.time", "$toMillis($states.context.State.EnteredTime)"
    millis = f"($type({result}) = 'number' ? {result} * 1000 : $toMillis({result}))"
    shift = f"{{% {millis} - $floor({entered} / 1000) * 1000 %}}"
    states = crawler_reader(Output={"time": f"{{% {result} %}}", "shift": shift})
    time = {"$entered": "Ask", "plus": plus, "as": kind}
    outcome, _ = run(states, {"Ask": [{"Return": {"time": time}}]})
    output = json.loads(outcome["output"])
    assert output["shift"] == plus * 1000
    assert str(output["time"]).endswith(ending)


def test_the_rules_of_choices_and_the_seconds_of_waits_are_recorded(run):
    states = {
        "Choose": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.n = 1 %}", "Next": "Wait"},
                {"Condition": "{% $states.input.n = 2 %}", "Next": "Wait"},
            ],
            "Default": "Wait",
        },
        "Wait": {"Type": "Wait", "Seconds": 70, "Next": "Done"},
        "Done": {"Type": "Succeed"},
    }
    _, record = run(states, {}, {"n": 2})
    assert record["choices"] == [{"state": "Choose", "rule": 1, "next": "Wait"}]
    assert record["waits"] == [{"state": "Wait", "seconds": 70}]


def test_the_default_of_a_choice_is_recorded(run):
    states = {
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% false %}", "Next": "Done"}],
            "Default": "Done",
        },
        "Done": {"Type": "Succeed"},
    }
    _, record = run(states, {})
    assert record["choices"] == [{"state": "Choose", "rule": None, "next": "Done"}]


def test_executions_without_a_script_record_nothing(factory):
    outcome = factory.run(crawler_reader(), {"name": "mine"})
    assert factory.aws.scripted(outcome["executionArn"]) == {}


def test_a_script_serves_one_execution(factory, run):
    outcome, _ = run(crawler_reader(), {"Ask": [{"Return": "scripted"}]})
    assert json.loads(outcome["output"]) == "scripted"
    machine = factory.machine(crawler_reader(), name="other")
    outcome = factory.outcome(factory.start(machine, {"name": "mine"}, name="scripted"))
    assert json.loads(outcome["output"]) == "Glue.EntityNotFoundException"


@pytest.mark.parametrize("answer", [{}, {"Return": 1, "Throw": {"Error": "x"}}, {"Retrun": 1}])
def test_an_invalid_answer_is_refused(factory, answer):
    with pytest.raises(urllib.error.HTTPError, match="400"):
        factory.aws.script("scripted", {"Ask": [answer]})
