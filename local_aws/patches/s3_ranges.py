"""Byte ranges of a specific object version.

MiniStack 1.5.33: Answers GetObject with versionId and Range with the whole object.
AWS: Answers with the requested range and status 206, or InvalidRange.
Source: Amazon S3 API reference, "GetObject", Range and versionId.
Delete when: MiniStack honors Range together with versionId.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import s3

from local_aws.patches import patching


def apply() -> None:
    """Cut the requested range out of a version's response."""
    get = patching.replace(
        s3,
        "_get_object",
        "bucket_name key headers query_params",
        lambda bucket_name, key, headers, query_params=None: _cut(
            get, bucket_name, key, headers, query_params or {}
        ),
    )
    for name in ("_parse_range", "_range_error_xml", "_xml_body"):
        patching.attribute(s3, name)


def _cut(get: Callable[..., Any], bucket: str, key: str, headers: dict[str, str], query: Any) -> Any:
    status, answer, body = get(bucket, key, headers, query)
    wanted = headers.get("range")
    if status != 200 or not wanted or "versionId" not in query:
        return status, answer, body
    total = len(body)
    span = s3._parse_range(wanted, total)
    if span is None:
        range_error = {"Content-Type": "application/xml", "Content-Range": f"bytes */{total}"}
        return 416, range_error, s3._xml_body(s3._range_error_xml(bucket, key))
    first, last = span
    # The checksum is of the whole object.
    kept = {name: value for name, value in answer.items() if not name.lower().startswith("x-amz-checksum")}
    kept["Content-Length"] = str(last - first + 1)
    kept["Content-Range"] = f"bytes {first}-{last}/{total}"
    return 206, kept, body[first : last + 1]
