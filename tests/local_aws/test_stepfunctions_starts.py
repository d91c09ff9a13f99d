"""Tests of StartExecution's idempotency and validation."""

import pytest

WAITING = {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
PASSING = {"Pass": {"Type": "Pass", "End": True}}


def error_code(factory, call):
    """Return the error code of a failing call."""
    with pytest.raises(factory.aws.client("stepfunctions").exceptions.ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"]


def test_the_same_name_and_input_while_running_is_the_same_execution(factory):
    machine = factory.machine(WAITING)
    first = factory.start(machine, {"a": 1}, name="once")
    assert factory.start(machine, {"a": 1}, name="once") == first
    assert (
        len(factory.aws.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]) == 1
    )


def test_the_same_name_with_other_input_is_refused(factory):
    machine = factory.machine(WAITING)
    factory.start(machine, {"a": 1}, name="once")
    code = error_code(factory, lambda: factory.start(machine, {"a": 2}, name="once"))
    assert code == "ExecutionAlreadyExists"


def test_the_name_of_an_ended_execution_is_refused(factory):
    machine = factory.machine(PASSING)
    factory.outcome(factory.start(machine, {"a": 1}, name="once"))
    code = error_code(factory, lambda: factory.start(machine, {"a": 1}, name="once"))
    assert code == "ExecutionAlreadyExists"


@pytest.mark.parametrize("name", ["with space", "a/b", "a:b", "x" * 81, "q?", "ta\tb"])
def test_a_name_that_aws_forbids_is_refused(factory, name):
    machine = factory.machine(PASSING)
    assert error_code(factory, lambda: factory.start(machine, name=name)) == "InvalidName"


def test_a_name_of_eighty_characters_is_accepted(factory):
    assert factory.start(factory.machine(PASSING), name="x" * 80).endswith("x" * 80)


def test_input_above_256_kib_is_refused(factory):
    machine = factory.machine(PASSING)
    fits = {"text": "x" * (262_144 - len('{"text": ""}'))}
    factory.start(machine, fits)
    too_long = {"text": fits["text"] + "x"}
    assert error_code(factory, lambda: factory.start(machine, too_long)) == "InvalidExecutionInput"


def test_input_that_is_not_json_is_refused(factory):
    machine = factory.machine(PASSING)
    states = factory.aws.client("stepfunctions")
    code = error_code(factory, lambda: states.start_execution(stateMachineArn=machine, input="{"))
    assert code == "InvalidExecutionInput"
