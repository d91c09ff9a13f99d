"""A single fault of the definition, and the edits that faults consist of.

Paths start with the name of a state.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.workflow.scenario import GLUE

Definition = dict[str, Any]
Edit = Callable[[Definition], None]


@dataclass(frozen=True)
class Mutant:
    """One fault, put into the definition by `edit`.

    `killed_by` is a check of checks.py, `asl_validator`, or the name of a scenario that then fails. `engine`
    is the setting with which the definition is synthesized.
    """

    name: str
    killed_by: str
    edit: Edit
    engine: str = GLUE


def remove(*path: Any) -> Edit:
    """Remove a field or an entry of a list."""
    *parents, last = path

    def edit(definition: Definition) -> None:
        del _at(definition, parents)[last]

    return edit


def set_field(*path_and_value: Any) -> Edit:
    """Set a field."""
    *parents, last, value = path_and_value

    def edit(definition: Definition) -> None:
        _at(definition, parents)[last] = value

    return edit


def replace_text(old: str, new: str, *path: Any) -> Edit:
    """Replace a piece of a text, which must be there."""
    *parents, last = path

    def edit(definition: Definition) -> None:
        holder = _at(definition, parents)
        assert old in holder[last], f"{path} does not contain {old!r}"
        holder[last] = holder[last].replace(old, new)

    return edit


def rename_field(old: str, new: str, *path: Any) -> Edit:
    """Give a field another name."""

    def edit(definition: Definition) -> None:
        holder = _at(definition, path)
        holder[new] = holder.pop(old)

    return edit


def swap_entries(first: int, second: int, *path: Any) -> Edit:
    """Exchange two entries of a list."""

    def edit(definition: Definition) -> None:
        entries = _at(definition, path)
        entries[first], entries[second] = entries[second], entries[first]

    return edit


def both(first: Edit, second: Edit) -> Edit:
    """Combine the two edits of one fault."""

    def edit(definition: Definition) -> None:
        first(definition)
        second(definition)

    return edit


def set_machine_field(name: str, value: Any) -> Edit:
    """Set a field of the state machine itself; None removes it."""

    def edit(definition: Definition) -> None:
        definition.pop(name)
        if value is not None:
            definition[name] = value

    return edit


def _at(definition: Definition, path: Any) -> Any:
    found: Any = definition["States"]
    for key in path:
        found = found[key]
    return found
