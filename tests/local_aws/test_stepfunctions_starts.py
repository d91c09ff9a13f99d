"""Does StartExecution take and refuse what AWS does?"""

import pytest

WAITING = {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
PASSING = {"Pass": {"Type": "Pass", "End": True}}


def refusal(workshop, call):
    """The error code of a refused call."""
    with pytest.raises(workshop.aws.client("stepfunctions").exceptions.ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"]


def test_the_same_name_and_input_while_running_is_the_same_execution(workshop):
    machine = workshop.machine(WAITING)
    first = workshop.start(machine, {"a": 1}, name="once")
    assert workshop.start(machine, {"a": 1}, name="once") == first
    assert (
        len(workshop.aws.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]) == 1
    )


def test_the_same_name_with_other_input_is_refused(workshop):
    machine = workshop.machine(WAITING)
    workshop.start(machine, {"a": 1}, name="once")
    code = refusal(workshop, lambda: workshop.start(machine, {"a": 2}, name="once"))
    assert code == "ExecutionAlreadyExists"


def test_the_name_of_an_ended_execution_is_refused(workshop):
    machine = workshop.machine(PASSING)
    workshop.outcome(workshop.start(machine, {"a": 1}, name="once"))
    code = refusal(workshop, lambda: workshop.start(machine, {"a": 1}, name="once"))
    assert code == "ExecutionAlreadyExists"


@pytest.mark.parametrize("name", ["with space", "a/b", "a:b", "x" * 81, "q?", "ta\tb"])
def test_a_name_that_aws_forbids_is_refused(workshop, name):
    machine = workshop.machine(PASSING)
    assert refusal(workshop, lambda: workshop.start(machine, name=name)) == "InvalidName"


def test_a_name_of_eighty_characters_is_accepted(workshop):
    assert workshop.start(workshop.machine(PASSING), name="x" * 80).endswith("x" * 80)


def test_input_above_256_kib_is_refused(workshop):
    machine = workshop.machine(PASSING)
    fits = {"text": "x" * (262_144 - len('{"text": ""}'))}
    workshop.start(machine, fits)
    too_long = {"text": fits["text"] + "x"}
    assert refusal(workshop, lambda: workshop.start(machine, too_long)) == "InvalidExecutionInput"


def test_input_that_is_not_json_is_refused(workshop):
    machine = workshop.machine(PASSING)
    states = workshop.aws.client("stepfunctions")
    code = refusal(workshop, lambda: states.start_execution(stateMachineArn=machine, input="{"))
    assert code == "InvalidExecutionInput"
