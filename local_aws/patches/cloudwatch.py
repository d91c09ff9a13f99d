"""Step Functions metrics, and alarms that evaluate their own dimensions and missing data.

MiniStack 1.5.33: Publishes no AWS/States metrics. An alarm counts a metric over all dimensions, and keeps its
state when no data arrive.
AWS: Publishes AWS/States metrics by StateMachineArn, ExecutionTime in milliseconds. An alarm reads only its
own dimensions. When a period has no data, TreatMissingData decides.
Source: Step Functions developer guide, "Monitoring Step Functions metrics using Amazon CloudWatch";
CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".
Delete when: MiniStack publishes AWS/States metrics, and evaluates alarms by dimension and TreatMissingData.

Alarms are evaluated on every data point and every two seconds; AWS evaluates them once a period.
"""

import logging
import threading
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ministack.services import cloudwatch, stepfunctions

from local_aws.patches import patching

_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
_MISSING = {"notBreaching": "OK", "breaching": "ALARM", "missing": "INSUFFICIENT_DATA"}
"""The state of an alarm without data, by TreatMissingData. `ignore` keeps the state."""
_EVERY_SECONDS = 2
_evaluation_lock = threading.RLock()
"""Prevents two threads from reporting the same change of state."""
_log = logging.getLogger("local_aws")


def apply() -> None:
    """Publish on every status change; evaluate alarms on their own dimensions, on data and periodically."""
    emit = patching.replace(
        stepfunctions,
        "_emit_execution_status_event",
        "execution",
        lambda execution: _emit(emit, execution),
    )
    for name in (
        "_store_datum",
        "_evaluate_all_alarms",
        "_record_history",
        "_dispatch_alarm_actions",
        "_evaluate_parent_alarms",
    ):
        patching.attribute(cloudwatch, name)
    patching.attribute(stepfunctions, "_iso_to_epoch_ms")
    evaluate = patching.replace(
        cloudwatch, "_evaluate_alarm", "alarm", lambda alarm: _evaluate_own(evaluate, alarm)
    )
    threading.Thread(target=_evaluate_periodically, daemon=True, name="alarms").start()


def publish(namespace: str, dimensions: dict[str, str], values: dict[str, tuple[float, str]]) -> None:
    """Store data points (metric name to value and unit) and evaluate the alarms."""
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
    """Evaluate an alarm on the data of its own dimensions only."""
    metric = (alarm.get("Namespace"), alarm.get("MetricName"), cloudwatch._dims_key(_dimensions(alarm)))
    since = time.time() - alarm["Period"] * alarm["EvaluationPeriods"]
    own = [point for point in list(cloudwatch._metrics.get(metric, ())) if point["Timestamp"] >= since]
    with _evaluation_lock:
        if own:
            # The same code with other globals, because other threads write to the real store concurrently.
            FunctionType(evaluate.__code__, {**vars(cloudwatch), "_metrics": {metric: own}})(alarm)
            return
        state = _MISSING.get(alarm["TreatMissingData"], alarm["StateValue"])
        if state != alarm["StateValue"]:
            periods = f"{alarm['EvaluationPeriods']} periods of {alarm['Period']} seconds"
            _change_state(alarm, state, f"no data in {periods}")


def _change_state(alarm: dict[str, Any], state: str, reason: str) -> None:
    """Change an alarm's state and run its actions."""
    before = alarm["StateValue"]
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _evaluate_periodically() -> None:
    while True:
        time.sleep(_EVERY_SECONDS)
        try:
            cloudwatch._evaluate_all_alarms()
        except Exception:  # An alarm may be deleted during its evaluation.
            _log.exception("evaluating the alarms failed")


def _dimensions(alarm: dict[str, Any]) -> dict[str, str]:
    dimensions = alarm.get("Dimensions") or []
    if isinstance(dimensions, dict):
        return dimensions
    return {dimension["Name"]: dimension["Value"] for dimension in dimensions}
