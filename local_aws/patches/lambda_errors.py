"""The class, message and stack of a function's exception, and the name of a throttled call's error.

MiniStack 1.5.33: Reports every exception as `Runtime.HandlerError`, and a throttled task as `Lambda.Unknown`.
AWS: Answers `{"errorMessage", "errorType", "requestId", "stackTrace"}`. Step Functions matches Retry and
Catch against errorType, and passes the document as text in Cause. A throttled task ends in
`Lambda.TooManyRequestsException`.
Source: Lambda developer guide, "Lambda function errors in Python"; Step Functions developer guide, "Handling
errors".
Delete when: MiniStack's Python worker reports the exception's class and stack, and its tasks throttling.
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
    """Have the worker process report class and stack, and copy them into the response."""
    patching.substitute(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _WORKER_BEFORE, _WORKER_AFTER)
    invoke = patching.replace(
        lambda_runtime.Worker,
        "invoke",
        "self event request_id trace_id depth durable invoked_function_arn",
        lambda self, *args, **kwargs: _keep_answer(invoke, self, *args, **kwargs),
    )
    execute = patching.replace(
        lambda_svc,
        "_execute_function_warm",
        "func event request_id",
        lambda func, event, request_id: _with_class(execute, func, event, request_id),
    )
    throttled = patching.replace(
        lambda_svc,
        "_throttle_response",
        "reason_code msg retry_after",
        lambda *args, **kwargs: _with_throttling_error(throttled(*args, **kwargs)),
    )


def _with_throttling_error(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer to a throttled call with the error that Step Functions reports."""
    answer["body"]["errorType"] = "Lambda.TooManyRequestsException"
    return answer


def _keep_answer(invoke: Callable[..., dict[str, Any]], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Return the worker's answer, and keep it for `_with_class` on this thread."""
    answer = invoke(*args, **kwargs)
    _last.answer = answer
    return answer


def _with_class(
    execute: Callable[..., dict[str, Any]], func: Any, event: Any, request_id: str
) -> dict[str, Any]:
    """Return the function's result, an error with its exception's class."""
    _last.answer = {}
    result = execute(func, event, request_id)
    body, answer = result.get("body"), _last.answer
    if result.get("error") and isinstance(body, dict) and body.get("errorType") == _GENERIC:
        body["errorType"] = answer.get("errorType", "Runtime.ExitError")
        body["requestId"] = request_id
        body["stackTrace"] = answer.get("stackTrace", [])
    return result
