"""How long does a retry wait? IntervalSeconds times BackoffRate to the attempt, bounded and jittered.

The emulator ignores MaxDelaySeconds and JitterStrategy and waits a minute at most. Here each retry waits as
AWS would (times SFN_WAIT_SCALE), and what it would have waited is recorded: `GET
/_local/retries?execution=ARN`.
Source: Amazon States Language, "Retrying after error"; JitterStrategy FULL draws between 0 and the delay.
"""

import random
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

from local_aws.patches import patching
from local_aws.patches.stepfunctions_endings import EXECUTION, scaled_sleep
from local_aws.patches.stepfunctions_limits import state_name

_DEFAULT_INTERVAL_SECONDS = 1
_DEFAULT_BACKOFF_RATE = 2.0
Retrier = dict[str, Any]


def apply() -> None:
    """Wait where the retrier is chosen, and tell the emulator to add nothing."""
    find = patching.replace(
        stepfunctions,
        "_find_matching_retrier",
        "retriers error retry_counts",
        lambda retriers, error, retry_counts: _find(find, retriers, error, retry_counts),
    )


def recorded(execution_arn: str) -> list[dict[str, Any]]:
    """The retries of an execution: state, row of its Retry, error, attempt (from 1), delay, jitter."""
    for execution in stepfunctions._executions.all_values():
        if execution["executionArn"] == execution_arn:
            return list(execution.get("retries", []))
    return []


def delay_seconds(retrier: Retrier, retries_before: int) -> float:
    """The delay before the next retry, without jitter."""
    interval = retrier.get("IntervalSeconds", _DEFAULT_INTERVAL_SECONDS)
    delay = float(interval * retrier.get("BackoffRate", _DEFAULT_BACKOFF_RATE) ** retries_before)
    return min(delay, float(retrier.get("MaxDelaySeconds", delay)))


def _find(
    find: Callable[..., tuple[Retrier | None, int]],
    retriers: list[Retrier],
    error: str,
    retry_counts: dict[int, int],
) -> tuple[Retrier | None, int]:
    retrier, index = find(retriers, error, retry_counts)
    if retrier is None:
        return retrier, index
    retries_before = retry_counts.get(index, 0)
    delay = delay_seconds(retrier, retries_before)
    jitter = retrier.get("JitterStrategy", "NONE")
    execution = EXECUTION.get()
    if execution is not None:
        entry = {"state": state_name(), "row": index, "error": error, "attempt": retries_before + 1}
        execution.setdefault("retries", []).append({**entry, "delaySeconds": delay, "jitter": jitter})
    scaled_sleep(random.uniform(0, delay) if jitter == "FULL" else delay)  # noqa: S311  (spreads load, no secret)
    return {**retrier, "IntervalSeconds": 0, "BackoffRate": 1.0}, index
