"""The lifecycle of Glue job runs.

A job has at most MaxConcurrentRuns runs at a time. Another run is refused, or, with JobRunQueuingEnabled,
waits in state WAITING. A run ends SUCCEEDED, FAILED, STOPPED (batchStopJobRun) or TIMEOUT; its Timeout in
minutes counts from its start.
Sources: AWS Glue web API reference, JobRun; developer guide, "Job run statuses", "Job run queuing".
"""

import contextvars
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import glue

from local_aws import glue_process
from local_aws.settings import SETTINGS

ACTIVE = frozenset({"STARTING", "RUNNING", "STOPPING"})
UNFINISHED = ACTIVE | {"WAITING"}
_POLL_SECONDS = 0.2
_changed = threading.Condition()
_stopping = threading.Event()

Run = dict[str, Any]
_listeners: list[Callable[[Run], None]] = []


class ConcurrentRunsExceededError(Exception):
    """The job has MaxConcurrentRuns runs and does not queue."""


def new_run(job: dict[str, Any], arguments: dict[str, str]) -> Run:
    """Return a new run of `job` in the form of getJobRun; `arguments` are those of this run only."""
    now = time.time()
    run = {
        "Id": f"jr_{os.urandom(32).hex()}",
        "Attempt": 0,
        "JobName": job["Name"],
        "JobMode": "SCRIPT",
        "JobRunQueuingEnabled": bool(job.get("JobRunQueuingEnabled")),
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "Arguments": arguments,
        "PredecessorRuns": [],
        "ExecutionTime": 0,
        "Timeout": job.get("Timeout", 2880),
        "ExecutionClass": job.get("ExecutionClass", "STANDARD"),
        "LogGroupName": "/aws-glue/jobs",
        "GlueVersion": job.get("GlueVersion", "3.0"),
    }
    if job.get("MaxCapacity") is not None:
        run["MaxCapacity"] = float(job["MaxCapacity"])
    else:
        run |= {"WorkerType": job.get("WorkerType"), "NumberOfWorkers": job.get("NumberOfWorkers")}
        run["MaxCapacity"] = float((job.get("NumberOfWorkers") or 0) * _dpus(job.get("WorkerType")))
    return run


def start(job: dict[str, Any], run: Run, system: dict[str, str]) -> None:
    """Start `run`, or queue it. `system` are the arguments that Glue adds.

    Raises ConcurrentRunsExceededError when the job does not queue runs.
    """
    with _changed:
        runs = glue._job_runs.setdefault(job["Name"], [])
        limit = (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1)
        if sum(other["JobRunState"] in UNFINISHED for other in runs) >= limit:
            if not run["JobRunQueuingEnabled"]:
                raise ConcurrentRunsExceededError(f"Concurrent runs exceeded for {job['Name']}")
            _set(run, "WAITING")
        runs.append(run)
    context = contextvars.copy_context()
    threading.Thread(
        target=context.run, args=(_run_lifecycle, job, run, runs, limit, system), daemon=True
    ).start()


def stop(run: Run) -> bool:
    """Stop a run and return whether it was unfinished."""
    with _changed:
        if run["JobRunState"] not in UNFINISHED:
            return False
        _set(run, "STOPPED" if run["JobRunState"] == "WAITING" else "STOPPING")
        return True


def wait(run: Run, seconds: float) -> bool:
    """Wait up to `seconds` for the run to end and return whether it has."""
    with _changed:
        return _changed.wait_for(lambda: run["JobRunState"] not in UNFINISHED, seconds)


def publish_run_events(listener: Callable[[Run], None]) -> None:
    """Call `listener` with each ended run, in the context of the run's account."""
    _listeners.append(listener)


def stop_all() -> None:
    """End all scripts, before the emulator ends."""
    _stopping.set()
    glue_process.kill_all()


def _run_lifecycle(
    job: dict[str, Any], run: Run, runs: list[Run], limit: int, system: dict[str, str]
) -> None:
    """Wait in the queue, run the script and call the listeners; the thread of one run."""
    if _wait_in_queue(run, runs, limit):
        _execute(job, run, system)
    for listener in _listeners:
        listener(run)


def _execute(job: dict[str, Any], run: Run, system: dict[str, str]) -> None:
    while SETTINGS.hold_job_runs and run["JobRunState"] == "STARTING" and not _stopping.is_set():
        time.sleep(_POLL_SECONDS)
    begun = time.monotonic()
    run["StartedOn"] = time.time()
    try:
        process = glue_process.launch(job, run, {**system, **run["Arguments"]})
        with _changed:
            if run["JobRunState"] == "STARTING":
                _set(run, "RUNNING")
        state, message = _wait_for_process(run, process, begun)
        if state == "SUCCEEDED":
            process.keep_classes()
        glue_process.publish_logs(run["Id"], process.log_prefix, job["Role"])
    except Exception as error:  # Any error here must end the run.
        state, message = "FAILED", f"{type(error).__name__}: {error}"
    with _changed:
        run["ExecutionTime"] = int(time.monotonic() - begun)
        run["CompletedOn"] = time.time()
        if message:
            run["ErrorMessage"] = message
        _set(run, state)


def _wait_in_queue(run: Run, runs: list[Run], limit: int) -> bool:
    """Wait until fewer than `limit` runs are active and no older run waits; False when stopped before."""

    def may_start() -> bool:
        if run["JobRunState"] != "WAITING":
            return True
        ahead = [other for other in runs[: runs.index(run)] if other["JobRunState"] == "WAITING"]
        active = sum(other["JobRunState"] in ACTIVE for other in runs)
        return not ahead and active < limit

    with _changed:
        _changed.wait_for(may_start)
        if run["JobRunState"] == "WAITING":
            _set(run, "STARTING")
        if run["JobRunState"] != "STARTING":
            run["CompletedOn"] = time.time()
            return bool(run["JobRunState"] == "STOPPING")
        return True


def _wait_for_process(run: Run, process: glue_process.Process, begun: float) -> tuple[str, str]:
    """Return the final state and error message of the process."""
    deadline = begun + run["Timeout"] * SETTINGS.glue_minute_seconds
    while (code := process.poll()) is None:
        if run["JobRunState"] == "STOPPING":
            process.kill()
            return "STOPPED", ""
        if time.monotonic() > deadline:
            process.kill()
            return "TIMEOUT", "Job run timed out"
        time.sleep(_POLL_SECONDS)
    if run["JobRunState"] == "STOPPING":
        return "STOPPED", ""
    return ("SUCCEEDED", "") if code == 0 else ("FAILED", glue_process.error_message(run["Id"], code))


def _set(run: Run, state: str) -> None:
    run["JobRunState"] = state
    run["LastModifiedOn"] = time.time()
    _changed.notify_all()


def _dpus(worker_type: str | None) -> float:
    """Return the DPUs of one worker. Source: AWS Glue developer guide, worker types."""
    return {"G.025X": 0.25, "G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8, "Standard": 1}.get(
        worker_type or "", 1
    )
