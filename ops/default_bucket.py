"""The data lake's default bucket before the app is deployed: whether its name is taken.

Bucket names are unique in a partition, not in a region, so a second deployment of an environment in another
region needs another `bucket_name`. Without one, CloudFormation fails only when it creates the bucket.
"""

from botocore.exceptions import ClientError

from ops.session import Session
from taxi_etl import names
from taxi_etl.object_access import DENIED

_FREE = ("404", "NoSuchBucket")


def problem(session: Session) -> str | None:
    """Return why the environment cannot use its default bucket in the session's region, None if it can.

    A bucket of this account in this region is not a problem: it may be the deployment's own.
    """
    account = session.client("sts").get_caller_identity()["Account"]
    name = names.bucket_name(account, session.target.environment)
    remedy = "set another bucket_name in stacks/settings.py, unless it names one already"
    try:
        region = session.client("s3").head_bucket(Bucket=name)["BucketRegion"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _FREE:
            return None
        if code not in DENIED:
            raise
        return f"bucket {name} belongs to another account, or you may not access it: {remedy}"
    if region == session.region:
        return None
    return (
        f"bucket {name} is in {region}, where the app may be deployed, and its name cannot be used again "
        f"in {session.region}: {remedy}"
    )
