"""Version IDs in EventBridge events of objects.

MiniStack 1.5.33: Sends "Object Created" and "Object Deleted" without the object's `version-id`.
AWS: Names the version in `detail.object.version-id` if the bucket is versioned.
Source: Amazon S3 user guide, "EventBridge event message structure".
Delete when: MiniStack's EventBridge events of a versioned bucket have `version-id`.
"""

import contextvars
import json
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge, s3

from local_aws.patches import patching

_PARAMETERS = (
    "bucket_name key event_name size etag deletion_type restore_event_data version_id sequencer object_extra "
    "record_extra"
)
_VERSION: contextvars.ContextVar[str | None] = contextvars.ContextVar("version", default=None)
"""The version ID of the object whose event is being sent."""


def apply() -> None:
    """Add the version ID to the events that S3 dispatches."""
    fire = patching.replace(
        s3, "_fire_s3_event", _PARAMETERS, lambda *given, **named: _fire(fire, *given, **named)
    )
    dispatch = patching.replace(
        eventbridge,
        "_dispatch_event",
        "event view",
        lambda event, view=None: dispatch(_with_version(event), view),
    )


def _fire(fire: Callable[..., None], *given: Any, version_id: str | None = None, **named: Any) -> None:
    token = _VERSION.set(version_id)
    try:
        fire(*given, version_id=version_id, **named)
    finally:
        _VERSION.reset(token)


def _with_version(event: dict[str, Any]) -> dict[str, Any]:
    version_id = _VERSION.get()
    if not version_id or event.get("Source") != "aws.s3":
        return event
    detail = json.loads(event["Detail"])
    detail["object"]["version-id"] = version_id
    return {**event, "Detail": json.dumps(detail)}
