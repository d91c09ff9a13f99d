"""IAM roles of the Glue job and of the tables' optimizers."""

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.catalog import Catalog
from stacks.lake_bucket import LakeBucket
from stacks.settings import Settings
from taxi_etl.names import OPTIMIZER_ROLE, physical_name


def grant_job_permissions(role: iam.Role, *, lake: LakeBucket, catalog: Catalog, assets: s3.IBucket) -> None:
    """Grant what a job run needs, apart from its logs: script, files, and tables."""
    # Asset keys change with every release. The permission covers the bucket, so that it stays the same.
    role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[assets.arn_for_objects("*")]))
    grant_load_files(role, lake)
    lake.grant_list_warehouse(role)
    lake.grant_location(role)
    catalog.grant_load(role)


def grant_load_files(grantee: iam.IGrantable, lake: LakeBucket) -> None:
    """Grant what either engine needs: to read raw files, and to write the tables' files and the results."""
    lake.grant_read_raw(grantee)
    lake.grant_read_runs(grantee, may_be_missing=False)
    lake.grant_write_runs(grantee)
    # Without it, a failed upload of a large file would leave its parts in the bucket.
    lake.grant_warehouse(grantee, "s3:AbortMultipartUpload")


def grant_job_metrics(role: iam.Role) -> None:
    """Grant publishing Glue's own metrics. They have no ARN; the namespace restricts the permission."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": "Glue"}},
        )
    )


def optimizer_role(scope: Construct, *, settings: Settings, lake: LakeBucket, catalog: Catalog) -> iam.Role:
    """The role that Glue's table optimizers (compaction, snapshot expiry, orphan removal) assume.

    The optimizers keep its ARN when the pipeline is destroyed, so a fixed name makes it valid again after the
    next deployment. Role names are unique in the account, hence the region.
    """
    role = iam.Role(
        scope,
        "OptimizerRole",
        role_name=f"{physical_name(OPTIMIZER_ROLE, settings.environment)}-{Aws.REGION}",
        assumed_by=iam.ServicePrincipal("glue.amazonaws.com"),
    )
    lake.grant_warehouse(role)
    lake.grant_list_warehouse(role)
    catalog.grant_optimize(role)
    groups = Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name="/aws-glue/iceberg-*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], resources=[groups]
        )
    )
    return role
