"""Tests of executions that end by timeout, stop or failure."""

import json
import time

from tests.fixtures.local_account import eventually

SLOW = """
import time
def handler(event, context):
    time.sleep(3)
    raise ValueError("too late to matter")
"""


def slow_task(factory):
    return {
        "Slow": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": factory.function("slow", SLOW), "Payload": {}},
            "End": True,
        }
    }


def test_the_machines_timeout_ends_the_execution_timed_out(factory):
    waiting = {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
    begun = time.monotonic()
    outcome = factory.run(waiting, TimeoutSeconds=2)
    assert (outcome["status"], outcome["error"]) == ("TIMED_OUT", "States.Timeout")
    assert 2 <= time.monotonic() - begun < 10
    assert factory.history(outcome["executionArn"])[-1]["type"] == "ExecutionTimedOut"


def test_a_task_that_fails_after_the_stop_changes_nothing(factory):
    execution = factory.start(factory.machine(slow_task(factory)))
    states = factory.aws.client("stepfunctions")
    eventually(lambda: [e for e in factory.history(execution) if e["type"] == "TaskScheduled"])
    states.stop_execution(executionArn=execution, error="Stopped", cause="manual")
    time.sleep(4)
    outcome = factory.outcome(execution)
    assert (outcome["status"], outcome["error"], outcome["cause"]) == ("ABORTED", "Stopped", "manual")
    assert factory.history(execution)[-1]["type"] == "ExecutionAborted"


def test_a_tasks_timeout_can_be_caught(factory):
    task = slow_task(factory)["Slow"] | {
        "TimeoutSeconds": 1,
        "Catch": [
            {"ErrorEquals": ["States.Timeout"], "Output": "{% $states.errorOutput.Error %}", "Next": "Done"}
        ],
    }
    outcome = factory.run({"Slow": task, "Done": {"Type": "Succeed"}})
    assert json.loads(outcome["output"]) == "States.Timeout"
