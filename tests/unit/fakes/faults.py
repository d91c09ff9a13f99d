"""Exceptions of botocore, and a base class of fakes that raise them on request."""

from collections import defaultdict
from typing import Any

from botocore.exceptions import ClientError


def fault(code: str, operation: str = "Operation", **more: Any) -> ClientError:
    """Return the exception that botocore raises for an error code."""
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)


class Faulty:
    """Base class of a fake client: it records calls, and raises the exceptions that a test queued."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Exception]] = defaultdict(list)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def fail(self, operation: str, *faults: Exception) -> None:
        """Make the next calls of an operation raise these exceptions, one each."""
        self._faults[operation] += faults

    def note(self, operation: str, arguments: dict[str, Any]) -> None:
        """Record a call and raise its queued exception, if any; every operation calls this first."""
        self.calls.append((operation, arguments))
        if self._faults[operation]:
            raise self._faults[operation].pop(0)

    def arguments(self, operation: str) -> list[dict[str, Any]]:
        """Return the arguments of each call of an operation."""
        return [arguments for name, arguments in self.calls if name == operation]
