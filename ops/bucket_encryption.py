"""The KMS key that S3 encrypts a bucket's new objects with by default."""

from collections.abc import Collection

from botocore.exceptions import ClientError

from ops.deployment import deploy_command
from ops.errors import CliError
from ops.session import Session
from taxi_etl.object_access import DENIED

AWS_MANAGED = "AWS"
"""The manager of the key `aws/s3`, whose policy lets every role of the account use it through S3."""


def default_key(session: Session, bucket: str) -> str | None:
    """Return the bucket's key as the bucket names it (ARN, ID or alias), None for S3's own encryption."""
    try:
        answer = session.client("s3").get_bucket_encryption(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        return None
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        name: str | None = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        if name:
            return name
    return None


def require_readable(session: Session, bucket: str, readable_keys: Collection[str]) -> None:
    """Raise CliError if the pipeline's roles may not decrypt what the bucket's default key encrypts.

    `readable_keys` are the ARNs of the keys that the roles may use.
    """
    name = default_key(session, bucket)
    key = name and _customer_key(session, name)
    if key and key not in readable_keys:
        raise CliError(
            f"bucket {bucket} is encrypted with {key}, which is not in existing_key_arns of the deployment: "
            "the roles could not read its files",
            f"add it to existing_key_arns in stacks/settings.py, then {deploy_command(session)}",
        )


def _customer_key(session: Session, name: str) -> str | None:
    """Return the key's ARN, None for the key that AWS manages.

    A key that the caller may not describe counts as the customer's, by the name that the bucket has.
    """
    try:
        metadata = session.client("kms").describe_key(KeyId=name)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        return name
    return None if metadata.get("KeyManager") == AWS_MANAGED else str(metadata["Arn"])
