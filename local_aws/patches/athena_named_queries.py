"""Saved queries of Athena in CloudFormation templates.

MiniStack 1.5.33: CloudFormation rejects AWS::Athena::NamedQuery as an unsupported resource type.
AWS: Creates the named query; `Ref` returns its ID. A change replaces it.
Source: CloudFormation user guide, "AWS::Athena::NamedQuery".
Delete when: MiniStack's CloudFormation supports AWS::Athena::NamedQuery.
"""

import json
from typing import Any

from ministack.services import athena
from ministack.services.cloudformation import provisioners

from local_aws.patches import patching

RESOURCE_TYPE = "AWS::Athena::NamedQuery"


def apply() -> None:
    """Register the resource type with CloudFormation."""
    handlers = patching.attribute(provisioners, "_RESOURCE_HANDLERS")
    patching.add(handlers, RESOURCE_TYPE, {"create": _create, "update": _update, "delete": _delete})


def _create(logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    patching.require(RESOURCE_TYPE, properties, "Database", "QueryString")
    _, _, body = patching.attribute(athena, "_create_named_query")({"Name": logical_id, **properties})
    query = json.loads(body)["NamedQueryId"]
    return query, {"NamedQueryId": query}


def _update(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> tuple[str, dict[str, Any]]:
    made = _create(logical_id or "", new, stack_name)
    _delete(physical_id, old)
    return made


def _delete(physical_id: str, properties: dict[str, Any]) -> None:
    patching.attribute(athena, "_delete_named_query")({"NamedQueryId": physical_id})
