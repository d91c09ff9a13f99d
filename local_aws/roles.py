"""Who acts in the account, and may it? Roles of functions, state machines, jobs and crawlers, held to their
policies.

With the setting `enforce_roles`, whoever acts in a role's name may do what its policies allow. A client is
known by its credentials: `session` gives a role's to a process. What a service does in a role's name without
such a client, such as a state machine's tasks, asks `may` first. Either way each call is noted, allowed or
not, for tests that compare what was used with what is granted.
"""

import hashlib
import threading
from collections import Counter
from typing import Any, NamedTuple

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import sts

from local_aws.settings import SETTINGS

TOLD_KEYS = ("s3:prefix", "iam:PassedToService")
"""The condition keys of a call that are noted: those that this account's policies may ask for."""


class Call(NamedTuple):
    """One action on one resource, by a role known by its name; `context` as pairs of key and value."""

    role: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...]
    allowed: bool


_lock = threading.Lock()
_calls: Counter[Call] = Counter()


def note(principal: str, action: str, resource: str, context: dict[str, Any], *, allowed: bool) -> None:
    """Remember what a principal, given by its ARN, asked for; nothing unless it is a role's session."""
    kind, _, rest = principal.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return
    told = tuple((key, str(context[key])) for key in TOLD_KEYS if context.get(key) is not None)
    with _lock:
        _calls[Call(rest.split("/")[0], action, resource, told, allowed)] += 1


def noted() -> list[dict[str, Any]]:
    """Every call since roles are enforced, with how often it was made."""
    with _lock:
        return [
            {**call._asdict(), "context": dict(call.context), "times": times}
            for call, times in _calls.items()
        ]


def forget() -> None:
    """Begin the record anew."""
    with _lock:
        _calls.clear()


def may(role_arn: str, action: str, resource: str, **context: str) -> bool:
    """Whether the role's policies allow an action of a service in its name; anything, unless enforced."""
    if not SETTINGS.enforce_roles:
        return True
    account, name = get_account_id(), role_arn.rpartition("/")[2]
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/service",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context={key.lower(): value for key, value in context.items()},
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    allowed = bool(iam_evaluator.evaluate(asked, policies).decision == "Allow")
    note(asked.principal_arn, action, resource, context, allowed=allowed)
    return allowed


def log_rights(role: str, group: str, stream: str) -> bool:
    """Whether the role may create this stream of a log group and write into it."""
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:{stream}"
    return may(role, "logs:CreateLogStream", arn) and may(role, "logs:PutLogEvents", arn)


def refusal(action: str, resource: str) -> str:
    """What AWS says to who may not."""
    return (
        f"is not authorized to perform: {action} on resource: {resource} because no identity-based policy "
        f"allows the {action} action"
    )


def session(role_arn: str, name: str) -> dict[str, str]:
    """The environment variables of credentials for the role, in a session of that name; unless enforced, the
    account's own."""
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
