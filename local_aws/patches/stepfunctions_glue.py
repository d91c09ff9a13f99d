"""How does a state machine run a Glue job? `glue:startJobRun`, and `.sync`, which waits for its end.

AWS: `.sync` answers with the job run; a run that ends FAILED, TIMEOUT or ERROR raises States.TaskFailed with
the job run as JSON text in Cause. Whether STOPPED raises is not documented; here it does not, so that a
Choice after the task is exercised. Stopping the execution, or the task's timeout, stops the run. The emulator
has neither call.
Source: Step Functions developer guide, "Start an AWS Glue job with Step Functions", "Run a Job (.sync)".
"""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import glue, stepfunctions

from local_aws import glue_runs
from local_aws.patches import patching
from local_aws.patches.stepfunctions_endings import EXECUTION, is_over
from local_aws.patches.stepfunctions_roles import allowed, demand

_RESOURCE = "arn:aws:states:::glue:startJobRun"
_RAISING = frozenset({"FAILED", "TIMEOUT", "ERROR", "EXPIRED"})
_TIMES = ("StartedOn", "LastModifiedOn", "CompletedOn")
_POLL_SECONDS = 0.25


def apply() -> None:
    """Add the integration to the emulator's dispatch."""
    dispatch = patching.attribute(stepfunctions, "_SERVICE_DISPATCH")
    if _RESOURCE in dispatch:
        raise patching.PatchMismatchError(f"the emulator has {_RESOURCE} now: compare, and drop this patch")
    dispatch[_RESOURCE] = _start_job_run


def _start_job_run(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    status, _, body = glue._start_job_run(arguments)
    answer = json.loads(body)
    if status >= 400:
        code = answer["__type"]
        raise stepfunctions._ExecutionError(
            f"Glue.{code}",
            f"{answer['message']} (Service: AWSGlue; Status Code: {status}; Error Code: {code}; "
            f"Request ID: {new_uuid()}; Proxy: null)",
        )
    if not resource.endswith(".sync"):
        return {"JobRunId": answer["JobRunId"]}
    runs = glue._job_runs[arguments["JobName"]]
    return _wait(next(run for run in runs if run["Id"] == answer["JobRunId"]))


def _wait(run: glue_runs.Run) -> dict[str, Any]:
    """The ended job run as the SDK shapes it."""
    execution = EXECUTION.get()
    if execution is not None:
        details = {"resourceType": "glue", "resource": "startJobRun.sync"}
        stepfunctions._add_event(execution, "TaskStarted", {"taskStartedEventDetails": details})
        stepfunctions._add_event(
            execution,
            "TaskSubmitted",
            {"taskSubmittedEventDetails": {**details, "output": json.dumps({"JobRunId": run["Id"]})}},
        )
    job = f"arn:aws:glue:{get_region()}:{get_account_id()}:job/{run['JobName']}"
    demand("glue:GetJobRun", job)
    while not glue_runs.wait(run, _POLL_SECONDS):
        if is_over() and allowed("glue:BatchStopJobRun", job):
            glue_runs.stop(run)
    shaped = {key: int(value * 1000) if key in _TIMES else value for key, value in run.items()}
    if run["JobRunState"] in _RAISING:
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(shaped))
    return shaped
