"""Tests of the templates with CloudFormation's linter: the resource schemas of every region."""

import json

import pytest
from cfnlint.api import lint_all

from .templates import Stacks

IGNORED = {
    "W3005": "CDK writes every DependsOn, also where a reference implies it",
}


@pytest.mark.parametrize("environment", ["dev", "prod", "local", "custom", "auto"])
@pytest.mark.parametrize("stack", ["data_lake", "pipeline"])
def test_cfn_lint_finds_nothing(environments: dict[str, Stacks], environment: str, stack: str) -> None:
    found = [
        f"{match.rule.id} {match.message} at {'/'.join(str(part) for part in match.path)}"
        for match in lint_all(json.dumps(environments[environment].all()[stack]))
        if match.rule.id not in IGNORED
    ]

    assert found == []
