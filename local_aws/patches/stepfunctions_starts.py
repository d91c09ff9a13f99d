"""StartExecution that is idempotent and validates its name and input.

MiniStack 1.5.33: Checks neither the name nor the input, and refuses every name that exists.
AWS: The same name with the same input returns the running execution of a standard workflow. A name has 1 to
80 characters without reserved ones; the input is JSON of at most 256 KiB.
Source: Step Functions API reference, "StartExecution".
Delete when: MiniStack returns the running execution, and validates name and input.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import stepfunctions

from local_aws.patches import patching
from local_aws.patches.stepfunctions_limits import MAX_BYTES

_FORBIDDEN = re.compile(r"""[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]""")


def apply() -> None:
    """Check name and input before the emulator starts the execution."""
    start = patching.replace(stepfunctions, "_start_execution", "data", lambda data: _start(start, data))
    patching.attribute(stepfunctions, "_resolve_state_machine_arn")


def _start(start: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    name, text = data.get("name"), data.get("input", "{}")
    if name is not None and (not 1 <= len(name) <= 80 or _FORBIDDEN.search(name)):
        return error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
    try:
        json.loads(text)
    except ValueError as error:
        return error_response_json(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
        )
    if len(text.encode()) > MAX_BYTES:
        return error_response_json("InvalidExecutionInput", f"Input must not exceed {MAX_BYTES} bytes", 400)
    running = _running(data, name)
    if running is not None and running["input"] == text:
        return json_response({"executionArn": running["executionArn"], "startDate": running["startDate"]})
    return start(data)


def _running(data: dict[str, Any], name: str | None) -> dict[str, Any] | None:
    """Return the running execution of this name, or None."""
    machine_arn = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", "").partition("#")[0])
    machine = stepfunctions._state_machines.get(machine_arn) if machine_arn else None
    if machine is None or name is None:
        return None
    arn = f"arn:aws:states:{get_region()}:{get_account_id()}:execution:{machine['name']}:{name}"
    execution: dict[str, Any] | None = stepfunctions._executions.get(arn)
    return execution if execution is not None and execution["status"] == "RUNNING" else None
