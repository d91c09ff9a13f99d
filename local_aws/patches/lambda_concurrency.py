"""Limit of simultaneous invocations of one function.

MiniStack 1.5.33: Runs all invocations at once. Each of hundreds then gets too little of the machine to end
before its timeout.
AWS: Runs each invocation on CPUs of its own.
Source: Lambda developer guide, "Understanding Lambda function scaling".
Delete when: MiniStack lets invocations wait for a CPU.
"""

import os
import threading
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from local_aws.patches import patching

INVOCATIONS_MAX = max(2, os.cpu_count() or 1)
"""How many invocations of one function run at the same time; others wait before their timeout begins."""
_lock = threading.Lock()
_turns: dict[str, threading.Semaphore] = {}


def apply() -> None:
    """Let invocations wait in the function that all of them share."""
    dispatch = patching.replace(
        lambda_svc,
        "_execute_function_dispatch",
        "func config event request_id started",
        lambda *args: _take_turn(dispatch, *args),
    )


def _take_turn(dispatch: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    with _turns_of(args[1]["FunctionName"]):
        return dispatch(*args)


def _turns_of(function: str) -> threading.Semaphore:
    with _lock:
        return _turns.setdefault(function, threading.Semaphore(INVOCATIONS_MAX))
