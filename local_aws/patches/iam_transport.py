"""Does a call count as encrypted? Here yes: on AWS every client's call is, on loopback none is.

Only matters with roles enforced: policies that deny what is not sent over TLS would deny everything.
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
