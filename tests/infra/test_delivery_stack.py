"""Tests of the delivery stack, which trusts one repository's workflow."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_all

from .conftest import CDK_JSON, load_app, use_pinned_node
from .service_authorization import find_faults, statements
from .templates import flat, only, permissions, resources

ISSUER = "token.actions.githubusercontent.com"


def synthesize_delivery(outdir: Path, **settings: Any) -> dict[str, dict[str, Any]]:
    """The templates of all stacks by name, in no particular account."""
    use_pinned_node()
    from aws_cdk import App

    from stacks.settings import DEV

    os.environ.pop("CDK_DEFAULT_ACCOUNT", None)
    os.environ.pop("CDK_DEFAULT_REGION", None)
    context = {**CDK_JSON["context"], "aws:cdk:disable-asset-staging": True}
    context["aws:cdk:enable-path-metadata"] = True
    app = App(outdir=str(outdir), analytics_reporting=False, context=context)
    load_app().add_stacks(app, replace(DEV, **settings))
    return {stack.stack_name: stack.template for stack in app.synth().stacks}


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    outdir = tmp_path_factory.mktemp("cdk-delivery")
    return synthesize_delivery(outdir, delivery_repository="our-team/taxi")["TaxiDelivery-dev"]


def test_without_a_repository_there_is_no_delivery_stack(environments: Any, tmp_path: Path) -> None:
    from stacks.settings import ENVIRONMENTS

    assert all(settings.delivery_repository is None for settings in ENVIRONMENTS.values())
    assert set(synthesize_delivery(tmp_path)) == {"TaxiDataLake-dev", "TaxiPipeline-dev"}


def test_only_the_environments_job_on_the_branch_of_the_repository_is_trusted(delivery: Any) -> None:
    role = only(delivery, "AWS::IAM::Role").properties
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {
            f"{ISSUER}:aud": "sts.amazonaws.com",
            f"{ISSUER}:sub": "repo:our-team/taxi:environment:dev",
            f"{ISSUER}:ref": "refs/heads/main",
        }
    }
    assert role["MaxSessionDuration"] == 3600
    assert flat(role["RoleName"]) == "taxi-etl-delivery-dev-${AWS::Region}"
    assert "ManagedPolicyArns" not in role


def test_the_role_may_only_assume_the_cdk_bootstrap_roles(delivery: Any) -> None:
    place = "arn:aws:iam::${AWS::AccountId}:role/cdk-hnb659fds"

    assert permissions(delivery) == {
        "Role": {
            f"sts:AssumeRole on {place}-{kind}-role-${{AWS::AccountId}}-${{AWS::Region}}"
            for kind in ("deploy", "file-publishing", "lookup")
        }
    }
    assert {each.type for each in resources(delivery)} == {
        "AWS::IAM::Role",
        "AWS::IAM::Policy",
        "AWS::IAM::OIDCProvider",
    }


def test_the_provider_is_githubs_with_the_audience_of_aws(delivery: Any) -> None:
    provider = only(delivery, "AWS::IAM::OIDCProvider")
    (statement,) = only(delivery, "AWS::IAM::Role").properties["AssumeRolePolicyDocument"]["Statement"]

    assert provider.properties["Url"] == f"https://{ISSUER}"
    assert provider.properties["ClientIdList"] == ["sts.amazonaws.com"]
    # Other stacks of the account may use it too.
    assert provider.raw["DeletionPolicy"] == "Retain"
    assert provider.id in flat(statement["Principal"]["Federated"])


def test_a_second_environment_uses_the_existing_provider(tmp_path: Path) -> None:
    template = synthesize_delivery(
        tmp_path,
        environment="prod",
        delivery_repository="our-team@12/taxi@345",
        delivery_provider_exists=True,
        delivery_branch="release",
    )["TaxiDelivery"]
    (statement,) = only(template, "AWS::IAM::Role").properties["AssumeRolePolicyDocument"]["Statement"]

    assert resources(template, "AWS::IAM::OIDCProvider") == []
    federated = flat(statement["Principal"]["Federated"])
    assert federated == f"arn:aws:iam::${{AWS::AccountId}}:oidc-provider/{ISSUER}"
    assert statement["Condition"]["StringEquals"][f"{ISSUER}:sub"] == (
        "repo:our-team@12/taxi@345:environment:prod"
    )
    assert statement["Condition"]["StringEquals"][f"{ISSUER}:ref"] == "refs/heads/release"


def test_cdk_nag_finds_nothing(tmp_path: Path) -> None:
    use_pinned_node()
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks

    from stacks.delivery_stack import DeliveryStack
    from stacks.settings import DEV

    app = App(outdir=str(tmp_path), analytics_reporting=False, context=CDK_JSON["context"])
    DeliveryStack(app, "Delivery", settings=replace(DEV, delivery_repository="our-team/taxi"))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))

    app.synth()


def test_cfn_lint_finds_nothing(delivery: Any) -> None:
    assert [str(match) for match in lint_all(json.dumps(delivery))] == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"delivery_repository": "our-team"}, "'our-team' is not a GitHub repository"),
        ({"delivery_repository": "our-team/*"}, "'our-team/\\*' is not a GitHub repository"),
        ({"delivery_branch": "*"}, "'\\*' is not a branch name"),
    ],
)
def test_only_one_repository_and_one_branch_are_accepted(wrong: Any, message: str) -> None:
    from stacks.settings import DEV

    with pytest.raises(ValueError, match=message):
        replace(DEV, **wrong)


def test_every_statement_names_existing_actions_on_resources_that_they_take(delivery: Any) -> None:
    checked = [find_faults(statement) for _, statement in statements({"delivery": delivery})]

    assert checked == [[], []]
