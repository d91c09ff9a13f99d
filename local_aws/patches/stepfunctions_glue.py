"""The service integration `glue:startJobRun`, with and without `.sync`.

MiniStack 1.5.33: Does not implement glue:startJobRun.
AWS: With `.sync`, the task returns the ended job run. FAILED, TIMEOUT or ERROR raises States.TaskFailed with
the job run as JSON text in Cause. Stopping the execution, or the task's timeout, stops the job run.
Source: Step Functions developer guide, "Start an AWS Glue job with Step Functions", "Run a Job (.sync)".
Delete when: MiniStack implements glue:startJobRun.sync, and `glue_jobs` is deleted.

Whether a STOPPED job run raises is not documented. Here it does not, so that a Choice after the task is
executed.
"""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import glue, stepfunctions

from local_aws import glue_runs
from local_aws.patches import patching
from local_aws.patches.stepfunctions_endings import EXECUTION, is_over
from local_aws.patches.stepfunctions_roles import is_allowed, require_permission

_RESOURCE = "arn:aws:states:::glue:startJobRun"
_RAISING = frozenset({"FAILED", "TIMEOUT", "ERROR", "EXPIRED"})
_TIMES = ("StartedOn", "LastModifiedOn", "CompletedOn")
_POLL_SECONDS = 0.25


def apply() -> None:
    """Add the integration to the emulator's dispatch table."""
    dispatch = patching.attribute(stepfunctions, "_SERVICE_DISPATCH")
    if _RESOURCE in dispatch:
        raise patching.PatchMismatchError(
            f"the emulator supports {_RESOURCE} now: compare its behavior, and delete this patch"
        )
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
    """Wait for the job run to end and return it in the SDK's form."""
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
    require_permission("glue:GetJobRun", job)
    while not glue_runs.wait(run, _POLL_SECONDS):
        if is_over() and is_allowed("glue:BatchStopJobRun", job):
            glue_runs.stop(run)
    shaped = {key: int(value * 1000) if key in _TIMES else value for key, value in run.items()}
    if run["JobRunState"] in _RAISING:
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(shaped))
    return shaped
