"""Does a patch still fit the emulator? Replaces one function of it, or says clearly that it cannot.

The emulator's version is pinned, so a patch that fits once fits until somebody raises the pin. Then a
function may be gone or take other arguments; replacing it blindly would fail far from the cause, or not at
all.
"""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

PINNED_VERSION = "1.5.33"


class PatchMismatchError(Exception):
    """A patch meets an emulator it was not written for."""


def check_version(version: str) -> None:
    """Raises PatchMismatchError when the emulator is not the version the patches were written for."""
    if version != PINNED_VERSION:
        raise PatchMismatchError(
            f"the patches in local_aws fit ministack {PINNED_VERSION}, this is {version}"
        )


def attribute(owner: ModuleType | type, name: str) -> Any:
    """The attribute a patch reads or replaces. Raises PatchMismatchError when there is none."""
    try:
        return getattr(owner, name)
    except AttributeError:
        raise PatchMismatchError(f"{owner.__name__}.{name} is gone; {_advice()}") from None


def replace(
    owner: ModuleType | type, name: str, parameters: str, replacement: Callable[..., Any]
) -> Callable[..., Any]:
    """Put `replacement` in the place of `owner.name` and return the original.

    `parameters` are the names the original must take, separated by spaces. Raises PatchMismatchError otherwise.
    """
    original: Callable[..., Any] = attribute(owner, name)
    found = " ".join(inspect.signature(original).parameters)
    if found != parameters:
        raise PatchMismatchError(f"{owner.__name__}.{name} takes ({found}), not ({parameters}); {_advice()}")
    setattr(owner, name, replacement)
    return original


def substitute(owner: ModuleType, name: str, old: str, new: str) -> None:
    """Change a piece of a text constant, which must hold it exactly once. Raises PatchMismatchError otherwise."""
    text = attribute(owner, name)
    if text.count(old) != 1:
        raise PatchMismatchError(f"{owner.__name__}.{name} does not hold {old!r} once; {_advice()}")
    setattr(owner, name, text.replace(old, new))


def _advice() -> str:
    return f"the patch fits ministack {PINNED_VERSION}: adapt it, or drop it when the emulator does it now"
