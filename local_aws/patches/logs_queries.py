"""Saved log queries in CloudFormation templates.

MiniStack 1.5.33: CloudFormation rejects AWS::Logs::QueryDefinition as an unsupported resource type.
AWS: Creates the query definition; `Ref` returns its id.
Source: CloudFormation user guide, "AWS::Logs::QueryDefinition".
Delete when: MiniStack's CloudFormation supports AWS::Logs::QueryDefinition.

Only the id is kept.
"""

import uuid
from typing import Any

from ministack.services.cloudformation import provisioners

from local_aws.patches import patching

RESOURCE_TYPE = "AWS::Logs::QueryDefinition"


def apply() -> None:
    """Register the resource type with CloudFormation."""
    handlers = patching.attribute(provisioners, "_RESOURCE_HANDLERS")
    patching.add(handlers, RESOURCE_TYPE, {"create": _create, "update": _update, "delete": _delete})


def _create(logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    patching.require(RESOURCE_TYPE, properties, "Name", "QueryString")
    query = str(uuid.uuid4())
    return query, {"QueryDefinitionId": query}


def _update(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> tuple[str, dict[str, Any]]:
    return physical_id, {"QueryDefinitionId": physical_id}


def _delete(physical_id: str, properties: dict[str, Any]) -> None:
    """Do nothing: only the id exists."""
