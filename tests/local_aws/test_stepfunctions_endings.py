"""Do executions end as they must: by the machine's timeout, by a stop, and only once?"""

import json
import time

from tests.fixtures.local_account import eventually

SLOW = """
import time
def handler(event, context):
    time.sleep(3)
    raise ValueError("too late to matter")
"""


def slow_task(workshop):
    return {
        "Slow": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": workshop.function("slow", SLOW), "Payload": {}},
            "End": True,
        }
    }


def test_the_machines_timeout_ends_the_execution_timed_out(workshop):
    waiting = {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
    begun = time.monotonic()
    outcome = workshop.run(waiting, TimeoutSeconds=2)
    assert (outcome["status"], outcome["error"]) == ("TIMED_OUT", "States.Timeout")
    assert 2 <= time.monotonic() - begun < 10
    assert workshop.history(outcome["executionArn"])[-1]["type"] == "ExecutionTimedOut"


def test_a_task_that_fails_after_the_stop_changes_nothing(workshop):
    execution = workshop.start(workshop.machine(slow_task(workshop)))
    states = workshop.aws.client("stepfunctions")
    eventually(lambda: [e for e in workshop.history(execution) if e["type"] == "TaskScheduled"])
    states.stop_execution(executionArn=execution, error="Stopped", cause="by hand")
    time.sleep(4)
    outcome = workshop.outcome(execution)
    assert (outcome["status"], outcome["error"], outcome["cause"]) == ("ABORTED", "Stopped", "by hand")
    assert workshop.history(execution)[-1]["type"] == "ExecutionAborted"


def test_a_tasks_timeout_can_be_caught(workshop):
    task = slow_task(workshop)["Slow"] | {
        "TimeoutSeconds": 1,
        "Catch": [
            {"ErrorEquals": ["States.Timeout"], "Output": "{% $states.errorOutput.Error %}", "Next": "Done"}
        ],
    }
    outcome = workshop.run({"Slow": task, "Done": {"Type": "Succeed"}})
    assert json.loads(outcome["output"]) == "States.Timeout"
