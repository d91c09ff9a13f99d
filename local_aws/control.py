"""How do tests look behind the emulator's AWS? A few routes of our own beside its AWS endpoints.

GET  /_local/retries?execution=ARN   what each retry of an execution would have waited
POST /_local/settings                change `local_aws.settings.Settings`; answers with all of them
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from ministack import app as emulator

from local_aws.patches import stepfunctions_retries
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
    match (scope["method"], scope["path"].removeprefix(PREFIX)):
        case ("GET", "retries"):
            execution = parse_qs(scope["query_string"].decode()).get("execution", [""])[0]
            return 200, stepfunctions_retries.recorded(execution)
        case ("POST", "settings"):
            try:
                SETTINGS.change(json.loads(body or b"{}"))
            except ValueError as error:
                return 400, {"message": str(error)}
            emulator.AUTH = SETTINGS.enforce_roles
            return 200, asdict(SETTINGS)
    return 404, {"message": f"no route {scope['method']} {scope['path']}"}
