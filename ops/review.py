"""What should a reviewer of infrastructure look at? One page that compares two synthesized apps.

`python -m ops.review BEFORE AFTER` takes two directories of `cdk synth` (cdk.out) and prints Markdown: on top
what replaces resources or widens rights, below what else changes. Files that end in `.diff` beside the
templates of AFTER (what `cdk diff` said) are folded in.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.template_changes import Replacement, Right, Template, new_rights, replacements

MARKER = "<!-- taxi-etl infrastructure review -->"
"""First line, by which the workflow finds its earlier comment."""
MOST_CHARACTERS = 60_000
"""GitHub takes comments of at most 65,536."""
MOST_ROWS = 100
SUFFIX = ".template.json"
NOTHING: Template = {}


@dataclass(frozen=True)
class Change:
    """One stack's change; lists are resources by path."""

    stack: str
    replacements: list[Replacement]
    rights: list[Right]
    added: list[str]
    changed: list[str]
    said: str = ""
    """What `cdk diff` said."""

    @property
    def is_empty(self) -> bool:
        """Whether the stack stays as it is."""
        return not (self.replacements or self.rights or self.added or self.changed)


def compare(before: Path, after: Path) -> list[Change]:
    """Every stack of either directory. Raises FileNotFoundError for a directory without any template."""
    old, new = _templates(before), _templates(after)
    return [
        _change(stack, old.get(stack, NOTHING), new.get(stack, NOTHING), after / f"{stack}.diff")
        for stack in sorted(old.keys() | new.keys())
    ]


def _templates(directory: Path) -> dict[str, dict[str, Any]]:
    found = {
        path.name.removesuffix(SUFFIX): json.loads(path.read_text()) for path in directory.glob(f"*{SUFFIX}")
    }
    if not found:
        raise FileNotFoundError(f"{directory} holds no templates: run `cdk synth --output {directory}`")
    return found


def _change(stack: str, before: Template, after: Template, said: Path) -> Change:
    old, new = before.get("Resources", {}), after.get("Resources", {})
    both = sorted(old.keys() & new.keys())
    return Change(
        stack,
        replacements(before, after),
        new_rights(before, after),
        sorted(f"{name} ({new[name]['Type']})" for name in new.keys() - old.keys()),
        [f"{name} ({new[name]['Type']})" for name in both if _deployed(old[name]) != _deployed(new[name])],
        said.read_text() if said.exists() else "",
    )


def _deployed(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "Metadata"}


def page(changes: Sequence[Change]) -> str:
    """The review as Markdown, short enough for a comment."""
    meant = [change for change in changes if not change.is_empty]
    if not meant:
        return f"{MARKER}\n### Infrastructure\n\nNothing changes.\n"
    parts = [MARKER, "### Infrastructure", _verdict(meant)]
    for change in meant:
        parts += [f"#### {change.stack}", *_replaced(change), *_widened(change), *_others(change)]
    text = "\n\n".join(parts) + "\n"
    room = MOST_CHARACTERS - len(text)
    for change in meant:
        said = _fold(f"cdk diff {change.stack}", change.said) if change.said else ""
        if len(said) > room:
            said = f"\n`cdk diff {change.stack}` is too long for a comment; the job's artifact has it.\n"
        text += said
        room -= len(said)
    return _cut(text, MOST_CHARACTERS)


def _verdict(changes: Sequence[Change]) -> str:
    replaced = [each for change in changes for each in change.replacements]
    rights = [each for change in changes for each in change.rights]
    flags = []
    if any(each.loses_data for each in replaced):
        flags.append("⚠️ **Data may go: a stateful resource is replaced or removed.**")
    elif replaced:
        flags.append("⚠️ **Resources are replaced or removed.**")
    if any(right.is_wide for right in rights):
        flags.append("⚠️ **New rights with wildcards.**")
    elif rights:
        flags.append("⚠️ **New rights.**")
    return "  \n".join(flags) or "No replacement, no new right."


def _replaced(change: Change) -> list[str]:
    if not change.replacements:
        return []
    rows = [
        f"| `{each.resource}` | {each.type} | {each.why} | "
        f"{'yes' if each.certain else 'perhaps'}{', **holds data**' if each.loses_data else ''} |"
        for each in change.replacements
    ]
    return ["\n".join(["| resource | type | why | is replaced |", "|---|---|---|---|", *_some(rows, 4)])]


def _widened(change: Change) -> list[str]:
    if not change.rights:
        return []
    rows = [
        f"| `{right.holder}` | {_code(right.who)} | {_code(right.action)} | {_code(right.resource)} | "
        f"{_code(right.condition)} | {'**wide**' if right.is_wide else ''} |"
        for right in sorted(change.rights, key=lambda right: (not right.is_wide, right))
    ]
    head = ["| whose policy | who | may | on | if | |", "|---|---|---|---|---|---|"]
    return ["\n".join([*head, *_some(rows, 6)])]


def _others(change: Change) -> list[str]:
    lines = [f"- added: {name}" for name in change.added] + [f"- changed: {name}" for name in change.changed]
    if len(lines) > MOST_ROWS:
        lines = [*lines[:MOST_ROWS], f"- and {len(lines) - MOST_ROWS} more"]
    return ["\n".join(lines)] if lines else []


def _some(rows: list[str], columns: int) -> list[str]:
    if len(rows) <= MOST_ROWS:
        return rows
    return [*rows[:MOST_ROWS], f"| and {len(rows) - MOST_ROWS} more {'|' * columns}"]


def _code(text: str) -> str:
    return f"`{text.replace('|', '¦').replace('`', chr(39))}`" if text else ""


def _fold(title: str, text: str) -> str:
    return f"\n<details><summary>{title}</summary>\n\n~~~~~~\n{text.strip()}\n~~~~~~\n\n</details>\n"


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    notice = "\n\nThis is not all; the job's artifact holds both apps.\n"
    return text[: most - len(notice)].rsplit("\n", 1)[0] + notice


def main() -> None:
    """The command line of this module."""
    if len(sys.argv) != 3:
        sys.exit("usage: python -m ops.review BEFORE AFTER")
    try:
        print(page(compare(Path(sys.argv[1]), Path(sys.argv[2]))), end="")
    except FileNotFoundError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
