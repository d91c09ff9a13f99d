"""Helpers to read synthesized templates: resources by type, intrinsic functions as text."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PARTITION = {"Ref": "AWS::Partition"}


@dataclass(frozen=True)
class Stacks:
    """Both templates of one environment."""

    lake: dict[str, Any]
    pipeline: dict[str, Any]
    tags: tuple[dict[str, str], dict[str, str]]
    protected: tuple[bool, bool]
    deployed_first: set[str]
    """Names of the stacks that are deployed before the pipeline."""

    def all(self) -> dict[str, dict[str, Any]]:
        return {"data_lake": self.lake, "pipeline": self.pipeline}


@dataclass(frozen=True)
class Resource:
    """One resource: `id` is its logical id, `path` its construct path."""

    id: str
    type: str
    properties: dict[str, Any]
    raw: dict[str, Any]

    @property
    def path(self) -> str:
        return str(self.raw.get("Metadata", {}).get("aws:cdk:path", self.id))


def resources(template: Mapping[str, Any], kind: str = "") -> list[Resource]:
    """The template's resources of a type such as `AWS::SQS::Queue`."""
    return [
        Resource(name, body["Type"], body.get("Properties", {}), body)
        for name, body in template["Resources"].items()
        if body["Type"].startswith(kind)
    ]


def only(template: Mapping[str, Any], kind: str, **properties: Any) -> Resource:
    """The only resource of that type with these properties."""
    found = [
        each
        for each in resources(template, kind)
        if each.type == kind and all(each.properties.get(name) == value for name, value in properties.items())
    ]
    assert len(found) == 1, f"{len(found)} resources are {kind} with {properties}"
    return found[0]


def flat(value: Any) -> str:  # noqa: PLR0911  (one line per intrinsic function)
    """A value with intrinsic functions as text, such as `${Bucket.Arn}/runs/*`."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        return json.dumps(value, sort_keys=True)
    (function, argument), *_ = value.items()
    match function:
        case "Ref":
            return "aws" if value == PARTITION else f"${{{argument}}}"
        case "Fn::GetAtt":
            return f"${{{'.'.join(argument)}}}"
        case "Fn::Join":
            return str(argument[0]).join(flat(part) for part in argument[1])
        case "Fn::Sub":
            return str(argument)
        case "Fn::Select":
            return f"${{{flat(argument[1])}[{argument[0]}]}}"
        case "Fn::Split":
            return flat(argument[1])
        case _:
            return json.dumps(value, sort_keys=True)


def machine_definition(stacks: Stacks) -> dict[str, Any]:
    machine = only(stacks.pipeline, "AWS::StepFunctions::StateMachine")
    parsed: dict[str, Any] = json.loads(flat(machine.properties["DefinitionString"]))
    return parsed


def readable(template: Mapping[str, Any], text: str) -> str:
    """A text without what CDK generates: hashes of logical ids and keys of assets."""
    for name in sorted(template["Resources"], key=len, reverse=True):
        text = text.replace(name, _ID_HASH.sub("", name))
    return _ASSET.sub("ASSET", text)


_ID_HASH = re.compile(r"[0-9A-F]{8}$")
_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


def permissions(template: Mapping[str, Any]) -> dict[str, set[str]]:
    """The permissions by role path: `action on resource` (`if condition`) for each pair."""
    found: dict[str, set[str]] = {}
    for policy in resources(template, "AWS::IAM::Policy"):
        (role,) = policy.properties["Roles"]
        path = Resource(role["Ref"], "", {}, template["Resources"][role["Ref"]]).path
        held = found.setdefault(path.split("/", 1)[1].removesuffix("/Resource"), set())
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            condition = statement.get("Condition")
            suffix = f" if {json.dumps(condition, sort_keys=True)}" if condition else ""
            held.update(
                f"{action} on {readable(template, flat(resource))}{suffix}"
                for action in _listed(statement["Action"])
                for resource in _listed(statement["Resource"])
            )
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
