"""How do tests look behind the emulator's AWS? A few routes of our own beside its AWS endpoints.

GET  /_local/retries?execution=ARN   what each retry of an execution would have waited
POST /_local/settings                change `local_aws.settings.Settings`; answers with all of them
POST /_local/script                  what an execution's tasks will answer (patches/stepfunctions_scripts)
GET  /_local/script?execution=ARN    what a scripted execution did
POST /_local/faults                  let calls go wrong (`local_aws.fault_injection.Fault`): these, and no others
GET  /_local/faults                  the faults, with how often each has struck
GET  /_local/calls                   what roles did since they are enforced (`local_aws.roles.Call`)
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from ministack import app as emulator
from ministack.core import lambda_runtime

from local_aws import fault_injection, roles
from local_aws.patches import stepfunctions_retries, stepfunctions_scripted_tasks
from local_aws.settings import SETTINGS

App = Callable[
    [dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]
PREFIX = "/_local/"


def door(app: App) -> App:
    """The ASGI application `app` with the control routes in front of it."""

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await app(scope, receive, send)
            return
        status, document = _route(scope, await _body(receive))
        body = json.dumps(document).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _route(scope: dict[str, Any], body: bytes) -> tuple[int, Any]:
    try:
        return 200, _do(scope, body)
    except LookupError as error:
        return 404, {"message": str(error)}
    except (ValueError, TypeError) as error:
        return 400, {"message": str(error)}


def _do(scope: dict[str, Any], body: bytes) -> Any:
    """A route's answer. Raises LookupError where there is none, ValueError or TypeError for a wrong body."""
    route = scope["path"].removeprefix(PREFIX)
    if scope["method"] == "GET" and route in _SHOWN:
        return _SHOWN[route](_execution(scope))
    match (scope["method"], route):
        case ("POST", "script"):
            return stepfunctions_scripted_tasks.write(json.loads(body or b"{}"))
        case ("POST", "settings"):
            enforced = SETTINGS.enforce_roles
            SETTINGS.change(json.loads(body or b"{}"))
            if SETTINGS.enforce_roles != enforced:
                _enforce_roles(SETTINGS.enforce_roles)
            return asdict(SETTINGS)
        case ("POST", "faults"):
            fault_injection.replace_all(json.loads(body or b"[]"))
            return fault_injection.shown()
    raise LookupError(f"no route {scope['method']} {scope['path']}")


def _enforce_roles(enforced: bool) -> None:
    """Begin the record anew; processes of functions have the credentials they started with, so they end."""
    emulator.AUTH = enforced
    roles.forget()
    lambda_runtime.reset()


def _execution(scope: dict[str, Any]) -> str:
    """The execution's ARN in the query."""
    found: str = parse_qs(scope["query_string"].decode()).get("execution", [""])[0]
    return found


_SHOWN: dict[str, Callable[[str], Any]] = {
    "retries": stepfunctions_retries.recorded,
    "script": stepfunctions_scripted_tasks.recorded,
    "faults": lambda _: fault_injection.shown(),
    "calls": lambda _: roles.noted(),
}
"""What GET routes answer, given the execution's ARN in the query."""
