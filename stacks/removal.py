"""What becomes of a resource that holds data when its stack is deleted."""

from aws_cdk import RemovalPolicy

from stacks.settings import Settings


def data_removal_policy(settings: Settings) -> RemovalPolicy:
    """Keep the resource where the settings say so, except when the deployment that creates it fails.

    A resource that is kept then would have a fixed name, no stack and no data, and block the next deployment.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if settings.retain_data else RemovalPolicy.DESTROY
