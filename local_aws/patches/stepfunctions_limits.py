"""The size limit between states, and the errors that States.ALL does not match.

MiniStack 1.5.33: Has no size limit, and States.ALL matches every error.
AWS: An output above 262,144 bytes fails with States.DataLimitExceeded. States.ALL and States.TaskFailed match
neither that error nor States.Runtime.
Source: Step Functions developer guide, "Service quotas", "Handling errors in Step Functions workflows".
Delete when: MiniStack enforces the limit, and exempts both errors from States.ALL and States.TaskFailed.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

from local_aws.patches import patching
from local_aws.patches.stepfunctions_endings import EXECUTION

MAX_BYTES = 262_144
TERMINAL_ERRORS = frozenset({"States.DataLimitExceeded", "States.Runtime"})
_PLAIN_STATES = ("_execute_pass", "_execute_choice", "_execute_wait")
_WORKING_STATES = ("_execute_task", "_execute_parallel", "_execute_map")


def apply() -> None:
    """Check the size of tasks' results and states' outputs, and restrict States.ALL."""
    for name in _PLAIN_STATES:
        _limit(name, "state_def raw_input ctx")
    for name in _WORKING_STATES:
        _limit(name, "state_def raw_input execution ctx")
    invoke = patching.replace(
        stepfunctions,
        "_invoke_resource",
        "resource input_data",
        lambda resource, input_data: _checked(invoke(resource, input_data)),
    )
    matches = patching.replace(
        stepfunctions,
        "_error_matches",
        "error_equals error",
        lambda error_equals, error: (
            error in error_equals if error in TERMINAL_ERRORS else matches(error_equals, error)
        ),
    )


def _limit(name: str, parameters: str) -> None:
    execute: Callable[..., Any]

    def limited(*args: Any) -> Any:
        output, following = execute(*args)
        return _checked(output), following

    execute = patching.replace(stepfunctions, name, parameters, limited)


def _checked(value: Any) -> Any:
    """Return the value. Raises States.DataLimitExceeded above the limit."""
    if len(json.dumps(value, ensure_ascii=False, default=str).encode()) > MAX_BYTES:
        raise stepfunctions._ExecutionError(
            "States.DataLimitExceeded",
            f"The state/task '{state_name()}' returned a result with a size exceeding the maximum number of "
            "bytes service limit.",
        )
    return value


def state_name() -> str:
    """Return the state that this thread's execution entered last."""
    for event in reversed((EXECUTION.get() or {}).get("events", [])):
        if "stateEnteredEventDetails" in event:
            return str(event["stateEnteredEventDetails"]["name"])
    return ""
