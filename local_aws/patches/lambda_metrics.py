"""What does an invocation tell CloudWatch? Lambda's own metrics, and those the function prints.

AWS counts every invocation, whoever made it, and makes data points of the embedded metric format in a
function's log. The emulator counts only calls of the Invoke API, and keeps the printed line as a log event.
Sources: Lambda developer guide, "Types of metrics for Lambda functions"; Amazon CloudWatch user guide,
"Specification: Embedded metric format".
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import lambda_svc

from local_aws.patches import patching
from local_aws.patches.cloudwatch import publish

Point = tuple[str, dict[str, str], dict[str, tuple[float, str]]]
"""Namespace, dimensions, and values: metric to value and unit."""


def apply() -> None:
    """Count where every invocation passes; leave the emulator's own count to throttles."""
    dispatch = patching.replace(
        lambda_svc,
        "_execute_function_dispatch",
        "func config event request_id started",
        lambda *args: _counting(dispatch, *args),
    )
    emit = patching.replace(
        lambda_svc,
        "_emit_lambda_metrics",
        "function_name duration_ms error throttle",
        lambda function_name, duration_ms, error, throttle: (
            emit(function_name, duration_ms, error, throttle) if throttle else None
        ),
    )


def _counting(dispatch: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    begun = time.monotonic()
    result = dispatch(*args)
    values = {
        "Invocations": (1.0, "Count"),
        "Errors": (1.0 if result.get("error") else 0.0, "Count"),
        "Duration": ((time.monotonic() - begun) * 1000, "Milliseconds"),
    }
    publish("AWS/Lambda", {"FunctionName": args[1]["FunctionName"]}, values)
    for line in (result.get("log") or "").splitlines():
        if line.startswith("{") and '"_aws"' in line:
            for point in data_points(line):
                publish(*point)
    return result


def data_points(line: str) -> Iterator[Point]:
    """The data points of one printed line, one for each of its dimension sets; none for other JSON."""
    try:
        document = json.loads(line)
    except ValueError:
        return
    for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
        values = {
            metric["Name"]: (_total(document[metric["Name"]]), metric.get("Unit", "None"))
            for metric in directive["Metrics"]
            if metric["Name"] in document
        }
        for names in directive.get("Dimensions") or [[]]:
            yield directive["Namespace"], {name: str(document[name]) for name in names}, values


def _total(value: float | list[float]) -> float:
    return float(sum(value)) if isinstance(value, list) else float(value)
