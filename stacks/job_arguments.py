"""Default arguments of the Glue job."""

from aws_cdk import aws_iam as iam

from stacks.catalog import Catalog
from stacks.lake_bucket import LakeBucket
from stacks.settings import Settings
from taxi_etl.names import SPARK_CATALOG, WAREHOUSE_PREFIX


def job_arguments(
    settings: Settings, *, lake: LakeBucket, catalog: Catalog, optimizer_role: iam.Role, log_prefix: str
) -> dict[str, str]:
    """The script's own arguments, then those that Glue itself reads."""
    return {
        "--database": catalog.taxi_name,
        "--catalog": SPARK_CATALOG,
        "--max-quarantine-share": str(settings.max_quarantine_share),
        "--anomaly-policy": str(settings.anomaly_policy),
        "--sort-by-pickup": _flag(settings.sort_by_pickup),
        "--stall-minutes": str(settings.stall_minutes),
        "--command-line": settings.command,
        "--optimizer-role": optimizer_role.role_arn,
        "--retention-days": str(settings.table_retention_days),
        "--datalake-formats": "iceberg",
        "--conf": spark_conf(f"s3://{lake.name}/{WAREHOUSE_PREFIX}"),
        "--enable-auto-scaling": _flag(settings.auto_scaling),
        "--custom-logGroup-prefix": log_prefix,
    }


def spark_conf(warehouse: str) -> str:
    """The Iceberg catalog and the task reaper, as the value of Glue's single `--conf` argument.

    Glue accepts only one `--conf`; further ones are written inside its value.
    """
    catalog = f"spark.sql.catalog.{SPARK_CATALOG}"
    settings = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.warehouse": warehouse,
        # A task that a damaged page keeps busy cannot be interrupted; the reaper kills its executor.
        "spark.task.reaper.enabled": "true",
        "spark.task.reaper.killTimeout": "60s",
    }
    return " --conf ".join(f"{key}={value}" for key, value in settings.items())


def _flag(value: bool) -> str:
    return str(value).lower()
