"""Tests of all resources of all environments."""

import json
import re
from graphlib import TopologicalSorter
from typing import Any

import pytest

from .conftest import CDK_JSON, ROOT
from .templates import Stacks, resources

ENVIRONMENTS = ["dev", "prod", "local", "custom"]


@pytest.fixture(params=ENVIRONMENTS)
def stacks(request: pytest.FixtureRequest, environments: dict[str, Stacks]) -> Stacks:
    return environments[request.param]


def test_no_custom_resource_runs_code_while_deploying(stacks: Stacks) -> None:
    for template in stacks.all().values():
        kinds = {each.type for each in resources(template)}
        assert not {kind for kind in kinds if kind.startswith(("Custom::", "AWS::CloudFormation::"))}


def test_there_are_no_functions_of_cdk(stacks: Stacks) -> None:
    assert resources(stacks.lake, "AWS::Lambda::Function") == []
    functions = resources(stacks.pipeline, "AWS::Lambda::Function")
    assert [each for each in functions if not each.properties["FunctionName"].startswith("etl-")] == []


def test_resources_have_no_circular_dependencies(stacks: Stacks) -> None:
    for template in stacks.all().values():
        names = set(template["Resources"])
        graph = {
            name: {found for found in references(body) if found in names}
            for name, body in template["Resources"].items()
        }
        TopologicalSorter(graph).prepare()


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for part in value for name in references(part)}
    if not isinstance(value, dict):
        return set()
    found = {name for part in value.values() for name in references(part)}
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        found.add(value["Fn::GetAtt"][0])
    if "Fn::Sub" in value:
        found.update(re.findall(r"\$\{(\w+)", json.dumps(value["Fn::Sub"])))
    depends = value.get("DependsOn", [])
    found.update([depends] if isinstance(depends, str) else depends)
    return found


def test_only_prod_is_protected_from_being_deleted(environments: dict[str, Stacks]) -> None:
    assert environments["prod"].protected == (True, True)
    assert environments["dev"].protected == (False, False)
    assert environments["local"].protected == (False, False)


def test_every_stack_has_cost_allocation_tags(environments: dict[str, Stacks]) -> None:
    for name in ENVIRONMENTS:
        expected = {"application": "taxi-etl", "environment": name}
        assert environments[name].tags == (expected, expected)


def test_templates_have_no_literal_partition_account_or_region(environments: dict[str, Stacks]) -> None:
    # `custom` names an existing key by its ARN, as the setting requires.
    for environment in ("dev", "prod", "local"):
        for template in environments[environment].all().values():
            text = json.dumps(template)
            assert "arn:aws:" not in text
            assert not re.search(r"\b(us|eu|ap)-[a-z]+-\d\b", text)
            assert not re.search(r"\b\d{12}\b", text)


@pytest.mark.parametrize(
    "folder", ["stacks", "taxi_etl", "stores", "lambdas", "loading", "glue_scripts", "ops"]
)
def test_sources_have_no_literal_partition(folder: str) -> None:
    sources = list((ROOT / folder).rglob("*.py"))
    assert sources
    for source in sources:
        assert "arn:aws" not in source.read_text(), source


def test_only_the_settings_name_environments() -> None:
    for source in (ROOT / "stacks").rglob("*.py"):
        if source.name != "settings.py":
            text = source.read_text()
            assert not re.search(
                r"[\"'](dev|prod|local)[\"']|environment [!=]=|PRODUCTION|\bLOCAL\b", text
            ), source


def test_all_recommended_feature_flags_are_set() -> None:
    found = {name for name in CDK_JSON["context"] if name.startswith("@aws-cdk")}
    recommended = json.loads(
        (ROOT / "node_modules/aws-cdk/lib/init-templates/.recommended-feature-flags.json").read_text()
    )

    assert found == set(recommended), "compare with `cdk flags`"


def test_the_lock_names_no_registry_and_pins_the_command_line() -> None:
    manifest = json.loads((ROOT / "package.json").read_text())
    lock = (ROOT / "package-lock.json").read_text()

    assert manifest["devDependencies"]["aws-cdk"] == "2.1148.1"
    assert all(re.fullmatch(r"[\d.]+", version) for version in manifest["devDependencies"].values())
    assert json.loads(lock)["packages"]["node_modules/aws-cdk"]["version"] == "2.1148.1"
    assert "resolved" not in lock
    packages = json.loads(lock)["packages"].values()
    # `funding` has addresses of donations, not of packages.
    assert "://" not in json.dumps([{**package, "funding": None} for package in packages])
