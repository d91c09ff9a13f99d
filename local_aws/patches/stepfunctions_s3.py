"""The service integration `aws-sdk:s3:getObject`.

MiniStack 1.5.33: Does not implement getObject for state machines.
AWS: Returns the object's text as Body. Errors have the SDK's exception names, such as
`S3.NoSuchKeyException`; errors without a specific class are `S3.S3Exception`.
Source: Step Functions developer guide, "Learning to use AWS service SDK integrations in Step Functions".
Delete when: MiniStack implements aws-sdk:s3:getObject with the SDK's error names.
"""

import xml.etree.ElementTree as ET
from email.utils import parsedate_to_datetime
from typing import Any

from ministack import app
from ministack.services import stepfunctions

from local_aws.patches import patching

_MODELED_ERRORS = frozenset({"NoSuchKey", "NoSuchBucket", "InvalidObjectState"})
_HEADERS = {
    "accept-ranges": "AcceptRanges",
    "content-type": "ContentType",
    "etag": "ETag",
    "x-amz-version-id": "VersionId",
}


def apply() -> None:
    """Handle getObject before the emulator's other S3 calls."""
    patching.attribute(app, "call_service_handler_sync")
    dispatch = patching.replace(
        stepfunctions,
        "_dispatch_aws_sdk_rest_xml",
        "service_info service_name action input_data",
        lambda info, service, action, arguments: (
            _get_object(arguments)
            if (service, action) == ("s3", "getObject")
            else dispatch(info, service, action, arguments)
        ),
    )


def _get_object(arguments: dict[str, Any]) -> dict[str, Any]:
    for name in ("Bucket", "Key"):
        if not isinstance(arguments.get(name), str):
            raise stepfunctions._ExecutionError("States.Runtime", f"s3:getObject needs {name}")
    query = {"versionId": arguments["VersionId"]} if "VersionId" in arguments else {}
    headers = {
        "host": "s3.us-east-1.amazonaws.com",
        "authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request",
    }
    path = f"/{arguments['Bucket']}/{arguments['Key']}"
    status, answer_headers, body = app.call_service_handler_sync(
        app.SERVICE_HANDLERS["s3"], "GET", path, headers, b"", query
    )
    content = bytes(body or b"")
    if status >= 400:
        raise _error(status, content)
    found = {name.lower(): value for name, value in answer_headers.items()}
    result = {key: found[header] for header, key in _HEADERS.items() if header in found}
    modified = found.get("last-modified")
    if modified:
        result["LastModified"] = parsedate_to_datetime(modified).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = {k.removeprefix("x-amz-meta-"): v for k, v in found.items() if k.startswith("x-amz-meta-")}
    return {**result, "ContentLength": len(content), "Metadata": metadata, "Body": content.decode()}


def _error(status: int, body: bytes) -> Exception:
    """Return the state machine's error for S3's XML error."""
    code, message = "", f"S3 returned status {status}"
    try:
        document = ET.fromstring(body)  # noqa: S314  (the emulator's own answer)
        code, message = document.findtext("Code", ""), document.findtext("Message", message)
    except ET.ParseError:
        pass
    name = f"S3.{code}Exception" if code in _MODELED_ERRORS else "S3.S3Exception"
    cause = f"{message} (Service: S3, Status Code: {status}, Request ID: LOCAL)"
    error: Exception = stepfunctions._ExecutionError(name, cause)
    return error
