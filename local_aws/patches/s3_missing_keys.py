"""Access denied instead of not found, for roles that may not list the bucket.

MiniStack 1.5.33: Answers 404 for a missing object to everyone.
AWS: Answers 404 to a caller with s3:ListBucket, and 403 to others.
Source: Amazon S3 API reference, "GetObject", "HeadObject", permissions. That s3:ListBucket on a prefix
suffices for the keys below it is observed, not documented: https://github.com/kopia/kopia/pull/3072.
Delete when: MiniStack, with AUTH on, answers 403 for a missing object to a role without s3:ListBucket.
"""

from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import router
from ministack.services import sts

from local_aws import roles
from local_aws.patches import patching
from local_aws.settings import SETTINGS

_DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def apply() -> None:
    """Turn 404 responses of S3 to roles without s3:ListBucket into 403."""
    patching.attribute(router, "extract_access_key_id")
    dispatch = patching.replace(
        app,
        "_dispatch_service_request",
        "method path headers body query_params request_id",
        lambda method, path, headers, body, query_params, request_id: _dispatch(
            dispatch, method, path, headers, body, query_params, request_id
        ),
    )


async def _dispatch(dispatch: Callable[..., Any], method: str, path: str, headers: Any, *rest: Any) -> Any:
    answer = await dispatch(method, path, headers, *rest)
    body, query, _ = rest
    if answer[0] != 404 or method not in ("GET", "HEAD") or not SETTINGS.enforce_roles:
        return answer
    params = app._routing_params(method, path, headers, body, query)
    caller = sts._sessions.get(router.extract_access_key_id(headers, query))
    bucket, _, key = path.lstrip("/").partition("/")
    if caller is None or not key or app.detect_service(method, path, headers, params) != "s3":
        return answer
    role = caller["Arn"].split("/")[1]
    if roles.is_allowed(role, "s3:ListBucket", f"arn:aws:s3:::{bucket}", **{"s3:prefix": key}):
        return answer
    return 403, {"Content-Type": "application/xml"}, b"" if method == "HEAD" else _DENIED
