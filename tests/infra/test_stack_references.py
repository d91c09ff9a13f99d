"""Tests that the pipeline names the data lake's resources as text.

CloudFormation compares templates as text. A changed name that is only behind a reference to the other stack
would not be deployed.
"""

import json
from dataclasses import fields

import pytest

from .templates import Stacks, flat, resources

LAKE, PIPELINE = "data_lake", "pipeline"
BOTH = {LAKE, PIPELINE}
# setting: the stacks whose templates hold its value, and the value in the environment `custom`
NAMED_IN = {
    "environment": (BOTH, "etl-file-ledger-custom"),
    "bucket_name": (BOTH, "our-taxi-lake"),
    "existing_buckets": (BOTH, "our-old-bucket"),
    "existing_topics": ({LAKE}, "our-uploads"),
    "existing_key_arns": (BOTH, "key/0ld0ld0l-12ab-34cd-56ef-1234567890ab"),
    "kms_key_arn": (BOTH, "key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    "alert_emails": ({PIPELINE}, "oncall@example.com"),
    "runbook_url": ({PIPELINE}, "https://wiki.example.com/taxi#executionsfailed"),
}
DELIVERY = {"delivery_repository", "delivery_branch"}
"""Settings of the delivery stack, which shares no resource with the others."""
OTHERS = {"worker_type", "log_level", "lambda_python", "lambda_architecture"}
"""Settings of type `str` that name no resource."""


def test_no_template_reads_another_stack(environments: dict[str, Stacks]) -> None:
    for stacks in environments.values():
        for template in stacks.all().values():
            text = json.dumps(template)
            assert "Fn::GetStackOutput" not in text
            assert "Fn::ImportValue" not in text
            assert not [name for name in template["Outputs"] if name.startswith(("Publish", "Export"))]


@pytest.mark.parametrize(("environment", "prefix"), [("prod", "TaxiDataLake"), ("dev", "TaxiDataLake-dev")])
def test_the_data_lake_is_deployed_before_the_pipeline(
    environments: dict[str, Stacks], environment: str, prefix: str
) -> None:
    assert environments[environment].deployed_first == {prefix}


@pytest.mark.parametrize("environment", ["dev", "prod", "local", "custom", "auto"])
def test_the_pipeline_names_every_resource_of_the_data_lake(
    environments: dict[str, Stacks], environment: str
) -> None:
    stacks = environments[environment]
    names = {
        "AWS::S3::Bucket": "BucketName",
        "AWS::SQS::Queue": "QueueName",
        "AWS::DynamoDB::Table": "TableName",
        "AWS::Glue::Database": "DatabaseInput",
    }
    texts = set(_texts(stacks.pipeline))

    for each in resources(stacks.lake):
        if each.type in names:
            name = each.properties[names[each.type]]
            name = name["Name"] if isinstance(name, dict) and "Name" in name else name
            assert any(flat(name) in text for text in texts), each.path


@pytest.mark.parametrize("setting", NAMED_IN)
def test_a_changed_name_changes_every_template_that_uses_it(
    prod: Stacks, custom: Stacks, setting: str
) -> None:
    stacks, value = NAMED_IN[setting]

    assert {stack for stack, template in custom.all().items() if value in json.dumps(template)} == stacks
    assert {stack for stack, template in prod.all().items() if value in json.dumps(template)} == set()


def test_no_default_name_is_left_where_a_setting_names_the_bucket(custom: Stacks) -> None:
    assert "oubt-datalake" not in json.dumps(custom.all())


def test_every_setting_that_could_name_something_is_covered() -> None:
    from stacks.settings import Settings

    texts = {field.name for field in fields(Settings) if field.type in (str, str | None, tuple[str, ...])}

    assert texts == {*NAMED_IN, *DELIVERY, *OTHERS}


def _texts(value: object) -> list[str]:
    """Every text in a template, with joined ones as one text."""
    if isinstance(value, dict):
        if "Fn::Join" in value:
            return [flat(value)]
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []
