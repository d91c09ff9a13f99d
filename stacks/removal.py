"""Removal policy of resources that hold data."""

from aws_cdk import RemovalPolicy

from stacks.settings import Settings


def data_removal_policy(settings: Settings) -> RemovalPolicy:
    """Return the policy: with `retain_data`, keep the resource unless the deployment that creates it fails.

    If a failed deployment kept the empty resource, its fixed name would block the next deployment.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if settings.retain_data else RemovalPolicy.DESTROY
