"""Checks of the buckets' KMS keys, where the settings name any; S3's own key needs no permission."""

import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ops.bucket_encryption import default_key
from ops.checks.finding import Finding, Level, Scope, expect

NEEDED = ("kms:Decrypt", "kms:GenerateDataKey")
"""The actions of the app's roles. IAM grants them, which is effective only if the key policy allows it."""
NEEDED_TO_READ = ("kms:Decrypt",)


def bucket_key(scope: Scope) -> Iterator[Finding]:
    """Check that the bucket's key is enabled, and that its policy lets IAM grant its use."""
    arn = default_key(scope.session, scope.deployment.bucket_name)
    if arn is not None:
        yield from _key(scope, "bucket's key", arn, NEEDED)


def existing_keys(scope: Scope) -> Iterator[Finding]:
    """Check that the pipeline may decrypt with the keys of existing buckets.

    The policy of another account's key cannot be read.
    """
    part, arns = "existing bucket's key", scope.deployment.readable_key_arns
    own = default_key(scope.session, scope.deployment.bucket_name) if arns else None
    for arn in arns:
        account = _account(arn)
        if account != _account(scope.deployment.state_machine_arn):
            problem = f"{arn} belongs to account {account}, where its policy cannot be checked"
            remedy = "ask its administrator whether the policy allows kms:Decrypt to the stacks' roles"
            yield expect(part, "policy", False, problem, remedy, otherwise=Level.WARNING)
        elif arn != own:
            yield from _key(scope, part, arn, NEEDED_TO_READ)


def _key(scope: Scope, part: str, arn: str, needed: Sequence[str]) -> Iterator[Finding]:
    kms = scope.session.client("kms")
    metadata = kms.describe_key(KeyId=arn)["KeyMetadata"]
    state = metadata["KeyState"]
    remedy = f"cancel its deletion if it is scheduled, then aws kms enable-key --key-id {arn}"
    yield expect(part, "enabled", state == "Enabled", f"it is {state}", remedy)
    policy = json.loads(kms.get_key_policy(KeyId=arn)["Policy"])
    machine = scope.deployment.state_machine_arn
    account = _account(machine)
    root = f"arn:{machine.split(':')[1]}:iam::{account}:root"
    missing = [action for action in needed if not _lets_iam_grant(policy, account, action)]
    yield expect(
        part,
        "policy",
        not missing,
        f"its policy does not let IAM grant {' and '.join(missing)}; roles that it does not name are denied",
        f"allow {' and '.join(needed)} to {root} in the policy, or name each role of the stacks in it",
        otherwise=Level.WARNING,
    )


def _account(arn: str) -> str:
    return arn.split(":")[4]


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
