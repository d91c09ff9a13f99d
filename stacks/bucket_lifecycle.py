"""Lifecycle rules of the data lake's bucket."""

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

from stacks.settings import Settings
from taxi_etl.names import RAW_PREFIX, RUNS_PREFIX, WAREHOUSE_PREFIX


def lifecycle_rules(settings: Settings) -> list[s3.LifecycleRule]:
    """Expire noncurrent versions everywhere; expire current objects only under `runs/`.

    A delete marker goes when it is the last version of its key. S3 does so too where `expiration` has days.
    """
    noncurrent = Duration.days(settings.noncurrent_version_days)
    abort = Duration.days(settings.abort_multipart_days)
    return [
        *(
            s3.LifecycleRule(
                id=f"{prefix.split('/', maxsplit=1)[0]}-noncurrent",
                prefix=prefix,
                noncurrent_version_expiration=noncurrent,
                expired_object_delete_marker=True,
                abort_incomplete_multipart_upload_after=abort,
            )
            for prefix in (RAW_PREFIX, WAREHOUSE_PREFIX)
        ),
        s3.LifecycleRule(
            id="runs-expire",
            prefix=RUNS_PREFIX,
            expiration=Duration.days(settings.runs_retention_days),
            noncurrent_version_expiration=noncurrent,
            abort_incomplete_multipart_upload_after=abort,
        ),
    ]
