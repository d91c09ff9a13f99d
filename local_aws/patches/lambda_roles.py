"""Queue polling, logs and failure destinations with the function's role.

MiniStack 1.5.33: With AUTH on, polls queues, writes logs and sends to failure destinations without checking
the function's role.
AWS: Does each of these with the function's role. Without the permission there are no events, no log or no
message.
Source: Lambda developer guide, "Using Lambda with Amazon SQS", "Execution role permissions", "Adding a
destination".
Delete when: MiniStack authorizes these three with the function's role.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc, sqs

from local_aws import roles
from local_aws.patches import patching
from local_aws.settings import SETTINGS


def apply() -> None:
    """Check the function's role before polling, deleting, logging and sending."""
    patching.attribute(lambda_svc, "_esms")
    patching.attribute(lambda_svc, "_functions")
    receive = patching.replace(
        sqs,
        "_receive_messages_for_esm",
        "queue_url max_number",
        lambda queue_url, max_number: (
            receive(queue_url, max_number) if _can_poll("sqs:ReceiveMessage", queue_url) else []
        ),
    )
    delete = patching.replace(
        sqs,
        "_delete_messages_for_esm",
        "queue_url receipt_handles",
        lambda queue_url, handles: (
            delete(queue_url, handles) if _can_poll("sqs:DeleteMessage", queue_url) else None
        ),
    )
    route = patching.replace(
        lambda_svc,
        "_route_async_failure",
        "target_arn func_name event result",
        lambda target_arn, func_name, event, result: (
            route(target_arn, func_name, event, result)
            if ":sqs:" not in target_arn or roles.is_allowed(_role(func_name), "sqs:SendMessage", target_arn)
            else None
        ),
    )
    emit = patching.replace(
        lambda_svc,
        "_emit_lambda_logs",
        "func request_id log_text error duration_ms log_source",
        lambda func, *arguments, **source: _log(emit, func, *arguments, **source),
    )


def _can_poll(action: str, queue_url: str) -> bool:
    """Return whether the roles of the queue's functions allow the action."""
    if not SETTINGS.enforce_roles:
        return True
    arn = sqs._queues[queue_url]["attributes"]["QueueArn"]
    return all(
        roles.is_allowed(_role(mapping["FunctionName"]), action, arn)
        for mapping in list(lambda_svc._esms.values())
        if mapping.get("EventSourceArn") == arn
    )


def _role(function: str) -> str:
    return str(lambda_svc._functions[function]["config"]["Role"])


def _log(emit: Callable[..., None], func: dict[str, Any], *arguments: Any, **source: Any) -> None:
    config = func.get("config") or func
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    if roles.can_write_log(config["Role"], group, config.get("Version", "$LATEST")):
        emit(func, *arguments, **source)
