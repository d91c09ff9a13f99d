"""Retry delays with MaxDelaySeconds and jitter.

MiniStack 1.5.33: Ignores MaxDelaySeconds and JitterStrategy, and waits at most a minute.
AWS: Waits IntervalSeconds times BackoffRate to the power of the retries so far, at most MaxDelaySeconds.
JitterStrategy FULL draws between 0 and that delay.
Source: Amazon States Language, "Retrying after error"; Step Functions developer guide, "Retrying after an
error".
Delete when: MiniStack waits as the definition states, and the tests have another way to read the delays.

Delays are multiplied by SFN_WAIT_SCALE. `GET /_local/retries?execution=ARN` lists them unscaled.
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
    """Wait when the retrier is chosen, and set the emulator's own delay to 0."""
    find = patching.replace(
        stepfunctions,
        "_find_matching_retrier",
        "retriers error retry_counts",
        lambda retriers, error, retry_counts: _find(find, retriers, error, retry_counts),
    )


def recorded_retries(execution_arn: str) -> list[dict[str, Any]]:
    """Return an execution's retries: state, row of its Retry, error, attempt (from 1), delay, jitter."""
    for execution in stepfunctions._executions.all_values():
        if execution["executionArn"] == execution_arn:
            return list(execution.get("retries", []))
    return []


def delay_seconds(retrier: Retrier, retries_before: int) -> float:
    """Return the delay before the next retry in seconds, without jitter."""
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
