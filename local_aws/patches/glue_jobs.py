"""Glue jobs that keep all their properties and run their script.

MiniStack 1.5.33: Drops ExecutionProperty and JobRunQueuingEnabled, and reports a Spark job SUCCEEDED without
running it when its Docker image is not present.
AWS: Runs the script. A run beyond MaxConcurrentRuns is refused, or waits in state WAITING when queuing is
enabled.
Source: AWS Glue web API reference, "Job", "JobRun"; AWS Glue developer guide, "Job run statuses", "Job run
queuing".
Delete when: MiniStack runs a Spark script without Docker, and enforces concurrency, queuing and timeout.

`local_aws.glue_runs` implements the lifecycle of a job run; this patch connects it to the API.
"""

import os
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import glue
from ministack.services.cloudformation import provisioners

from local_aws import glue_runs
from local_aws.patches import patching

_KEPT: dict[str, Any] = {
    "ExecutionProperty": {"MaxConcurrentRuns": 1},
    "JobRunQueuingEnabled": False,
    "ExecutionClass": "STANDARD",
    "JobMode": "SCRIPT",
    "NotificationProperty": {},
    "MaintenanceWindow": "",
}
"""Job properties that the emulator drops, with AWS's defaults."""


def apply() -> None:
    """Keep the properties in the API and CloudFormation; replace start, stop and reset of job runs."""
    create = patching.replace(
        glue, "_create_job", "data", lambda data: _call_and_keep(create, data, data.get("Name"), data)
    )
    update = patching.replace(
        glue,
        "_update_job",
        "data",
        lambda data: _call_and_keep(update, data, data.get("JobName"), data.get("JobUpdate", {})),
    )
    patching.attribute(provisioners, "_GLUE_JOB_DEFAULTS").update(_KEPT)
    patching.attribute(glue, "_job_runs")
    patching.replace(glue, "_start_job_run", "data", _start)
    patching.replace(glue, "_batch_stop_job_run", "data", _batch_stop)
    patching.replace(glue, "_get_job_runs", "data", _get_runs)
    reset = patching.replace(glue, "reset", "", lambda: _reset(reset))


def _call_and_keep(call: Callable[[Any], Any], data: Any, name: str | None, given: dict[str, Any]) -> Any:
    """Make the call, then store the properties that it drops."""
    known = glue._jobs.get(name) is not None
    answer = call(data)
    if answer[0] == 200:
        job = glue._jobs[name]
        for key, default in _KEPT.items():
            if key in given or not known:
                job[key] = given.get(key, default)
    return answer


def _start(data: dict[str, Any]) -> Any:
    name = data.get("JobName")
    job = glue._jobs.get(name)
    if job is None:
        return error_response_json(
            "EntityNotFoundException", f"Failed to start job run due to missing metadata: {name}"
        )
    run = glue_runs.new_run(job, dict(data.get("Arguments") or {}))
    for key in ("Timeout", "WorkerType", "NumberOfWorkers", "ExecutionClass", "JobRunQueuingEnabled"):
        if key in data:
            run[key] = data[key]
    system = {"--JOB_NAME": name, "--JOB_ID": f"j_{os.urandom(32).hex()}", "--JOB_RUN_ID": run["Id"]}
    try:
        glue_runs.start(job, run, system)
    except glue_runs.ConcurrentRunsExceededError as error:
        return error_response_json("ConcurrentRunsExceededException", str(error))
    return json_response({"JobRunId": run["Id"]})


def _get_runs(data: dict[str, Any]) -> Any:
    """Return the job runs on one page, newest first as on AWS."""
    name = data.get("JobName")
    if name not in glue._jobs:
        return error_response_json("EntityNotFoundException", f"Job {name} is not found")
    runs = glue._job_runs.get(name, [])[::-1]
    return json_response({"JobRuns": runs[: data.get("MaxResults") or len(runs)]})


def _batch_stop(data: dict[str, Any]) -> Any:
    name = data.get("JobName")
    runs = {run["Id"]: run for run in glue._job_runs.get(name, [])}
    stopped: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for run_id in data.get("JobRunIds", []):
        entry = {"JobName": name, "JobRunId": run_id}
        if run_id not in runs:
            detail = ("EntityNotFoundException", f"Job run {run_id} is not found")
        elif glue_runs.stop(runs[run_id]):
            stopped.append(entry)
            continue
        else:
            detail = ("IllegalSessionStateException", f"Job run is {runs[run_id]['JobRunState']}")
        errors.append({**entry, "ErrorDetail": dict(zip(("ErrorCode", "ErrorMessage"), detail, strict=True))})
    return json_response({"SuccessfulSubmissions": stopped, "Errors": errors})


def _reset(reset: Callable[[], None]) -> None:
    for runs in list(glue._job_runs.all_values()):
        for run in runs:
            glue_runs.stop(run)
    reset()
