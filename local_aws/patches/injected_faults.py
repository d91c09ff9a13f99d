"""What if AWS itself fails? A test asks for faults with `POST /_local/faults`, and calls run into them.

Nothing of the emulator is mended here: without a fault asked for, no call is touched. An error comes as the
service would send it: JSON or XML to a client, `SERVICE.ErrorException` to a state machine.
"""

from typing import Any

from ministack import app
from ministack.core import iam_actions, lambda_runtime, responses
from ministack.services import stepfunctions

from local_aws import fault_injection
from local_aws.patches import patching

_MESSAGE = "a fault that was asked for"
_SERVICES = {"glue": "Glue", "lambda": "Lambda", "s3": "S3", "sns": "SNS"}
"""The services that the workflow calls, as its errors spell them."""


def apply() -> None:
    """Stand before every call from outside, and before every task of a state machine."""
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
        lambda *request: _answer(dispatch, *request),
    )
    invoke = patching.replace(
        stepfunctions,
        "_invoke_resource",
        "resource input_data",
        lambda resource, input_data: _invoke(invoke, resource, input_data),
    )


async def _answer(dispatch: Any, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
    """The service's answer, or that of a fault; whoever is killed does not hear it."""
    if not fault_injection.expected():
        return await dispatch(method, path, headers, body, *rest)
    query = app._routing_params(method, path, headers, body, rest[0])
    service = app.detect_service(method, path, headers, query)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, query)
    fault = fault_injection.strike(action or "")
    if fault is None:
        return await dispatch(method, path, headers, body, *rest)
    if fault.kills:
        _kill(fault.kills)
        return 500, {}, b""
    if "x-amz-target" in headers:
        return responses.error_response_json(fault.error, _MESSAGE, fault.status)
    return responses.error_response_xml(fault.error, _MESSAGE, fault.status)


def _invoke(invoke: Any, resource: str, input_data: Any) -> Any:
    """The task's result, or the error that a fault makes of it."""
    service, action = _called(resource)
    fault = fault_injection.strike(f"{service}:{action[:1].upper()}{action[1:]}")
    if fault is None:
        return invoke(resource, input_data)
    name = fault.error if fault.error.endswith("Exception") else f"{fault.error}Exception"
    raise stepfunctions._ExecutionError(
        f"{_SERVICES.get(service, service)}.{name}",
        f"{_MESSAGE} (Service: {service}; Status Code: {fault.status}; Error Code: {fault.error}; "
        "Request ID: LOCAL)",
    )


def _called(resource: str) -> tuple[str, str]:
    """The service and call in `arn:aws:states:::sns:publish` or `arn:aws:states:::aws-sdk:s3:getObject`."""
    parts = resource.split(".", maxsplit=1)[0].split(":")
    return (parts[-2], parts[-1]) if len(parts) > 6 else ("", "")


def _kill(function: str) -> None:
    """End the function's processes that work on something, without a word of farewell."""
    for key, workers in list(lambda_runtime._workers.items()):
        if function in key.split(":"):
            for worker in workers:
                if worker.in_use and worker._proc is not None:
                    worker._proc.kill()
