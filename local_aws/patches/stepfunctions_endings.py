"""Executions that end once: by the machine's timeout, by a stop, or by themselves.

MiniStack 1.5.33: Ignores the machine's TimeoutSeconds, lets a task that fails late overwrite the execution's
end, and keeps waiting tasks alive after it.
AWS: The machine's TimeoutSeconds ends the execution as TIMED_OUT with States.Timeout. Stopping an execution,
or a task's timeout, stops the work that the task waits for.
Source: Amazon States Language, "TimeoutSeconds"; Step Functions developer guide, "Run a Job (.sync)".
Delete when: MiniStack enforces the machine's timeout, and an ended execution stays as it ended.
"""

import contextvars
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import stepfunctions

from local_aws.patches import patching

Execution = dict[str, Any]

EXECUTION: contextvars.ContextVar[Execution | None] = contextvars.ContextVar("execution", default=None)
"""The execution whose work runs in this thread."""
_TASK_OVER: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("task_over", default=None)
_ENDINGS = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"})
_SLICE_SECONDS = 0.2


def apply() -> None:
    """Replace start, failure, history, waits and task timeouts of executions."""
    run = patching.replace(stepfunctions, "_run_execution", "exec_arn", lambda exec_arn: _run(run, exec_arn))
    fail = patching.replace(
        stepfunctions,
        "_fail_execution",
        "execution error cause",
        lambda execution, error, cause: _fail(fail, execution, error, cause),
    )
    add = patching.replace(
        stepfunctions,
        "_add_event",
        "execution event_type details",
        lambda execution, event_type, details=None: _add(add, execution, event_type, details),
    )
    patching.attribute(stepfunctions, "_SFN_WAIT_SCALE")
    patching.replace(stepfunctions, "_scaled_sleep", "seconds", scaled_sleep)
    patching.attribute(stepfunctions, "_invoke_resource")
    patching.replace(
        stepfunctions, "_invoke_resource_with_timeout", "resource input_data timeout", _invoke_with_timeout
    )


def is_over() -> bool:
    """Return whether the task in this thread is obsolete: its execution ended, or its timeout passed."""
    execution, task_over = EXECUTION.get(), _TASK_OVER.get()
    ended = execution is not None and execution["status"] != "RUNNING"
    return ended or (task_over is not None and task_over.is_set())


def scaled_sleep(seconds: float) -> None:
    """Sleep for the scaled time, at most until the execution or task ends."""
    until = time.monotonic() + seconds * stepfunctions._SFN_WAIT_SCALE
    while (left := until - time.monotonic()) > 0 and not is_over():
        time.sleep(min(left, _SLICE_SECONDS))


def _run(run: Callable[[str], None], exec_arn: str) -> None:
    """Run an execution under its machine's timeout."""
    execution = stepfunctions._executions.get(exec_arn)
    EXECUTION.set(execution)
    timer = None
    machine = stepfunctions._state_machines.get((execution or {}).get("stateMachineArn"))
    seconds = json.loads(machine["definition"]).get("TimeoutSeconds") if machine else None
    if execution and seconds:
        timer = threading.Timer(seconds, contextvars.copy_context().run, (_time_out, execution))
        timer.daemon = True
        timer.start()
    try:
        run(exec_arn)
    finally:
        if timer:
            timer.cancel()


def _time_out(execution: Execution) -> None:
    if execution["status"] != "RUNNING":
        return
    execution["status"] = "TIMED_OUT"
    execution["stopDate"] = now_iso()
    execution["error"] = "States.Timeout"
    stepfunctions._add_event(
        execution,
        "ExecutionTimedOut",
        {"executionTimedOutEventDetails": {"error": "States.Timeout"}},
    )
    stepfunctions._emit_execution_status_event(execution)


def _fail(fail: Callable[..., None], execution: Execution, error: str, cause: str) -> None:
    if execution["status"] == "RUNNING":
        fail(execution, error, cause)


def _add(
    add: Callable[..., dict[str, Any]], execution: Execution, event_type: str, details: dict[str, Any] | None
) -> dict[str, Any]:
    """Add an event to the history, unless the execution has ended."""
    events = execution["events"]
    if events and events[-1]["type"] in _ENDINGS:
        return {}
    return add(execution, event_type, details)


def _invoke_with_timeout(resource: str, input_data: Any, timeout: float) -> Any:
    """Run the task. After the timeout, mark it as over and raise States.Timeout."""
    over = threading.Event()
    context = contextvars.copy_context()
    context.run(_TASK_OVER.set, over)
    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(context.run, stepfunctions._invoke_resource, resource, input_data)
    pool.shutdown(wait=False)
    try:
        return future.result(timeout=timeout)
    except FutureTimeoutError:
        over.set()
        raise stepfunctions._ExecutionError("States.Timeout", "") from None
