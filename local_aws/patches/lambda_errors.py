"""What does a caller learn about a function's exception? Its class, message and stack.

AWS answers `{"errorMessage", "errorType", "requestId", "stackTrace"}`; Step Functions makes errorType the
Error that Retry and Catch match, and the whole document, as text, the Cause. The emulator always says
`Runtime.HandlerError`.
Source: AWS Lambda developer guide, "Lambda function errors in Python".
"""

import threading
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local_aws.patches import patching

_GENERIC = "Runtime.HandlerError"
_WORKER_BEFORE = '"error": str(e), "trace": traceback.format_exc()}'
_WORKER_AFTER = (
    '"error": str(e), "trace": traceback.format_exc(), "errorType": type(e).__name__, '
    '"stackTrace": traceback.format_tb(e.__traceback__)[1:]}'
)
_last = threading.local()


def apply() -> None:
    """Have the worker process tell the class, and carry it into the answer."""
    patching.substitute(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _WORKER_BEFORE, _WORKER_AFTER)
    invoke = patching.replace(
        lambda_runtime.Worker,
        "invoke",
        "self event request_id trace_id depth durable invoked_function_arn",
        lambda self, *args, **kwargs: _remembering(invoke, self, *args, **kwargs),
    )
    execute = patching.replace(
        lambda_svc,
        "_execute_function_warm",
        "func event request_id",
        lambda func, event, request_id: _with_class(execute, func, event, request_id),
    )


def _remembering(invoke: Callable[..., dict[str, Any]], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """The worker's answer, kept for the caller on this thread."""
    answer = invoke(*args, **kwargs)
    _last.answer = answer
    return answer


def _with_class(
    execute: Callable[..., dict[str, Any]], func: Any, event: Any, request_id: str
) -> dict[str, Any]:
    """The function's result; a failure names the exception's class."""
    _last.answer = {}
    result = execute(func, event, request_id)
    body, answer = result.get("body"), _last.answer
    if result.get("error") and isinstance(body, dict) and body.get("errorType") == _GENERIC:
        body["errorType"] = answer.get("errorType", "Runtime.ExitError")
        body["requestId"] = request_id
        body["stackTrace"] = answer.get("stackTrace", [])
    return result
