"""Metrics of every invocation, and embedded metrics that a function prints.

MiniStack 1.5.33: Counts only calls of the Invoke API, and keeps a printed metric as a log line.
AWS: Counts every invocation, whatever its source, and turns the embedded metric format in a log into data
points.
Source: Lambda developer guide, "Types of metrics for Lambda functions"; CloudWatch user guide,
"Specification: Embedded metric format".
Delete when: MiniStack counts invocations by event sources and Step Functions, and reads the embedded metric
format.
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
    """Count in the function that all invocations share; leave only throttles to the emulator's own count."""
    dispatch = patching.replace(
        lambda_svc,
        "_execute_function_dispatch",
        "func config event request_id started",
        lambda func, config, event, request_id, started: _dispatch_and_publish(
            dispatch, func, config, event, request_id, started
        ),
    )
    emit = patching.replace(
        lambda_svc,
        "_emit_lambda_metrics",
        "function_name duration_ms error throttle",
        lambda function_name, duration_ms, error, throttle: (
            emit(function_name, duration_ms, error, throttle) if throttle else None
        ),
    )


def _dispatch_and_publish(dispatch: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
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
    """Yield the data points of a printed line, one for each dimension set; none for other JSON."""
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
