"""Injected faults: calls to the account that a test wants to fail.

A fault names its call by the IAM action (`states:StartExecution`, `sns:Publish`) and applies to every caller:
a client, a function or a state machine. The first `after` calls pass, the next `times` calls fail, and later
calls pass again.
"""

import threading
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class Fault:
    """One call that fails: with the error code `error` and HTTP `status`, or, where `kills` names a function,
    because that function's processes are killed while they make the call."""

    action: str
    error: str = ""
    kills: str = ""
    times: int = 1
    after: int = 0
    status: int = 400
    occurred: int = 0
    """How often the call has failed."""


_lock = threading.Lock()
_faults: list[Fault] = []


def replace_all(wanted: Any) -> None:
    """Replace all faults; an empty list removes them. Raises ValueError for an invalid fault."""
    if not isinstance(wanted, list):
        raise ValueError(f"faults are a list, not {wanted!r}")
    made = [_parse(document) for document in wanted]
    with _lock:
        _faults[:] = made


def list_all() -> list[dict[str, Any]]:
    """Return the faults, with how often each has occurred."""
    with _lock:
        return [asdict(fault) for fault in _faults]


def any_pending() -> bool:
    """Return whether a fault has occurrences left."""
    return any(fault.occurred < fault.times for fault in _faults)


def next_fault(action: str) -> Fault | None:
    """Return the fault of this call and count it, None when the call may pass."""
    with _lock:
        for fault in _faults:
            if fault.action != action or fault.occurred == fault.times:
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.occurred += 1
            return fault
    return None


def _parse(document: Any) -> Fault:
    names = [field.name for field in fields(Fault) if field.name != "occurred"]
    if not isinstance(document, dict) or not set(document) <= set(names):
        raise ValueError(f"a fault has {', '.join(names)}; not {document!r}")
    if ":" not in str(document.get("action")):
        raise ValueError(
            f"a fault's action is an IAM action such as sns:Publish, not {document.get('action')!r}"
        )
    fault = Fault(**document)
    if not all(isinstance(number, int) for number in (fault.times, fault.after, fault.status)):
        raise ValueError("a fault's times, after and status are integers")
    if bool(fault.error) == bool(fault.kills):
        raise ValueError("a fault has either an error or the function that it kills")
    return fault
