"""How much may travel through a state machine? 256 KiB between states, and no catch-all saves more.

AWS: a state's or task's output above 262,144 bytes fails with States.DataLimitExceeded, which like
States.Runtime is terminal: States.ALL and States.TaskFailed do not match it. The emulator has no limit.
Sources: Step Functions developer guide, "Service quotas", "Handling errors in Step Functions workflows".
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
    """Check what tasks return and what states hand on, and what a catch-all matches."""
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
    """The value, when it is small enough to travel."""
    if len(json.dumps(value, ensure_ascii=False, default=str).encode()) > MAX_BYTES:
        raise stepfunctions._ExecutionError(
            "States.DataLimitExceeded",
            f"The state/task '{state_name()}' returned a result with a size exceeding the maximum number of "
            "bytes service limit.",
        )
    return value


def state_name() -> str:
    """The state that the execution of this thread entered last."""
    for event in reversed((EXECUTION.get() or {}).get("events", [])):
        if "stateEnteredEventDetails" in event:
            return str(event["stateEnteredEventDetails"]["name"])
    return ""
