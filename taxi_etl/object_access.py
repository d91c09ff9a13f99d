"""Reasons why S3 refuses access to one object, from the error code and message of a HEAD or GET.

Only errors that concern the object itself are here. Throttling, server errors and expired credentials are
faults: they are raised, and the request can be retried.
Source: Amazon S3 API reference, error responses. HEAD has no body, so its codes are bare HTTP statuses.
"""

from taxi_etl.documents import shorten
from taxi_etl.failures import Failure, FailureCode

DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden"})
UNUSABLE_KEY = frozenset(
    {
        "KMS.DisabledException",
        "KMS.InvalidKeyUsageException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
    }
)
ARCHIVED = frozenset({"InvalidObjectState"})
BAD_REQUEST = frozenset({"400", "InvalidRequest"})
HEAD_WITHOUT_REASON = frozenset({"400", "403"})
"""Codes of HEAD for which the error of a GET has more detail."""
REPLAY = "then replay the file"


def refusal(code: str, message: str) -> Failure | None:
    """Return why an object cannot be read, and what to ask the administrator for; None for a fault."""
    said = f"S3 said: {shorten(message)}" if message else f"S3 said: {code}"
    if code in UNUSABLE_KEY or (code in DENIED and "kms" in message.lower()):
        return Failure(
            FailureCode.KMS_KEY_DENIED,
            "the object is encrypted with a KMS key that the pipeline may not use; name the key in "
            "existing_key_arns and ask its administrator to allow kms:Decrypt to the pipeline's roles, or "
            "encrypt the object anew, "
            f"{REPLAY} ({said})",
        )
    if code in DENIED:
        return Failure(
            FailureCode.ACCESS_DENIED,
            "the pipeline may not read the object; ask the bucket's administrator to allow s3:GetObject and "
            f"s3:GetObjectVersion on it, or to own the object, {REPLAY} ({said})",
        )
    if code in BAD_REQUEST and (code == "400" or "server side encryption" in message.lower()):
        return Failure(
            FailureCode.ENCRYPTED_WITH_CUSTOMER_KEY,
            "the object is encrypted with a key that only its uploader has (SSE-C); ask the uploader to "
            f"upload it again with SSE-S3 or SSE-KMS ({said})",
        )
    if code in ARCHIVED:
        return Failure(FailureCode.ARCHIVED, f"the object is archived; restore it, {REPLAY} ({said})")
    return None
