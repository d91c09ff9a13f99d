"""Helpers that replace a part of the emulator, and fail when that part has changed.

The emulator's version is pinned, so a patch that matches keeps matching until the pin is raised. A newer
version may have removed a function or changed its parameters.
"""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

PINNED_VERSION = "1.5.33"


class PatchMismatchError(Exception):
    """A patch does not match this version of the emulator."""


def check_version(version: str) -> None:
    """Raise PatchMismatchError when the emulator's version is not the pinned one."""
    if version != PINNED_VERSION:
        raise PatchMismatchError(
            f"the patches in local_aws/patches are for ministack {PINNED_VERSION}, this is {version}: "
            "install the pinned version, or review each patch for the new one"
        )


def attribute(owner: ModuleType | type, name: str) -> Any:
    """Return an attribute that a patch reads or replaces. Raises PatchMismatchError when it is missing."""
    try:
        return getattr(owner, name)
    except AttributeError:
        raise PatchMismatchError(f"{owner.__name__}.{name} is missing; {_advice()}") from None


def replace(
    owner: ModuleType | type, name: str, parameters: str, replacement: Callable[..., Any]
) -> Callable[..., Any]:
    """Replace `owner.name` and return the original.

    `parameters` are the names the original must take, separated by spaces. Raises PatchMismatchError
    otherwise.
    """
    original: Callable[..., Any] = attribute(owner, name)
    found = " ".join(inspect.signature(original).parameters)
    if found != parameters:
        raise PatchMismatchError(f"{owner.__name__}.{name} takes ({found}), not ({parameters}); {_advice()}")
    setattr(owner, name, replacement)
    return original


def require(resource_type: str, properties: dict[str, Any], *names: str) -> None:
    """Check the required properties of a resource, as CloudFormation does. Raises ValueError."""
    for name in names:
        if not properties.get(name):
            raise ValueError(f"{resource_type} requires {name}")


def add(registry: dict[str, Any], name: str, entry: Any) -> None:
    """Add an entry to one of the emulator's registries. Raises PatchMismatchError when it has one already."""
    if name in registry:
        raise PatchMismatchError(f"the emulator supports {name} now: delete this patch")
    registry[name] = entry


def substitute(owner: ModuleType, name: str, old: str, new: str) -> None:
    """Replace `old` in a text constant. Raises PatchMismatchError unless it occurs exactly once."""
    text = attribute(owner, name)
    if text.count(old) != 1:
        raise PatchMismatchError(
            f"{owner.__name__}.{name} does not contain {old!r} exactly once; {_advice()}"
        )
    setattr(owner, name, text.replace(old, new))


def _advice() -> str:
    return f"the patch is for ministack {PINNED_VERSION}: adapt it, or delete it if it is no longer needed"
