"""What does a role hear of an object that is not there? 404 if it may list the key, else 403.

AWS: who may not list a bucket must not learn which keys exist. The emulator always says 404. That a right to
list under a prefix is enough for the keys under it is measured, not documented.
Sources: Amazon S3 API reference, "GetObject", "HeadObject", permissions; kopia/kopia pull request 3072.
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
    """Look at S3's answers to roles."""
    patching.attribute(router, "extract_access_key_id")
    dispatch = patching.replace(
        app,
        "_dispatch_service_request",
        "method path headers body query_params request_id",
        lambda method, path, headers, body, query_params, request_id: _answer(
            dispatch, method, path, headers, body, query_params, request_id
        ),
    )


async def _answer(dispatch: Callable[..., Any], method: str, path: str, headers: Any, *rest: Any) -> Any:
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
    if roles.may(role, "s3:ListBucket", f"arn:aws:s3:::{bucket}", **{"s3:prefix": key}):
        return answer
    return 403, {"Content-Type": "application/xml"}, b"" if method == "HEAD" else _DENIED
