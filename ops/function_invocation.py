"""Invokes the deployed functions."""

import json
from collections.abc import Mapping
from typing import Any

from ops.errors import CliError
from ops.session import Session


def invoke(session: Session, title: str, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Invoke a function and return its answer; `title` names it in errors, such as `orchestrator`.

    Raises CliError with the function's error.
    """
    answer = session.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    response = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        reason = response.get("errorMessage", "no reason given") if isinstance(response, dict) else response
        raise CliError(
            f"the {title} failed: {reason}",
            f"see its log group /aws/lambda/{name}; check the deployment: {session.target.command('verify')}",
        )
    document: dict[str, Any] = response
    return document
