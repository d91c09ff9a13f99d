"""Which calls to the account shall go wrong next? The faults a test asked for, and how often each was met.

A fault names its call as IAM policies do (`states:StartExecution`, `sns:Publish`), whoever makes it:
a client, a function or a state machine. It lets the first `after` calls pass, strikes `times` times, and is
over.
"""

import threading
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class Fault:
    """One way in which one call goes wrong: with the error code `error`, or, where `kills` names a function,
    by the sudden death of that function's processes while they make the call. `status` is HTTP's."""

    action: str
    error: str = ""
    kills: str = ""
    times: int = 1
    after: int = 0
    status: int = 400
    met: int = 0
    """How often it has struck."""


_lock = threading.Lock()
_faults: list[Fault] = []


def replace_all(wanted: Any) -> None:
    """These faults, and no others, from now on; none for an empty list. Raises ValueError for one that is no
    fault."""
    made = [_fault(each) for each in wanted] if isinstance(wanted, list) else None
    if made is None:
        raise ValueError("faults come as a list")
    with _lock:
        _faults[:] = made


def shown() -> list[dict[str, Any]]:
    """The faults with how often each has struck."""
    with _lock:
        return [asdict(fault) for fault in _faults]


def expected() -> bool:
    """Whether any call may run into a fault."""
    return any(fault.met < fault.times for fault in _faults)


def strike(action: str) -> Fault | None:
    """The fault that this call runs into, if any; each strikes as often as it was told to."""
    with _lock:
        for fault in _faults:
            if fault.action != action or fault.met == fault.times:
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.met += 1
            return fault
    return None


def _fault(document: Any) -> Fault:
    names = [field.name for field in fields(Fault) if field.name != "met"]
    if not isinstance(document, dict) or not set(document) <= set(names):
        raise ValueError(f"a fault has {', '.join(names)}; not {document!r}")
    if ":" not in str(document.get("action")):
        raise ValueError("a fault's action is a service and a call, such as sns:Publish")
    fault = Fault(**document)
    if not all(isinstance(number, int) for number in (fault.times, fault.after, fault.status)):
        raise ValueError("a fault's times, after and status are numbers")
    if bool(fault.error) == bool(fault.kills):
        raise ValueError("a fault has an error, or kills a function")
    return fault
