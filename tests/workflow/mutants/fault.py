"""What if the definition had one fault? Single faults of our own definition, each with who must catch it.

`caught_by` is a check of checks.py, `asl_validator`, or the name of a scenario that then goes wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

States = dict[str, Any]


@dataclass(frozen=True)
class Mutant:
    """One fault, put into the definition's states by `change`."""

    name: str
    caught_by: str
    change: Callable[[States], Any]


def delete(*path: Any) -> Callable[[States], Any]:
    """Drop a field or an entry of a list."""

    def change(states: States) -> None:
        found: Any = states
        for step in path[:-1]:
            found = found[step]
        del found[path[-1]]

    return change


def put(*path_and_value: Any) -> Callable[[States], Any]:
    """Set a field."""
    *path, last, value = path_and_value

    def change(states: States) -> None:
        found: Any = states
        for step in path:
            found = found[step]
        found[last] = value

    return change


def write(old: str, new: str, *path: Any) -> Callable[[States], Any]:
    """Change a piece of a text, which must be there."""

    def change(states: States) -> None:
        found: Any = states
        for step in path[:-1]:
            found = found[step]
        assert old in found[path[-1]], f"{old} is not in {path}"
        found[path[-1]] = found[path[-1]].replace(old, new)

    return change


def rename(old: str, new: str, *path: Any) -> Callable[[States], Any]:
    """Give a field another name."""

    def change(states: States) -> None:
        found: Any = states
        for step in path:
            found = found[step]
        found[new] = found.pop(old)

    return change


def swap(first: Any, second: Any, *path: Any) -> Callable[[States], Any]:
    """Exchange two entries or fields."""

    def change(states: States) -> None:
        found: Any = states
        for step in path:
            found = found[step]
        found[first], found[second] = found[second], found[first]

    return change


def both(first: Callable[[States], Any], second: Callable[[States], Any]) -> Callable[[States], Any]:
    """One fault that shows in two places."""

    def change(states: States) -> None:
        first(states)
        second(states)

    return change
