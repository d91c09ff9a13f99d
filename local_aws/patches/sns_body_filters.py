"""Filters on the properties of objects in an array of a message's body.

MiniStack 1.5.33: A nested filter policy matches a nested object, but not an array of objects, so that no S3
notification matches a policy for its `Records`.
AWS: A nested policy also applies to the objects of an array; S3 notifications are its documented example.
Source: Amazon SNS developer guide, "Filter policy constraints" (payload-based filtering); AWS Compute Blog,
"Introducing payload-based message filtering for Amazon SNS".
Delete when: MiniStack delivers an S3 notification to a subscription whose policy names `Records`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ministack.services import sns

from local_aws.patches import patching


def apply() -> None:
    """Replace the lookup of a body's properties."""
    patching.replace(sns, "_body_lookup", "body", lambda body: _lookup([body]))


def _lookup(objects: Sequence[dict[str, Any]]) -> Callable[..., Any]:
    """Return a lookup in all objects, which answers: found or not, the values, whether there are objects."""

    def lookup(key: str) -> tuple[bool, list[Any], bool]:
        found = [body[key] for body in objects if body.get(key) is not None]
        values = [value for each in found for value in (each if isinstance(each, list) else [each])]
        return bool(found), values, any(objects)

    def child(key: str) -> Callable[..., Any] | None:
        inner = [value for value in lookup(key)[1] if isinstance(value, dict)]
        return _lookup(inner) if inner else None

    lookup.child = child  # type: ignore[attr-defined]
    return lookup
