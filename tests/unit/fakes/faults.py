"""How does a stand-in misbehave? It raises what botocore would, when a test asked for it."""

from collections import defaultdict
from typing import Any

from botocore.exceptions import ClientError


def fault(code: str, operation: str = "Operation", **more: Any) -> ClientError:
    """The exception botocore raises for an error code."""
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)


class Faulty:
    """A client whose operations fail as often as they were told to."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Exception]] = defaultdict(list)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def fail(self, operation: str, *faults: Exception) -> None:
        """Let the next calls of an operation raise these, one each."""
        self._faults[operation] += faults

    def note(self, operation: str, arguments: dict[str, Any]) -> None:
        """To be called by every operation before anything else."""
        self.calls.append((operation, arguments))
        if self._faults[operation]:
            raise self._faults[operation].pop(0)

    def arguments(self, operation: str) -> list[dict[str, Any]]:
        """What an operation was called with, call by call."""
        return [arguments for name, arguments in self.calls if name == operation]
