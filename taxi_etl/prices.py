"""The costs of a job run, a crawl and a function, from the list prices in `taxi_etl.list_prices`.

Job runs are billed by the second with a minimum of one minute. A crawl is billed by the second with a minimum
of ten minutes, in AWS's example for 2 DPUs. A function is billed for its memory, for ephemeral storage beyond
512 MB, and per request.
"""

from collections.abc import Mapping
from typing import Any

from taxi_etl.list_prices import PRICES

GLUE_USD_PER_DPU_HOUR = PRICES["glue_job"].usd
GLUE_MINIMUM_SECONDS = 60
CRAWLER_USD_PER_DPU_HOUR = PRICES["glue_crawler"].usd
CRAWLER_DPUS = 2
CRAWLER_MINIMUM_SECONDS = 600
COST_DIGITS = 4
"""Decimal places of a cost in US dollars."""
FUNCTION_USD_PER_GB_SECOND = PRICES["function_memory"].usd
FUNCTION_USD_PER_STORAGE_GB_SECOND = PRICES["function_storage"].usd
FUNCTION_FREE_STORAGE_MB = 512
FUNCTION_USD_PER_REQUEST = PRICES["function_request"].usd
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


def cost_usd(hours: float) -> float:
    """The price of these DPU-hours in US dollars."""
    return round(hours * GLUE_USD_PER_DPU_HOUR, COST_DIGITS)


def crawl_cost_usd() -> float:
    """The least that a crawl costs in US dollars."""
    hours = CRAWLER_DPUS * CRAWLER_MINIMUM_SECONDS / 3600
    return round(hours * CRAWLER_USD_PER_DPU_HOUR, COST_DIGITS)


def function_cost_usd(milliseconds: int, memory_mb: int, storage_mb: int) -> float:
    """The price of one invocation of a function in US dollars, without the start of its environment."""
    memory = memory_mb / 1024 * FUNCTION_USD_PER_GB_SECOND
    storage = max(0, storage_mb - FUNCTION_FREE_STORAGE_MB) / 1024 * FUNCTION_USD_PER_STORAGE_GB_SECOND
    return round(milliseconds / 1000 * (memory + storage) + FUNCTION_USD_PER_REQUEST, FUNCTION_COST_DIGITS)
