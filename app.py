"""The CDK app: the settings of one environment, deployed as two stacks (and one for delivery from CI).

Synthesis makes no AWS calls: it works offline and without credentials. The account and region come from the
CDK command line where it knows them; otherwise the templates fit any account and region.
"""

import os
import sys
from typing import Any

from aws_cdk import App, Environment

from stacks.build import BuildMissingError
from stacks.data_lake_stack import DataLakeStack
from stacks.delivery_stack import DeliveryStack
from stacks.pipeline_stack import PipelineStack
from stacks.settings import Settings, settings_for
from taxi_etl.names import DATA_LAKE_STACK, DELIVERY_STACK, PIPELINE_STACK, physical_name


def add_stacks(app: App, settings: Settings) -> tuple[DataLakeStack, PipelineStack]:
    """Add an environment's two stacks, and a delivery stack if the settings name a repository."""
    common: dict[str, Any] = {
        "settings": settings,
        "env": Environment(
            account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION")
        ),
        # CloudFormation puts a stack's tags on all its resources; bills are split by them.
        "tags": {"application": "taxi-etl", "environment": settings.environment},
    }
    lake = DataLakeStack(app, physical_name(DATA_LAKE_STACK, settings.environment), **common)
    pipeline = PipelineStack(app, physical_name(PIPELINE_STACK, settings.environment), lake=lake, **common)
    if settings.delivery_repository:
        DeliveryStack(app, physical_name(DELIVERY_STACK, settings.environment), **common)
    return lake, pipeline


def main() -> None:
    """Synthesize the environment that the CDK context names."""
    app = App(analytics_reporting=False)
    try:
        add_stacks(app, settings_for(app.node.try_get_context("environment")))
    except (ValueError, BuildMissingError) as error:
        sys.exit(f"error: {error}")
    app.synth()


if __name__ == "__main__":
    main()
