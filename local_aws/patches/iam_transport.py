"""Loopback requests count as encrypted.

MiniStack 1.5.33: With AUTH on, `aws:SecureTransport` is false on plain HTTP, so a policy that requires TLS
denies everything.
AWS: Clients use HTTPS, so `aws:SecureTransport` is true.
Source: IAM user guide, "AWS global condition context keys", aws:SecureTransport.
Delete when: The local account is served over HTTPS, or MiniStack can treat loopback as encrypted.
"""

from ministack.core import iam_evaluator

from local_aws.patches import patching


def apply() -> None:
    """Answer the condition key `aws:SecureTransport`."""
    resolve = patching.replace(
        iam_evaluator,
        "_resolve_condition_key",
        "key ctx",
        lambda key, ctx: "true" if key.lower() == "aws:securetransport" else resolve(key, ctx),
    )
