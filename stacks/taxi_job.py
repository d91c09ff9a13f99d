"""The Glue job that loads the files of one manifest into Iceberg tables."""

from aws_cdk import Duration
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks import build
from stacks.catalog import Catalog
from stacks.job_arguments import job_arguments
from stacks.job_roles import grant_job_metrics, grant_job_permissions, optimizer_role
from stacks.lake_bucket import LakeBucket
from stacks.log_groups import log_group
from stacks.settings import Settings
from taxi_etl import table_maintenance
from taxi_etl.names import GLUE_JOB, METRICS_NAMESPACE, REFUSED_OPTIMIZERS_METRIC, physical_name

_WORKER_TYPES = {
    "G.1X": glue.WorkerType.G_1X,
    "G.2X": glue.WorkerType.G_2X,
    "G.4X": glue.WorkerType.G_4X,
    "G.8X": glue.WorkerType.G_8X,
}


class TaxiJob(Construct):
    """A PySpark job on Glue 6.0, its role and its logs."""

    job: glue.PySparkEtlJob
    role: iam.Role
    optimizer_role: iam.Role

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, lake: LakeBucket, catalog: Catalog
    ) -> None:
        super().__init__(scope, construct_id)
        name = physical_name(GLUE_JOB, settings.environment)
        log_prefix = f"/aws-glue/jobs/{name}"
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        self.optimizer_role = optimizer_role(self, settings=settings, lake=lake, catalog=catalog)
        script = s3_assets.Asset(self, "Script", path=build.glue_script())
        arguments = job_arguments(
            settings, lake=lake, catalog=catalog, optimizer_role=self.optimizer_role, log_prefix=log_prefix
        )
        self.job = self._job(name, script=script, arguments=arguments, settings=settings)
        self._add_logs(log_prefix, settings)
        grant_job_permissions(self.role, lake=lake, catalog=catalog, assets=script.bucket)
        if settings.job_metrics:
            grant_job_metrics(self.role)
        self.optimizer_role.grant_pass_role(self.role)

    def grant_read_runs(self, grantee: iam.IGrantable) -> None:
        """Grant reading the state, time and capacity of job runs."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["glue:GetJobRun"], resource_arns=[self.job.job_arn]
        )

    def _job(
        self, name: str, *, script: s3_assets.Asset, arguments: dict[str, str], settings: Settings
    ) -> glue.PySparkEtlJob:
        packages = s3_assets.Asset(self, "Packages", path=build.job_zip())
        return glue.PySparkEtlJob(
            self,
            "Job",
            job_name=name,
            description="Loads the taxi files of a manifest into Iceberg tables",
            # The construct would grant more on the assets' bucket than `grant_job_permissions` does.
            role=self.role.without_policy_updates(),
            script=glue.Code.from_bucket(script.bucket, script.s3_object_key),
            extra_python_files=[glue.Code.from_bucket(packages.bucket, packages.s3_object_key)],
            glue_version=glue.GlueVersion.V6_0,
            worker_configuration=glue.WorkerConfiguration(
                worker_type=_WORKER_TYPES[settings.worker_type], number_of_workers=settings.worker_count
            ),
            max_concurrent_runs=settings.max_concurrent_runs,
            job_run_queuing_enabled=True,
            # Queuing requires 0. Each run is paid for, so failed runs are not repeated automatically.
            max_retries=0,
            timeout=Duration.minutes(settings.job_timeout_minutes),
            # Since Glue 5.0 logging is always continuous, and Glue ignores the arguments that this sets.
            continuous_logging=glue.ContinuousLoggingProps(enabled=False),
            enable_metrics=settings.job_metrics,
            enable_observability_metrics=settings.job_metrics,
            default_arguments=arguments,
        )

    def _add_logs(self, prefix: str, settings: Settings) -> None:
        for stream in ("output", "error"):
            group = log_group(self, stream.capitalize(), name=f"{prefix}/{stream}", settings=settings)
            group.grant_write(self.role)
            # Glue calls it before it writes, although the group exists.
            group.grant(self.role, "logs:CreateLogGroup")
            if stream == "output":
                _count_refused_optimizers(group, settings)


def _count_refused_optimizers(output: logs.LogGroup, settings: Settings) -> None:
    """Count the job's warnings. The metric has no default value, so it costs nothing until a warning."""
    output.add_metric_filter(
        "RefusedOptimizers",
        filter_pattern=logs.FilterPattern.literal(f'"{table_maintenance.WARNING}"'),
        metric_namespace=METRICS_NAMESPACE,
        metric_name=physical_name(REFUSED_OPTIMIZERS_METRIC, settings.environment),
    )
