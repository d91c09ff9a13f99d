"""The delivery stack: a role that one GitHub repository's workflow may assume to deploy, without stored keys.

GitHub signs a token that names a job's repository, branch and environment; AWS verifies it and returns
credentials for an hour. They allow nothing except to assume the roles of the CDK bootstrap, which deploy.
An administrator deploys this stack once. The workflow does not deploy it, so it cannot change its own
permissions.
"""

from typing import Any

from aws_cdk import ArnFormat, Aws, CfnOutput, DefaultStackSynthesizer, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.settings import Settings
from taxi_etl.names import DELIVERY_ROLE, physical_name

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
BOOTSTRAP_ROLES = ("deploy", "file-publishing", "lookup")
"""Roles that `cdk deploy` and `cdk diff` assume; the app has no container images to publish."""
SESSION = Duration.hours(1)


class DeliveryStack(Stack):
    """GitHub's OIDC provider, unless the account already has one, and the role for this environment."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(
            scope,
            construct_id,
            description="NYC taxi ETL: the role by which GitHub Actions deploys",
            termination_protection=settings.termination_protection,
            **kwargs,
        )
        self.role = iam.Role(
            self,
            "Role",
            # Role names are unique in the account, so two regions need two names.
            role_name=f"{physical_name(DELIVERY_ROLE, settings.environment)}-{Aws.REGION}",
            description=f"Deploys the taxi pipeline from {settings.delivery_repository}",
            assumed_by=iam.WebIdentityPrincipal(self._provider(settings), conditions=_conditions(settings)),
            max_session_duration=SESSION,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["sts:AssumeRole"], resources=[self._bootstrap_role(kind) for kind in BOOTSTRAP_ROLES]
            )
        )
        CfnOutput(self, "DeliveryRoleArn", value=self.role.role_arn)

    def _provider(self, settings: Settings) -> str:
        """The ARN of the OIDC provider; an account can have only one per issuer, so stacks share it."""
        if settings.delivery_provider_exists:
            return self.format_arn(service="iam", region="", resource="oidc-provider", resource_name=ISSUER)
        provider = iam.OidcProviderNative(
            self,
            "Provider",
            url=f"https://{ISSUER}",
            client_ids=[AUDIENCE],
            removal_policy=RemovalPolicy.RETAIN,
        )
        return provider.oidc_provider_arn

    def _bootstrap_role(self, kind: str) -> str:
        qualifier = DefaultStackSynthesizer.DEFAULT_QUALIFIER
        return self.format_arn(
            service="iam",
            region="",
            resource="role",
            resource_name=f"cdk-{qualifier}-{kind}-role-{self.account}-{self.region}",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )


def _conditions(settings: Settings) -> dict[str, Any]:
    """Exact matches only: a pattern could let other repositories' workflows into the account.

    A subject that names an environment does not name the branch, so the branch is a separate condition.
    """
    return {
        "StringEquals": {
            f"{ISSUER}:aud": AUDIENCE,
            f"{ISSUER}:sub": f"repo:{settings.delivery_repository}:environment:{settings.environment}",
            f"{ISSUER}:ref": f"refs/heads/{settings.delivery_branch}",
        }
    }
