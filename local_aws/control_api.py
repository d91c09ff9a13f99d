"""The control API: HTTP routes for tests, in addition to the emulator's AWS endpoints.

GET  /_local/retries?execution=ARN   the delay of each retry of an execution
POST /_local/settings                change settings (`local_aws.settings.Settings`); returns all of them
POST /_local/script                  script an execution's tasks (patches/stepfunctions_scripted_tasks.py)
GET  /_local/script?execution=ARN    what a scripted execution did
POST /_local/faults                  replace the injected faults (`local_aws.fault_injection.Fault`)
GET  /_local/faults                  the injected faults, with how often each has occurred
GET  /_local/calls                   the calls of enforced roles (`local_aws.roles.Call`)
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


def with_control_routes(app: App) -> App:
    """Return the ASGI application `app` with the control routes in front of it."""

    async def respond(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await app(scope, receive, send)
            return
        status, document = _route(scope, await _body(receive))
        body = json.dumps(document).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return respond


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _route(scope: dict[str, Any], body: bytes) -> tuple[int, Any]:
    try:
        return 200, _call_route(scope, body)
    except LookupError as error:
        return 404, {"message": str(error)}
    except (ValueError, TypeError) as error:
        return 400, {"message": str(error)}


def _call_route(scope: dict[str, Any], body: bytes) -> Any:
    """Return a route's document. Raises LookupError for an unknown route, ValueError or TypeError."""
    route = scope["path"].removeprefix(PREFIX)
    if scope["method"] == "GET" and route in _GET_ROUTES:
        return _GET_ROUTES[route](_execution(scope))
    match (scope["method"], route):
        case ("POST", "script"):
            return stepfunctions_scripted_tasks.register_script(json.loads(body or b"{}"))
        case ("POST", "settings"):
            enforced = SETTINGS.enforce_roles
            SETTINGS.change(json.loads(body or b"{}"))
            if SETTINGS.enforce_roles != enforced:
                _enforce_roles(SETTINGS.enforce_roles)
            return asdict(SETTINGS)
        case ("POST", "faults"):
            fault_injection.replace_all(json.loads(body or b"[]"))
            return fault_injection.list_all()
    raise LookupError(f"no route {scope['method']} {scope['path']}; local_aws/control_api.py lists them")


def _enforce_roles(enforced: bool) -> None:
    """Clear the recorded calls, and end the functions' processes, which keep their first credentials."""
    emulator.AUTH = enforced
    roles.clear_calls()
    lambda_runtime.reset()


def _execution(scope: dict[str, Any]) -> str:
    """Return the execution's ARN in the query, empty when the query lacks it."""
    found: str = parse_qs(scope["query_string"].decode()).get("execution", [""])[0]
    return found


_GET_ROUTES: dict[str, Callable[[str], Any]] = {
    "retries": stepfunctions_retries.recorded_retries,
    "script": stepfunctions_scripted_tasks.recorded_script,
    "faults": lambda _: fault_injection.list_all(),
    "calls": lambda _: roles.recorded_calls(),
}
"""The documents of GET routes, by the execution's ARN in the query."""
