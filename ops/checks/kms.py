"""Checks of the bucket's KMS key, where the settings name one; S3's own key needs no permission."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from ops.checks.finding import Finding, Level, Scope, expect

NEEDED = ("kms:Decrypt", "kms:GenerateDataKey")
"""The actions of the app's roles. IAM grants them, which is effective only if the key policy allows it."""


def bucket_key(scope: Scope) -> Iterator[Finding]:
    """Check that the key is enabled, and that its policy lets IAM grant its use."""
    arn = _key_arn(scope)
    if arn is None:
        return
    kms = scope.session.client("kms")
    metadata = kms.describe_key(KeyId=arn)["KeyMetadata"]
    state = metadata["KeyState"]
    remedy = f"cancel its deletion if it is scheduled, then aws kms enable-key --key-id {arn}"
    yield expect("bucket's key", "enabled", state == "Enabled", f"it is {state}", remedy)
    policy = json.loads(kms.get_key_policy(KeyId=arn)["Policy"])
    _, partition, _, _, account, *_ = scope.deployment.state_machine_arn.split(":")
    root = f"arn:{partition}:iam::{account}:root"
    missing = [action for action in NEEDED if not _lets_iam_grant(policy, account, action)]
    yield expect(
        "bucket's key",
        "policy",
        not missing,
        f"its policy does not let IAM grant {' and '.join(missing)}; roles that it does not name are denied",
        f"allow {' and '.join(NEEDED)} to {root} in the policy, or name each role of the stacks in it",
        otherwise=Level.WARNING,
    )


def _key_arn(scope: Scope) -> str | None:
    """Return the ARN of the bucket's key, None if it uses S3's own."""
    try:
        answer = scope.session.client("s3").get_bucket_encryption(Bucket=scope.deployment.bucket_name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        return None
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        arn: str | None = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        if arn:
            return arn
    return None


def _lets_iam_grant(policy: dict[str, Any], account: str, action: str) -> bool:
    """Return whether a statement without a condition allows the action to the account itself."""
    return any(
        statement["Effect"] == "Allow"
        and "Condition" not in statement
        and any(name == account or name.endswith(f"::{account}:root") for name in _principals(statement))
        and any(fnmatchcase(action, pattern) for pattern in _as_list(statement.get("Action", [])))
        for statement in _as_list(policy["Statement"])
    )


def _principals(statement: dict[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    return _as_list(principal.get("AWS", [])) if isinstance(principal, dict) else []


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
