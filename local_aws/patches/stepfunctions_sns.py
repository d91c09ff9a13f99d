"""Message attributes and error names of `sns:publish`.

MiniStack 1.5.33: Drops MessageAttributes, and names every error `SNS.PublishFailed`.
AWS: Publishes the attributes, which subscription filters read. An error is `SNS.` and the name of the
exception.
Source: Step Functions developer guide, "Publish messages to an Amazon SNS topic with Step Functions"; Amazon
SNS API reference, "Publish", errors.
Delete when: MiniStack passes MessageAttributes on and names errors after the exception.
"""

import re
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import sns, stepfunctions

from local_aws.patches import patching

_RESOURCE = "arn:aws:states:::sns:publish"


def apply() -> None:
    """Replace the integration sns:publish."""
    dispatch = patching.attribute(stepfunctions, "_SERVICE_DISPATCH")
    if _RESOURCE not in dispatch:
        raise patching.PatchMismatchError(f"stepfunctions._SERVICE_DISPATCH has no {_RESOURCE}")
    patching.attribute(sns, "_publish")
    dispatch[_RESOURCE] = _publish


def _publish(resource: str, arguments: dict[str, Any]) -> dict[str, str]:
    params = {name: value for name, value in arguments.items() if name != "MessageAttributes"}
    params |= _query_parameters(arguments.get("MessageAttributes") or {})
    status, _, body = sns._publish(params)
    text = body.decode() if isinstance(body, bytes) else body
    if status >= 400:
        code, message = _element(text, "Code"), _element(text, "Message")
        name = code if code.endswith("Exception") else f"{code}Exception"
        raise stepfunctions._ExecutionError(
            f"SNS.{name}",
            f"{message} (Service: AmazonSNS; Status Code: {status}; Error Code: {code}; Request ID: LOCAL)",
        )
    return {"MessageId": _element(text, "MessageId") or new_uuid()}


def _query_parameters(attributes: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return message attributes in the form of the query protocol."""
    flat = {}
    for number, (name, value) in enumerate(attributes.items(), start=1):
        entry = f"MessageAttributes.entry.{number}"
        flat[f"{entry}.Name"] = name
        flat |= {f"{entry}.Value.{key}": text for key, text in value.items()}
    return flat


def _element(text: str, name: str) -> str:
    match = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
    return match.group(1) if match else ""
