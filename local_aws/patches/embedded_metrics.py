"""What becomes of metrics that functions print? CloudWatch makes data points of them.

AWS reads the embedded metric format from a function's log. The emulator keeps the line as a log event only.
Source: Amazon CloudWatch user guide, "Specification: Embedded metric format".
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import lambda_svc

from local_aws.patches import fit
from local_aws.patches.cloudwatch import publish


def apply() -> None:
    """Read the log of every invocation."""
    dispatch = fit.replace(
        lambda_svc,
        "_execute_function_dispatch",
        "func config event request_id started",
        lambda *args: _reading(dispatch, *args),
    )


def _reading(dispatch: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    result = dispatch(*args)
    for line in (result.get("log") or "").splitlines():
        if line.startswith("{") and '"_aws"' in line:
            for namespace, dimensions, values in data_points(line):
                publish(namespace, dimensions, values)
    return result


def data_points(line: str) -> Iterator[tuple[str, dict[str, str], dict[str, tuple[float, str]]]]:
    """Namespace, dimensions and values (metric to sum and unit) for each dimension set of one log line."""
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
