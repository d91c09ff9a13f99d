"""Faults that are injected into a function's calls to AWS.

Every call of a function's clients passes a `CallInterceptor`. An invocation has at most one fault, at the
call with the planned number. A concurrent action during that call may have another fault.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ReadTimeoutError
from fakes.faults import fault

REPEATABLE = frozenset({"update_item", "start_execution", "publish"})
"""Calls without an idempotency token, which the SDK may send again when the response is lost."""


class InvocationKilledError(BaseException):
    """The invocation ends immediately, without running any exception handler."""


class InjectedFault(StrEnum):
    """What happens at one call."""

    KILLED_BEFORE = "killed before the call"
    KILLED_AFTER = "killed after the call"
    CALL_FAILS = "the call fails"
    RESPONSE_LOST = "the call succeeds, its response is lost"
    SENT_TWICE = "the response is lost, and the SDK sends the call again"
    CONCURRENT_ACTION = "another actor acts before the call"


@dataclass
class PlannedFault:
    """A fault at the call number `at`, counted from 1; `done` and `operation` record it."""

    fault: InjectedFault
    at: int
    concurrent_action: Callable[[], None] | None = None
    calls: int = 0
    done: bool = False
    operation: str = ""


class CallInterceptor:
    """Passes the functions' calls on to fake clients, and injects the planned faults."""

    def __init__(self) -> None:
        self._planned: list[PlannedFault | None] = []

    @contextmanager
    def invocation(self, planned: PlannedFault | None) -> Iterator[None]:
        """Run the calls of one invocation with its planned fault; invocations may be nested."""
        self._planned.append(planned)
        try:
            yield
        finally:
            self._planned.pop()

    def intercept(self, client: Any) -> Any:
        """Return a client whose calls pass through this interceptor."""
        return _InterceptedClient(self, client)

    def call(self, operation: str, send: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Make one call, with the fault that is due."""
        planned = self._planned[-1] if self._planned else None
        if planned is None:
            return send(**arguments)
        planned.calls += 1
        if planned.calls != planned.at:
            return send(**arguments)
        planned.done, planned.operation = True, operation
        if planned.fault is InjectedFault.KILLED_BEFORE:
            raise InvocationKilledError
        if planned.fault is InjectedFault.CALL_FAILS:
            raise fault("ThrottlingException", operation)
        if planned.fault is InjectedFault.CONCURRENT_ACTION and planned.concurrent_action:
            planned.concurrent_action()
        response = send(**arguments)
        if planned.fault is InjectedFault.SENT_TWICE and operation in REPEATABLE:
            response = send(**arguments)
        if planned.fault is InjectedFault.KILLED_AFTER:
            raise InvocationKilledError
        if planned.fault is InjectedFault.RESPONSE_LOST:
            raise ReadTimeoutError(endpoint_url="https://aws.example")
        return response


class _InterceptedClient:
    def __init__(self, interceptor: CallInterceptor, client: Any) -> None:
        self._interceptor = interceptor
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        send = getattr(self._client, operation)
        return lambda **arguments: self._interceptor.call(operation, send, arguments)
