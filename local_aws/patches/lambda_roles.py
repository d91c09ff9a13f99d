"""May Lambda do for a function what it does in its role's name? Poll its queue, keep its log, tell of
failures.

AWS: an event source mapping receives and deletes messages as the function's role, its log is written with the
role's rights, and so is the message about an event that was given up. Without the right there are no events,
no log, no message. The emulator does all that as itself.
Sources: Lambda developer guide, "Using Lambda with Amazon SQS", "Execution role permissions"; "Adding a
destination".
"""

from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc, sqs

from local_aws import roles
from local_aws.patches import patching
from local_aws.settings import SETTINGS


def apply() -> None:
    """Ask before each of them."""
    patching.attribute(lambda_svc, "_esms")
    patching.attribute(lambda_svc, "_functions")
    receive = patching.replace(
        sqs,
        "_receive_messages_for_esm",
        "queue_url max_number",
        lambda queue_url, max_number: (
            receive(queue_url, max_number) if _may_poll("sqs:ReceiveMessage", queue_url) else []
        ),
    )
    delete = patching.replace(
        sqs,
        "_delete_messages_for_esm",
        "queue_url receipt_handles",
        lambda queue_url, handles: (
            delete(queue_url, handles) if _may_poll("sqs:DeleteMessage", queue_url) else None
        ),
    )
    route = patching.replace(
        lambda_svc,
        "_route_async_failure",
        "target_arn func_name event result",
        lambda target_arn, func_name, event, result: (
            route(target_arn, func_name, event, result)
            if ":sqs:" not in target_arn or roles.may(_role(func_name), "sqs:SendMessage", target_arn)
            else None
        ),
    )
    emit = patching.replace(
        lambda_svc,
        "_emit_lambda_logs",
        "func request_id log_text error duration_ms log_source",
        lambda func, *told, **source: _log(emit, func, *told, **source),
    )


def _may_poll(action: str, queue_url: str) -> bool:
    """Whether the functions that the queue's events go to may do this."""
    if not SETTINGS.enforce_roles:
        return True
    arn = sqs._queues[queue_url]["attributes"]["QueueArn"]
    return all(
        roles.may(_role(mapping["FunctionName"]), action, arn)
        for mapping in list(lambda_svc._esms.values())
        if mapping.get("EventSourceArn") == arn
    )


def _role(function: str) -> str:
    return str(lambda_svc._functions[function]["config"]["Role"])


def _log(emit: Callable[..., None], func: dict[str, Any], *told: Any, **source: Any) -> None:
    config = func.get("config") or func
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    if roles.log_rights(config["Role"], group, config.get("Version", "$LATEST")):
        emit(func, *told, **source)
