"""Can an app with saved log queries be deployed? The emulator's CloudFormation does not know them.

AWS keeps a query definition and gives it an id, which is what `Ref` returns. Here only the id is kept: there
is no Logs Insights console in which to choose it.
Source: CloudFormation user guide, "AWS::Logs::QueryDefinition".
"""

import uuid
from typing import Any

from ministack.services.cloudformation import provisioners

from local_aws.patches import patching

KIND = "AWS::Logs::QueryDefinition"


def apply() -> None:
    """Let CloudFormation create, change and delete query definitions."""
    handlers = patching.attribute(provisioners, "_RESOURCE_HANDLERS")
    if KIND in handlers:
        raise patching.PatchMismatchError(f"the emulator knows {KIND} by itself; remove this patch")
    handlers[KIND] = {"create": _create, "update": _update, "delete": _delete}


def _create(logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    for name in ("Name", "QueryString"):
        if not properties.get(name):
            raise ValueError(f"{KIND} requires {name}")
    query = str(uuid.uuid4())
    return query, {"QueryDefinitionId": query}


def _update(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> tuple[str, dict[str, Any]]:
    return physical_id, {"QueryDefinitionId": physical_id}


def _delete(physical_id: str, properties: dict[str, Any]) -> None:
    """Nothing is left behind."""
