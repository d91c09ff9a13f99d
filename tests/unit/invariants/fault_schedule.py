"""What may happen at a call to AWS? The caller dies, the call fails before or after it worked, or others act.

Every call of a function's clients passes a `Line`. An invocation meets at most one setback, at the call of
that number; what happens meanwhile may meet its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ReadTimeoutError
from fakes.faults import fault

REPEATABLE = frozenset({"update_item", "start_execution", "publish"})
"""Calls that the SDK sends again by itself when the answer got lost, with no token that makes them one."""


class Killed(BaseException):
    """The invocation ends here: no handler of errors runs."""


class InjectedFault(StrEnum):
    """What happens at one call."""

    KILLED_BEFORE = "killed before the call"
    KILLED_AFTER = "killed after the call"
    REFUSED = "the call fails"
    UNANSWERED = "the call works, its answer is lost"
    SENT_TWICE = "the answer is lost, and the SDK sends the call again"
    MEANWHILE = "others act before the call"


@dataclass
class Plan:
    """One setback at the call number `at`, counted from 1; `done` tells whether it came to that."""

    setback: InjectedFault
    at: int
    meanwhile: Callable[[], None] | None = None
    calls: int = 0
    done: bool = False
    operation: str = ""


class Line:
    """The line between functions and AWS."""

    def __init__(self) -> None:
        self._plans: list[Plan | None] = []

    @contextmanager
    def invocation(self, plan: Plan | None) -> Iterator[None]:
        """An invocation whose calls follow a plan."""
        self._plans.append(plan)
        try:
            yield
        finally:
            self._plans.pop()

    def to(self, client: Any) -> Any:
        """A client whose calls pass this line."""
        return _Client(self, client)

    def call(self, operation: str, send: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """One call, with the setback that is due."""
        plan = self._plans[-1] if self._plans else None
        if plan is None:
            return send(**arguments)
        plan.calls += 1
        if plan.calls != plan.at:
            return send(**arguments)
        plan.done, plan.operation = True, operation
        if plan.setback is InjectedFault.KILLED_BEFORE:
            raise Killed
        if plan.setback is InjectedFault.REFUSED:
            raise fault("ThrottlingException", operation)
        if plan.setback is InjectedFault.MEANWHILE and plan.meanwhile:
            plan.meanwhile()
        answer = send(**arguments)
        if plan.setback is InjectedFault.SENT_TWICE and operation in REPEATABLE:
            answer = send(**arguments)
        if plan.setback is InjectedFault.KILLED_AFTER:
            raise Killed
        if plan.setback is InjectedFault.UNANSWERED:
            raise ReadTimeoutError(endpoint_url="https://aws.example")
        return answer


class _Client:
    def __init__(self, line: Line, client: Any) -> None:
        self._line = line
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        send = getattr(self._client, operation)
        return lambda **arguments: self._line.call(operation, send, arguments)
