"""The answer of the function for small batches to the state machine, and its metrics."""

from typing import Any

from lambdas.observability import gauge, logger, measure
from taxi_etl.billing import FUNCTION_COST_DIGITS, function_usd
from taxi_etl.documents import shorten
from taxi_etl.metrics import Metric
from taxi_etl.notifications import CAUSE_MAX


def report(declined: str | None, *, seconds: float, memory_mb: int, storage_mb: int) -> dict[str, Any]:
    """Send the metrics of one invocation that took `seconds`, and return its answer.

    The answer is `{"costUsd"}` in US dollars, and `declined` with the reason if nothing was loaded.
    """
    milliseconds = round(1000 * seconds)
    cost = round(function_usd(milliseconds, memory_mb, storage_mb), FUNCTION_COST_DIGITS)
    gauge(Metric.SMALL_BATCH_DECLINED_PERCENT, 0 if declined is None else 100)
    measure(Metric.SMALL_BATCH_COST_USD, cost)
    logger.info("small batch ended", declined=declined, milliseconds=milliseconds, cost_usd=cost)
    answer = {} if declined is None else {"declined": shorten(declined, CAUSE_MAX)}
    return {**answer, "costUsd": cost}
