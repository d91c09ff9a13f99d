"""The answer of the function for small batches to the state machine, and its metrics."""

import json
from typing import Any

from lambdas.observability import gauge, logger, measure
from taxi_etl.billing import FUNCTION_COST_DIGITS, function_usd
from taxi_etl.documents import shorten
from taxi_etl.metrics import Metric
from taxi_etl.notifications import CAUSE_MAX


def report(summary: str, declined: str, *, seconds: float, memory_mb: int, storage_mb: int) -> dict[str, Any]:
    """Send the metrics of one invocation that took `seconds`, and return its answer.

    The answer is `costUsd` in US dollars with the load's `summary`, or with `declined` if nothing was loaded.
    """
    milliseconds = round(1000 * seconds)
    cost = round(function_usd(milliseconds, memory_mb, storage_mb), FUNCTION_COST_DIGITS)
    gauge(Metric.SMALL_BATCH_DECLINED_PERCENT, 100 if declined else 0)
    measure(Metric.SMALL_BATCH_COST_USD, cost)
    logger.info("small batch ended", declined=declined or None, milliseconds=milliseconds, cost_usd=cost)
    if declined:
        return {"declined": shorten(declined, CAUSE_MAX), "costUsd": cost}
    return {"summary": json.loads(summary), "costUsd": cost}
