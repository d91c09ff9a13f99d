"""Faults that a test requests: failing calls and killed functions.

MiniStack 1.5.33: Cannot make an arbitrary call fail.
AWS: Any call may be throttled or fail, and a function's process may end in the middle of a call.
Source: Step Functions developer guide, "Handling errors in Step Functions workflows"; each service's API
reference, "Common errors".
Delete when: MiniStack can fail the calls that a test names, as often as the test requests.

`POST /_local/faults` sets the faults. Without one, no call is changed. An error has the service's own form:
JSON or XML for a client, `SERVICE.ErrorException` for a state machine.
"""

from typing import Any

from ministack import app
from ministack.core import iam_actions, lambda_runtime, responses
from ministack.services import stepfunctions

from local_aws import fault_injection
from local_aws.patches import patching

_MESSAGE = "a fault injected by a test"
_SERVICES = {"glue": "Glue", "lambda": "Lambda", "s3": "S3", "sns": "SNS"}
"""The services that the workflow calls, as Step Functions spells them in error names."""


def apply() -> None:
    """Intercept every call of a client and every task of a state machine."""
    for owner, name in (
        (app, "detect_service"),
        (app, "_routing_params"),
        (iam_actions, "extract_iam_action"),
        (lambda_runtime, "_workers"),
        (responses, "error_response_json"),
        (responses, "error_response_xml"),
    ):
        patching.attribute(owner, name)
    dispatch = patching.replace(
        app,
        "_dispatch_service_request",
        "method path headers body query_params request_id",
        lambda *request: _dispatch_or_fail(dispatch, *request),
    )
    invoke = patching.replace(
        stepfunctions,
        "_invoke_resource",
        "resource input_data",
        lambda resource, input_data: _invoke(invoke, resource, input_data),
    )


async def _dispatch_or_fail(
    dispatch: Any, method: str, path: str, headers: Any, body: bytes, *rest: Any
) -> Any:
    """Return the service's response, or that of a fault."""
    if not fault_injection.any_pending():
        return await dispatch(method, path, headers, body, *rest)
    query = app._routing_params(method, path, headers, body, rest[0])
    service = app.detect_service(method, path, headers, query)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, query)
    fault = fault_injection.next_fault(action or "")
    if fault is None:
        return await dispatch(method, path, headers, body, *rest)
    if fault.kills:
        _kill(fault.kills)
        return 500, {}, b""
    if "x-amz-target" in headers:
        return responses.error_response_json(fault.error, _MESSAGE, fault.status)
    return responses.error_response_xml(fault.error, _MESSAGE, fault.status)


def _invoke(invoke: Any, resource: str, input_data: Any) -> Any:
    """Return the task's result. Raises the fault's error."""
    service, action = _service_and_action(resource)
    fault = fault_injection.next_fault(f"{service}:{action[:1].upper()}{action[1:]}")
    if fault is None:
        return invoke(resource, input_data)
    name = fault.error if fault.error.endswith("Exception") else f"{fault.error}Exception"
    raise stepfunctions._ExecutionError(
        f"{_SERVICES.get(service, service)}.{name}",
        f"{_MESSAGE} (Service: {service}; Status Code: {fault.status}; Error Code: {fault.error}; "
        "Request ID: LOCAL)",
    )


def _service_and_action(resource: str) -> tuple[str, str]:
    """Return the service and action of a resource such as `arn:aws:states:::sns:publish`."""
    parts = resource.split(".", maxsplit=1)[0].split(":")
    return (parts[-2], parts[-1]) if len(parts) > 6 else ("", "")


def _kill(function: str) -> None:
    """Kill the function's busy processes."""
    for key, workers in list(lambda_runtime._workers.items()):
        if function in key.split(":"):
            for worker in workers:
                if worker.in_use and worker._proc is not None:
                    worker._proc.kill()
