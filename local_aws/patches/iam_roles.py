"""Permissions on every resource of a Glue request, and iam:PassRole.

MiniStack 1.5.33: With AUTH on, a Glue request needs its action on one resource, which for a database is a
table of the same name. Passing a role needs no permission.
AWS: A request about a table needs its action on the table, its database and the catalog; one about a
database, on the database and the catalog. Passing a role to a service needs iam:PassRole on that role.
Source: AWS Glue developer guide, "Specifying AWS Glue resource ARNs"; Service authorization reference, "AWS
Glue"; IAM user guide, "Grant a user permissions to pass a role to an AWS service".
Delete when: MiniStack authorizes Glue requests on all their resources and checks iam:PassRole, and the tests
have another way to list the requests that roles made.

Every request of a role is recorded (`local_aws.roles.Call`).
"""

import contextvars
import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import sts

from local_aws import roles
from local_aws.patches import patching

Permission = tuple[str, str, dict[str, str]]
"""An action, a resource, and condition keys."""

_ADDITIONAL: contextvars.ContextVar[tuple[Permission, ...]] = contextvars.ContextVar("additional", default=())
"""The current request's permissions besides the first. The action "" is the request's own."""


def apply() -> None:
    """Give Glue's requests all their resources; authorize and record each."""
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
        lambda key, action, service, region, **request: _enforce(
            enforce, key, action, service, region, **request
        ),
    )


def _resource(extract: Callable[..., str], service: str, *request: Any) -> str:
    """Return the request's first resource, and keep its other permissions for `_enforce`."""
    _ADDITIONAL.set(())
    if service != "glue":
        return extract(service, *request)
    _, _, headers, body, _, region, account = request
    first, *additional = required_permissions(
        headers.get("x-amz-target", ""), json.loads(body or b"{}"), region, account
    )
    _ADDITIONAL.set(tuple(additional))
    return first[1]


def required_permissions(target: str, data: dict[str, Any], region: str, account: str) -> list[Permission]:
    """Return the permissions of a Glue request: its own action, written "", on each resource, and others."""
    prefix = f"arn:aws:glue:{region}:{account}"
    action = target.rpartition(".")[2]
    named = {**data, **(data.get("TableInput") or {}), **(data.get("DatabaseInput") or {})}
    database = data.get("DatabaseName") or (named.get("Name") if "Database" in action else None)
    table = data.get("TableName") or (named.get("Name") if "Table" in action else None)
    permissions: list[Permission] = []
    if database and "Table" in action:
        permissions.append(("", f"{prefix}:table/{database}/{table or '*'}", {}))
    if database:
        permissions += [("", f"{prefix}:database/{database}", {}), ("", f"{prefix}:catalog", {})]
    else:
        kind = next((kind for kind in ("Crawler", "Job") if kind in action), None)
        name = data.get("Name") or data.get("JobName")
        permissions.append(
            ("", f"{prefix}:{kind.lower()}/{name}" if kind and name else f"{prefix}:catalog", {})
        )
    passed = (data.get("TableOptimizerConfiguration") or {}).get("roleArn")
    if passed:
        permissions.append(("iam:PassRole", passed, {"iam:PassedToService": "glue.amazonaws.com"}))
    return permissions


def _enforce(
    enforce: Callable[..., Any], key: str, action: str, service: str, region: str, **request: Any
) -> Any:
    """Return None when every permission is granted, else the first denial."""
    additional = [
        (other or action, {"resource_arn": resource, "service_context": context})
        for other, resource, context in _ADDITIONAL.get()
    ]
    _ADDITIONAL.set(())
    denied = None
    for needed, about in ((action, request), *additional):
        denied = enforce(key, needed, service, region, **about)
        caller = sts._sessions.get(key)
        if caller:
            context = about.get("service_context") or {}
            roles.record_call(
                caller["Arn"], needed, about.get("resource_arn", "*"), context, allowed=denied is None
            )
        if denied:
            break
    return denied
