"""Enforcement of the roles of functions, state machines, jobs and crawlers.

With the setting `enforce_roles`, a call with a role's credentials is allowed only by the role's policies.
`session_environment` gives a process these credentials. Code that acts for a role without them, such as a
state machine's tasks, calls `is_allowed` first. Each call is recorded, allowed or not, for tests that compare
the used permissions with the granted ones.
"""

import hashlib
import threading
from collections import Counter
from typing import Any, NamedTuple

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import sts

from local_aws.settings import SETTINGS

RECORDED_CONDITION_KEYS = ("s3:prefix", "iam:PassedToService")
"""The condition keys that are recorded with a call: those that the app's policies use."""


class Call(NamedTuple):
    """One action on one resource by a role, given by name; `context` is pairs of condition key and value."""

    role: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...]
    allowed: bool


_lock = threading.Lock()
_calls: Counter[Call] = Counter()


def record_call(
    principal: str, action: str, resource: str, context: dict[str, Any], *, allowed: bool
) -> None:
    """Record a call of a principal, given by its ARN, when it is a role's session."""
    kind, _, rest = principal.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return
    recorded = tuple(
        (key, str(context[key])) for key in RECORDED_CONDITION_KEYS if context.get(key) is not None
    )
    with _lock:
        _calls[Call(rest.split("/")[0], action, resource, recorded, allowed)] += 1


def recorded_calls() -> list[dict[str, Any]]:
    """Return every call since roles are enforced, with how often it was made (`times`)."""
    with _lock:
        return [
            {**call._asdict(), "context": dict(call.context), "times": times}
            for call, times in _calls.items()
        ]


def clear_calls() -> None:
    """Remove all recorded calls."""
    with _lock:
        _calls.clear()


def is_allowed(role_arn: str, action: str, resource: str, **context: str) -> bool:
    """Return whether the role's policies allow an action. Without `enforce_roles`, everything is allowed."""
    if not SETTINGS.enforce_roles:
        return True
    account, name = get_account_id(), role_arn.rpartition("/")[2]
    request = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/service",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context={key.lower(): value for key, value in context.items()},
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    allowed = bool(iam_evaluator.evaluate(request, policies).decision == "Allow")
    record_call(request.principal_arn, action, resource, context, allowed=allowed)
    return allowed


def can_create_log_group(role: str, group: str) -> bool:
    """Return whether the role may create this log group. AWS checks the ARN of an unnamed stream in it."""
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:"
    return is_allowed(role, "logs:CreateLogGroup", arn)


def can_write_log(role: str, group: str, stream: str) -> bool:
    """Return whether the role may create this stream of a log group and write to it."""
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:{stream}"
    return is_allowed(role, "logs:CreateLogStream", arn) and is_allowed(role, "logs:PutLogEvents", arn)


def denial_message(action: str, resource: str) -> str:
    """Return AWS's message for a denied action, without the principal before it."""
    return (
        f"is not authorized to perform: {action} on resource: {resource} because no identity-based policy "
        f"allows the {action} action"
    )


def session_environment(role_arn: str, name: str) -> dict[str, str]:
    """Return environment variables with credentials of the role, in a session of that name.

    Without `enforce_roles`, they are the account's own.
    """
    account = get_account_id()
    if not SETTINGS.enforce_roles:
        return {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "test"}
    role = role_arn.rpartition("/")[2]
    digest = hashlib.sha256(f"{role}/{name}".encode()).hexdigest()
    access_key, secret, token = f"ASIA{digest[:16].upper()}", digest[16:40], digest[40:]
    sts.register_session(
        access_key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name[:64]}",
            "UserId": f"{role}:{name[:64]}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
    }
