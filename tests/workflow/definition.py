"""The state machine's definition, read from the synthesized template."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.infra.templates import Stacks, flat, only, resources

ACCOUNT = "000000000000"
REGION = "us-east-1"
_REFERENCE = re.compile(r"\$\{(\w+)(?:\.\w+)?\}")
Definition = dict[str, Any]


def machine_template(stacks: Stacks) -> Definition:
    """Return the definition with `${Reference}` wherever CloudFormation inserts a value."""
    machine = only(stacks.pipeline, "AWS::StepFunctions::StateMachine")
    joined = machine.properties["DefinitionString"]["Fn::Join"]
    parts = [
        "${Partition}" if part == {"Ref": "AWS::Partition"} else flat(part).replace("${AWS::", "${")
        for part in joined[1]
    ]
    parsed: Definition = json.loads(joined[0].join(parts))
    return parsed


def reference_values(stacks: Stacks, topic_arn: str) -> dict[str, str]:
    """Return the values that CloudFormation would insert in an account of the emulator."""
    values = {"Partition": "aws", "AccountId": ACCOUNT, "Region": REGION}
    for resource in resources(stacks.pipeline):
        name = resource.properties.get("FunctionName") or resource.properties.get("Name")
        match resource.type:
            case "AWS::SNS::Topic":
                values[resource.id] = topic_arn
            case "AWS::Lambda::Function":
                values[resource.id] = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
            case "AWS::Glue::Job" | "AWS::Glue::Crawler":
                values[resource.id] = name
    return values


def resolved(template: Mapping[str, Any], values: Mapping[str, str]) -> Definition:
    """Return the definition with its references replaced by values, as AWS receives it."""
    text = _REFERENCE.sub(lambda match: values[match[1]], json.dumps(template))
    parsed: Definition = json.loads(text)
    return parsed
