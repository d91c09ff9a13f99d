"""Tests that dev, prod and local fit in one account, and each in every partition."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import synthesize
from .templates import Stacks, flat, resources

NAMED_BY = {
    "AWS::Athena::NamedQuery": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Glue::Crawler": "Name",
    "AWS::Glue::Database": "DatabaseInput",
    "AWS::Glue::Job": "Name",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Logs::QueryDefinition": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
"""The property that names a resource in its account and region."""
UNNAMED = {
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
"""Resource types that CloudFormation names, or that have no name."""


def names(stacks: Stacks) -> list[tuple[str, str]]:
    """The physical name of each resource that has one, with its kind."""
    found = []
    for template in stacks.all().values():
        for each in resources(template):
            if each.type in NAMED_BY:
                named = each.properties[NAMED_BY[each.type]]
                found.append(
                    (each.type, flat(named["Name"] if isinstance(named, dict) and "Name" in named else named))
                )
            else:
                assert each.type in UNNAMED, f"how is {each.type} named? {each.path}"
                assert "Name" not in each.properties, each.path
                if "RoleName" in each.properties:
                    found.append((each.type, flat(each.properties["RoleName"])))
                counted = each.properties.get("MetricTransformations", ())
                found += [("metric", transformation["MetricName"]) for transformation in counted]
    return found


def test_no_two_environments_use_the_same_name(environments: dict[str, Stacks]) -> None:
    found = [
        (*name, environment)
        for environment in ("dev", "prod", "local")
        for name in names(environments[environment])
    ]
    assert len(found) > 100
    owners: dict[tuple[str, str], list[str]] = {}
    for kind, name, environment in found:
        owners.setdefault((kind, name), []).append(environment)
    assert {name: those for name, those in owners.items() if len(those) > 1} == {}


def test_no_two_stacks_export_the_same_name(environments: dict[str, Stacks]) -> None:
    for environment in ("dev", "prod", "local"):
        for template in environments[environment].all().values():
            assert [output for output in template["Outputs"].values() if "Export" in output] == []


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_every_arn_is_of_the_partition_of_the_region(tmp_path: Path, region: str, partition: str) -> None:
    from stacks.settings import DEV

    stacks = synthesize(tmp_path, DEV, place=("111122223333", region))

    found = {match for template in stacks.all().values() for match in partitions(template)}
    assert found <= {partition, "AWS::Partition"}
    assert found


def partitions(template: Any) -> set[str]:
    """The partitions of all ARNs in a template; `AWS::Partition` where CloudFormation inserts it."""
    text = re.sub(r'",\s*\{"Ref": "AWS::Partition"\},\s*"', "AWS::Partition", json.dumps(template))
    text = text.replace("${AWS::Partition}", "AWS::Partition")
    return set(re.findall(r"arn:([\w-]+(?:::Partition)?):", text))
