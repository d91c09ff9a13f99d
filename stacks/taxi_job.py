"""How do files become tables? The Glue job: its script, its arguments, its workers and its role."""

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks import build
from stacks.catalog import Catalog
from stacks.lake_bucket import LakeBucket
from stacks.log_groups import log_group
from stacks.settings import Settings
from taxi_etl.names import GLUE_JOB, SPARK_CATALOG, WAREHOUSE_PREFIX, physical_name

_WORKERS = {
    "G.1X": glue.WorkerType.G_1X,
    "G.2X": glue.WorkerType.G_2X,
    "G.4X": glue.WorkerType.G_4X,
    "G.8X": glue.WorkerType.G_8X,
}


class TaxiJob(Construct):
    """A PySpark job on Glue 6.0 that loads the files of one manifest."""

    job: glue.PySparkEtlJob
    role: iam.Role
    failures: events.Rule

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, lake: LakeBucket, catalog: Catalog
    ) -> None:
        super().__init__(scope, construct_id)
        name = physical_name(GLUE_JOB, settings.environment)
        log_prefix = f"/aws-glue/jobs/{name}"
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        self.optimizer_role = _optimizer_role(self, lake=lake, catalog=catalog)
        script = s3_assets.Asset(self, "Script", path=build.glue_script())
        packages = s3_assets.Asset(self, "Packages", path=build.job_zip())
        self.job = glue.PySparkEtlJob(
            self,
            "Job",
            job_name=name,
            description="Loads the taxi files of a manifest into Iceberg tables",
            # The construct would grant all kinds of reading in the bucket of assets; see _grant_assets.
            role=self.role.without_policy_updates(),
            script=glue.Code.from_bucket(script.bucket, script.s3_object_key),
            extra_python_files=[glue.Code.from_bucket(packages.bucket, packages.s3_object_key)],
            glue_version=glue.GlueVersion.V6_0,
            worker_configuration=glue.WorkerConfiguration(
                worker_type=_WORKERS[settings.worker_type], number_of_workers=settings.worker_count
            ),
            max_concurrent_runs=settings.max_concurrent_runs,
            job_run_queuing_enabled=True,
            # Queuing requires it, and a failed run is never repeated blindly: each repetition is paid.
            max_retries=0,
            timeout=Duration.minutes(settings.job_timeout_minutes),
            # Since Glue 5.0 logs are continuous anyway, and the arguments this sets are no longer read.
            continuous_logging=glue.ContinuousLoggingProps(enabled=False),
            enable_metrics=True,
            enable_observability_metrics=True,
            default_arguments={
                "--database": catalog.taxi.database_name,
                "--catalog": SPARK_CATALOG,
                "--max-quarantine-share": str(settings.max_quarantine_share),
                "--sort-by-pickup": _flag(settings.sort_by_pickup),
                "--stall-minutes": str(settings.stall_minutes),
                "--optimizer-role": self.optimizer_role.role_arn,
                "--retention-days": str(settings.table_retention_days),
                "--datalake-formats": "iceberg",
                "--conf": spark_conf(f"s3://{lake.bucket.bucket_name}/{WAREHOUSE_PREFIX}"),
                "--enable-auto-scaling": _flag(settings.auto_scaling),
                "--custom-logGroup-prefix": log_prefix,
            },
        )
        logs = [
            log_group(self, kind.capitalize(), name=f"{log_prefix}/{kind}", settings=settings)
            for kind in ("output", "error")
        ]
        for group in logs:
            group.grant_write(self.role)
        _grant_assets(self.role, script.bucket)
        _grant_metrics(self.role)
        lake.grant_read_raw(self.role)
        lake.grant_read_runs(self.role, may_be_missing=False)
        lake.grant_write_runs(self.role)
        # A failed write of a large file would leave its parts behind.
        lake.grant_warehouse(self.role, "s3:AbortMultipartUpload")
        lake.grant_location(self.role)
        catalog.grant_load(self.role)
        self.optimizer_role.grant_pass_role(self.role)
        # Glue counts no failed runs in CloudWatch; EventBridge counts what a rule matched.
        self.failures = events.Rule(
            self,
            "Failures",
            description="Job runs that failed or timed out, for an alarm to count",
            event_pattern=events.EventPattern(
                source=["aws.glue"],
                detail_type=["Glue Job State Change"],
                detail={"jobName": [self.job.job_name], "state": ["FAILED", "TIMEOUT"]},
            ),
        )

    def grant_look(self, grantee: iam.IGrantable) -> None:
        """See what a run took."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["glue:GetJobRun"], resource_arns=[self.job.job_arn]
        )

    def metric_failures(self, period: Duration) -> cloudwatch.Metric:
        """How many runs failed or timed out."""
        return cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="TriggeredRules",
            dimensions_map={"RuleName": self.failures.rule_name},
            period=period,
            statistic="Sum",
        )


def spark_conf(warehouse: str) -> str:
    """The value of Glue's one `--conf`, which carries further ones inside: the catalog of Iceberg tables, and
    an end for tasks that do not end."""
    catalog = f"spark.sql.catalog.{SPARK_CATALOG}"
    settings = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.warehouse": warehouse,
        # A task that reads a damaged page for ever cannot be interrupted: its executor has to go.
        "spark.task.reaper.enabled": "true",
        "spark.task.reaper.killTimeout": "60s",
    }
    return " --conf ".join(f"{key}={value}" for key, value in settings.items())


def _optimizer_role(scope: Construct, *, lake: LakeBucket, catalog: Catalog) -> iam.Role:
    """What Glue's table optimizers (compaction, snapshot expiry, orphan removal) act as."""
    role = iam.Role(scope, "OptimizerRole", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
    lake.grant_warehouse(role)
    catalog.grant_optimize(role)
    stack = Stack.of(scope)
    groups = stack.format_arn(
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


def _grant_assets(role: iam.Role, assets: s3.IBucket) -> None:
    """Read the script and its packages; their keys change with every release, the right should not."""
    role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[assets.arn_for_objects("*")]))


def _grant_metrics(role: iam.Role) -> None:
    """CloudWatch metrics have no ARN; the namespace is what narrows the right."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": "Glue"}},
        )
    )


def _flag(value: bool) -> str:
    return str(value).lower()
