"""May the app use the bucket's key? Only where the settings name one; S3's own needs no leave."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from ops.checks.finding import Finding, Level, Place, expect

NEEDED = ("kms:Decrypt", "kms:GenerateDataKey")
"""What the app's roles do with the key. They are granted it by IAM, which counts only if the key lets it."""


def bucket_key(place: Place) -> Iterator[Finding]:
    """The key can be used, and its policy leaves it to IAM who may."""
    arn = _key_of(place)
    if arn is None:
        return
    kms = place.session.client("kms")
    metadata = kms.describe_key(KeyId=arn)["KeyMetadata"]
    state = metadata["KeyState"]
    remedy = f"aws kms enable-key --key-id {arn}, or cancel its deletion first"
    yield expect("bucket's key", "enabled", state == "Enabled", f"it is {state}", remedy)
    policy = json.loads(kms.get_key_policy(KeyId=arn)["Policy"])
    _, partition, _, _, account, *_ = place.deployment.state_machine_arn.split(":")
    root = f"arn:{partition}:iam::{account}:root"
    lacking = [action for action in NEEDED if not _left_to_iam(policy, account, action)]
    yield expect(
        "bucket's key",
        "policy",
        not lacking,
        f"its policy does not leave {' and '.join(lacking)} to IAM; roles it does not name are refused",
        f"allow {root} {' and '.join(NEEDED)} in it, or name each role of the stacks",
        otherwise=Level.WARNING,
    )


def _key_of(place: Place) -> str | None:
    """The ARN of the key that the bucket names, None where it uses S3's own."""
    try:
        answer = place.session.client("s3").get_bucket_encryption(Bucket=place.deployment.bucket_name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        return None
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        arn: str | None = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        if arn:
            return arn
    return None


def _left_to_iam(policy: dict[str, Any], account: str, action: str) -> bool:
    """Whether a statement allows the account itself an action, without a condition."""
    return any(
        statement["Effect"] == "Allow"
        and "Condition" not in statement
        and any(name == account or name.endswith(f"::{account}:root") for name in _principals(statement))
        and any(fnmatchcase(action, pattern) for pattern in _listed(statement.get("Action", [])))
        for statement in _listed(policy["Statement"])
    )


def _principals(statement: dict[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    return _listed(principal.get("AWS", [])) if isinstance(principal, dict) else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
