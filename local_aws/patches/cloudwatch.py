"""What do the alarms see? The metrics Step Functions publishes about its executions, each machine's apart.

The emulator publishes none, and its alarms count a metric over all dimensions. AWS publishes AWS/States by
StateMachineArn; ExecutionTime is in milliseconds.
Source: Step Functions developer guide, "Monitoring Step Functions metrics using Amazon CloudWatch".
"""

import time
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ministack.services import cloudwatch, stepfunctions

from local_aws.patches import fit

_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def apply() -> None:
    """Publish on every status change; evaluate alarms on their own dimensions."""
    emit = fit.replace(
        stepfunctions,
        "_emit_execution_status_event",
        "execution",
        lambda execution: _emit(emit, execution),
    )
    fit.attribute(cloudwatch, "_store_datum")
    fit.attribute(cloudwatch, "_evaluate_all_alarms")
    fit.attribute(stepfunctions, "_iso_to_epoch_ms")
    evaluate = fit.replace(
        cloudwatch, "_evaluate_alarm", "alarm", lambda alarm: _evaluate_own(evaluate, alarm)
    )


def publish(namespace: str, dimensions: dict[str, str], values: dict[str, tuple[float, str]]) -> None:
    """Put data points, metric name to value and unit, and evaluate the alarms."""
    now = time.time()
    for name, (value, unit) in values.items():
        cloudwatch._store_datum(namespace, name, dimensions, now, unit, value, None, None, None)
    cloudwatch._evaluate_all_alarms()


def _emit(emit: Callable[[dict[str, Any]], None], execution: dict[str, Any]) -> None:
    emit(execution)
    status = execution["status"]
    values = {_METRICS[status]: (1.0, "Count"), "ExecutionThrottled": (0.0, "Count")}
    if status != "RUNNING":
        started = stepfunctions._iso_to_epoch_ms(execution["startDate"])
        ended = stepfunctions._iso_to_epoch_ms(execution["stopDate"])
        values["ExecutionTime"] = (float(ended - started), "Milliseconds")
    publish("AWS/States", {"StateMachineArn": execution["stateMachineArn"]}, values)


def _evaluate_own(evaluate: Any, alarm: dict[str, Any]) -> None:
    """Evaluate an alarm with the data of its own dimensions in sight, and no other's."""
    metric = (alarm.get("Namespace"), alarm.get("MetricName"), cloudwatch._dims_key(_dimensions(alarm)))
    own = {metric: cloudwatch._metrics[metric]} if metric in cloudwatch._metrics else {}
    # the same code over other globals: other threads keep writing to the real store meanwhile
    FunctionType(evaluate.__code__, {**vars(cloudwatch), "_metrics": own})(alarm)


def _dimensions(alarm: dict[str, Any]) -> dict[str, str]:
    dimensions = alarm.get("Dimensions") or []
    if isinstance(dimensions, dict):
        return dimensions
    return {dimension["Name"]: dimension["Value"] for dimension in dimensions}
