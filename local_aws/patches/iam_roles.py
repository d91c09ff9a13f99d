"""Which rights does a call need? Each asked of a role is noted, and Glue's are asked for on all resources.

AWS: a call about a Glue table needs its action on the table, on its database and on the catalog; one about a
database on the database and the catalog. Handing a role to a service needs iam:PassRole on that role. The
emulator asks for one resource, which for a database is a table of its name, and never for PassRole.
Sources: AWS Glue developer guide, "Specifying AWS Glue resource ARNs"; Service authorization reference, "AWS
Glue"; IAM user guide, "Grant a user permissions to pass a role to an AWS service".
"""

import contextvars
import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import sts

from local_aws import roles
from local_aws.patches import patching

Need = tuple[str, str, dict[str, str]]
"""An action, a resource, and condition keys."""

_FURTHER: contextvars.ContextVar[tuple[Need, ...]] = contextvars.ContextVar("further", default=())
"""What the request that is being authorized needs besides its first resource; an action "" is its own."""


def apply() -> None:
    """Give Glue's requests their resources; ask for all of them, and note it."""
    patching.attribute(sts, "_sessions")
    extract = patching.replace(
        iam_actions,
        "extract_resource_arn",
        "service method path headers body query_params region account_id",
        lambda service, *request: _resource(extract, service, *request),
    )
    enforce = patching.replace(
        iam_evaluator,
        "enforce",
        "access_key_id iam_action service region resource_arn service_context",
        lambda key, action, service, region, **asked: _enforce(
            enforce, key, action, service, region, **asked
        ),
    )


def _resource(extract: Callable[..., str], service: str, *request: Any) -> str:
    """The first resource of the request; the others are kept for `_enforce`."""
    _FURTHER.set(())
    if service != "glue":
        return extract(service, *request)
    _, _, headers, body, _, region, account = request
    first, *further = glue_needs(headers.get("x-amz-target", ""), json.loads(body or b"{}"), region, account)
    _FURTHER.set(tuple(further))
    return first[1]


def glue_needs(target: str, data: dict[str, Any], region: str, account: str) -> list[Need]:
    """What a call of Glue needs: its own action, spelled "", on each resource, and others."""
    prefix = f"arn:aws:glue:{region}:{account}"
    action = target.rpartition(".")[2]
    named = {**data, **(data.get("TableInput") or {}), **(data.get("DatabaseInput") or {})}
    database = data.get("DatabaseName") or (named.get("Name") if "Database" in action else None)
    table = data.get("TableName") or (named.get("Name") if "Table" in action else None)
    needs: list[Need] = []
    if database and "Table" in action:
        needs.append(("", f"{prefix}:table/{database}/{table or '*'}", {}))
    if database:
        needs += [("", f"{prefix}:database/{database}", {}), ("", f"{prefix}:catalog", {})]
    else:
        kind = next((kind for kind in ("Crawler", "Job") if kind in action), None)
        name = data.get("Name") or data.get("JobName")
        needs.append(("", f"{prefix}:{kind.lower()}/{name}" if kind and name else f"{prefix}:catalog", {}))
    passed = (data.get("TableOptimizerConfiguration") or {}).get("roleArn")
    if passed:
        needs.append(("iam:PassRole", passed, {"iam:PassedToService": "glue.amazonaws.com"}))
    return needs


def _enforce(
    enforce: Callable[..., Any], key: str, action: str, service: str, region: str, **asked: Any
) -> Any:
    """None when every need of the request is allowed, else the first refusal."""
    further = [
        (other or action, {"resource_arn": resource, "service_context": context})
        for other, resource, context in _FURTHER.get()
    ]
    _FURTHER.set(())
    denied = None
    for needed, about in ((action, asked), *further):
        denied = enforce(key, needed, service, region, **about)
        caller = sts._sessions.get(key)
        if caller:
            context = about.get("service_context") or {}
            roles.note(caller["Arn"], needed, about.get("resource_arn", "*"), context, allowed=denied is None)
        if denied:
            break
    return denied
