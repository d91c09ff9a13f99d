"""How AWS bills a job run, a crawl and a function, at the prices of `taxi_etl.list_prices`.

Job runs are billed by the second with a minimum of one minute. A crawl is billed by the second with a minimum
of ten minutes, in AWS's example for 2 DPUs. A function is billed for its memory, for ephemeral storage beyond
512 MB, and per request.
"""

from collections.abc import Mapping
from typing import Any

from taxi_etl.list_prices import PRICES, usd

GLUE_USD_PER_DPU_HOUR = PRICES["glue_job"].usd
GLUE_MINIMUM_SECONDS = 60
CRAWL_DPU_HOURS = 2 * 600 / 3600
"""Minimum DPU-hours that a crawl is billed for."""
COST_DIGITS = 4
"""Decimal places of a cost in US dollars."""
FUNCTION_FREE_STORAGE_MB = 512
FUNCTION_COST_DIGITS = 6
"""Decimal places of a function's cost in US dollars, which is far below a cent."""


def dpu_hours(run: Mapping[str, Any]) -> float | None:
    """The DPU-hours of a job run as Glue describes it, or None if the description lacks its time or capacity.

    Glue reports DPUSeconds with auto scaling; otherwise they are the time multiplied by the capacity. A run
    that was stopped in Glue's queue has taken no time and costs nothing.
    """
    if "DPUSeconds" in run:
        return float(run["DPUSeconds"]) / 3600
    if "ExecutionTime" not in run or "MaxCapacity" not in run:
        return None
    seconds = max(run["ExecutionTime"], GLUE_MINIMUM_SECONDS) if run["ExecutionTime"] else 0
    return float(seconds * run["MaxCapacity"]) / 3600


def job_run_usd(hours: float) -> float:
    """The cost of a job run of these DPU-hours in US dollars."""
    return round(usd("glue_job", hours), COST_DIGITS)


def crawl_usd() -> float:
    """The least that a crawl costs in US dollars."""
    return round(usd("glue_crawler", CRAWL_DPU_HOURS), COST_DIGITS)


def function_usd(milliseconds: int, memory_mb: int, storage_mb: int) -> float:
    """The cost of one invocation of a function in US dollars, not rounded.

    It leaves out the start of the environment.
    """
    seconds = milliseconds / 1000
    beyond_mb = max(0, storage_mb - FUNCTION_FREE_STORAGE_MB)
    memory = usd("function_memory", seconds * memory_mb / 1024)
    storage = usd("function_storage", seconds * beyond_mb / 1024)
    return memory + storage + usd("function_request", 1)
