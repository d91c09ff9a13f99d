"""What does a job run cost? AWS list prices that notifications and metrics quote.

Source: AWS Glue pricing, us-east-1: Glue 6.0 is billed 30 % below the 0.44 USD per DPU-hour of 5.x,
by the second with a minimum of one minute.
"""

from collections.abc import Mapping
from typing import Any

GLUE_USD_PER_DPU_HOUR = 0.308
GLUE_MINIMUM_SECONDS = 60
COST_DIGITS = 4
"""Decimal places of a cost in US dollars."""


def dpu_hours(run: Mapping[str, Any]) -> float | None:
    """The DPU-hours of a job run as Glue describes it, None when that does not tell.

    DPUSeconds where Glue counts them (auto scaling), else the time by the run's whole capacity. A run that
    never got a worker (stopped while it waited) has taken no time and costs nothing.
    """
    if "DPUSeconds" in run:
        return float(run["DPUSeconds"]) / 3600
    if "ExecutionTime" not in run or "MaxCapacity" not in run:
        return None
    seconds = max(run["ExecutionTime"], GLUE_MINIMUM_SECONDS) if run["ExecutionTime"] else 0
    return float(seconds * run["MaxCapacity"]) / 3600


def cost_usd(hours: float) -> float:
    """US dollars of so many DPU-hours."""
    return round(hours * GLUE_USD_PER_DPU_HOUR, COST_DIGITS)
