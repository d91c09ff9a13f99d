"""What in a changed template deserves a second look? Replacements, and rights that were not there before.

Pure functions of two synthesized templates, so a review needs no account and says the same each time. Whether
a property's change replaces its resource comes from AWS's own resource schemas, as cfn-lint ships them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

Template = Mapping[str, Any]

KEEPS_DATA = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
    }
)
"""Types whose resources hold what cannot be made again."""

DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy", "ResourcePolicy")
SCHEMA_REGION = "us-east-1"
"""The region whose schemas are asked; which properties replace does not differ between regions."""


@dataclass(frozen=True, order=True)
class Replacement:
    """A resource that CloudFormation will or may delete; `why` is half a sentence."""

    resource: str
    type: str
    why: str
    certain: bool

    @property
    def loses_data(self) -> bool:
        """Whether what is deleted may hold data (unless it is retained)."""
        return self.type in KEEPS_DATA


@dataclass(frozen=True, order=True)
class Right:
    """One thing that somebody may do. `holder` is a role's policy, or the resource that the policy guards."""

    holder: str
    who: str
    action: str
    resource: str
    condition: str

    @property
    def is_wide(self) -> bool:
        """Whether a wildcard stands for all actions of a service, all resources or all principals."""
        return self.action.endswith("*") or self.resource == "*" or self.who == "*"


def replacements(before: Template, after: Template) -> list[Replacement]:
    """Resources that are deleted, with or without a successor."""
    return sorted(_replacements(before, after))


def _replacements(before: Template, after: Template) -> Iterator[Replacement]:
    new = after.get("Resources", {})
    for name, body in before.get("Resources", {}).items():
        kind = body["Type"]
        if name not in new:
            yield Replacement(_path(name, body), kind, "is removed, or its logical id changed", True)
        elif new[name]["Type"] != kind:
            yield Replacement(_path(name, body), kind, f"becomes {new[name]['Type']}", True)
        else:
            changed = _changed(body.get("Properties", {}), new[name].get("Properties", {}))
            surely, perhaps = _replacing(kind)
            for certain, properties in ((True, surely), (False, perhaps - surely)):
                for prop in sorted(changed & properties):
                    yield Replacement(_path(name, body), kind, f"changes {prop}", certain)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _replacing(kind: str) -> tuple[set[str], set[str]]:
    """The top-level properties whose change replaces a resource of this type: always, and perhaps.

    A nested property counts as perhaps: the change may be in another part. Types without a schema have none.
    """
    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(SCHEMA_REGION, kind).schema
    except Exception as error:
        if type(error).__name__ != "ResourceNotFoundError":
            raise
        return set(), set()
    always = [path.split("/")[2:] for path in schema.get("createOnlyProperties") or ()]
    sometimes = [path.split("/")[2:] for path in schema.get("conditionalCreateOnlyProperties") or ()]
    surely = {parts[0] for parts in always if len(parts) == 1}
    return surely, {parts[0] for parts in (*always, *sometimes)} - surely


def new_rights(before: Template, after: Template) -> list[Right]:
    """What is allowed afterwards and was not before; a refusal (Deny) that is gone is such a right too."""
    old_allowed, old_denied = _rights(before)
    allowed, denied = _rights(after)
    gone = {replace(each, action=f"no longer denied: {each.action}") for each in old_denied - denied}
    return sorted((allowed - old_allowed) | gone)


def _rights(template: Template) -> tuple[set[Right], set[Right]]:
    """Everything that the template's policies allow, and everything they deny."""
    found: dict[str, set[Right]] = {"Allow": set(), "Deny": set()}
    names = _Names(template)
    for name, body in template.get("Resources", {}).items():
        holder = _path(name, body)
        properties = body.get("Properties", {})
        for document in _documents(properties):
            for statement in _listed(document.get("Statement", [])):
                found[statement["Effect"]].update(_expand(holder, statement, names))
        for arn in _listed(properties.get("ManagedPolicyArns", [])):
            found["Allow"].add(Right(holder, "", "everything in", names.text(arn), ""))
        if body["Type"] == "AWS::Lambda::Permission":
            found["Allow"].add(_permission(properties, names, holder))
    return found["Allow"], found["Deny"]


def _documents(properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in DOCUMENTS:
        if isinstance(properties.get(name), dict):
            yield properties[name]
    for policy in _listed(properties.get("Policies", [])):
        if isinstance(policy, dict) and isinstance(policy.get("PolicyDocument"), dict):
            yield policy["PolicyDocument"]


def _expand(holder: str, statement: Mapping[str, Any], names: "_Names") -> Iterator[Right]:
    condition = names.text(statement["Condition"]) if statement.get("Condition") else ""
    for who in _principals(statement, names):
        for verb in ("Action", "NotAction"):
            for action in _listed(statement.get(verb, [])):
                for noun in ("Resource", "NotResource"):
                    for resource in _listed(statement.get(noun, [] if noun == "NotResource" else [""])):
                        prefix = "" if noun == "Resource" else "everything but "
                        act = action if verb == "Action" else f"everything but {action}"
                        yield Right(holder, who, act, prefix + names.text(resource), condition)


def _principals(statement: Mapping[str, Any], names: "_Names") -> list[str]:
    for key, prefix in (("Principal", ""), ("NotPrincipal", "everybody but ")):
        principal = statement.get(key)
        if isinstance(principal, dict):
            return [
                prefix + names.text(who) for kind in sorted(principal) for who in _listed(principal[kind])
            ]
        if principal is not None:
            return [prefix + str(principal)]
    return [""]


def _permission(properties: Mapping[str, Any], names: "_Names", holder: str) -> Right:
    limits = {
        name: properties[name]
        for name in ("SourceArn", "SourceAccount", "PrincipalOrgID")
        if name in properties
    }
    return Right(
        holder,
        names.text(properties["Principal"]),
        names.text(properties["Action"]),
        names.text(properties["FunctionName"]),
        names.text(limits) if limits else "",
    )


class _Names:
    """Texts for values with references: `${Lake/Bucket.Arn}/runs/*`."""

    def __init__(self, template: Template) -> None:
        self._paths = {name: _path(name, body) for name, body in template.get("Resources", {}).items()}

    def text(self, value: Any) -> str:
        """The value as one line."""
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return "[" + ", ".join(sorted(self.text(each) for each in value)) + "]"
        if not isinstance(value, dict):
            return json.dumps(value)
        if len(value) == 1 and (reference := self._reference(*next(iter(value.items())))):
            return reference
        return "{" + ", ".join(f"{name}: {self.text(value[name])}" for name in sorted(value)) + "}"

    def _reference(self, function: str, argument: Any) -> str:
        """The text of an intrinsic function; of anything else an empty one."""
        if function == "Ref":
            return f"${{{self._paths.get(argument, argument)}}}"
        if function == "Fn::GetAtt":
            name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
            return f"${{{self._paths.get(name, name)}.{self.text(attribute)}}}"
        if function == "Fn::Join":
            return str(argument[0]).join(self.text(part) for part in argument[1])
        return json.dumps({function: argument}, sort_keys=True) if function.startswith("Fn::") else ""


def _path(name: str, body: Mapping[str, Any]) -> str:
    """A resource's construct path without the stack and CDK's closing `/Resource`, else its logical id."""
    path = body.get("Metadata", {}).get("aws:cdk:path")
    return str(path).split("/", 1)[-1].removesuffix("/Resource") if path else name


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
