"""Retries and dead-letter queues for the functions that EventBridge rules invoke.

MiniStack 1.5.33: Invokes the function once, drops the event when the function fails, and ignores the target's
DeadLetterConfig.
AWS: Invokes the function asynchronously, with the function's own retries and failure destination. An event
that cannot be delivered goes to the target's dead-letter queue.
Source: EventBridge user guide, "Using dead-letter queues"; Lambda developer guide, "Asynchronous invocation".
Upstream: https://github.com/ministackorg/ministack/pull/1313 (closed) proposed dead-letter queues for every
target.
Delete when: MiniStack delivers to functions through `invoke_async_with_retry` and honors DeadLetterConfig.
"""

import contextvars
import json
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge, lambda_svc, sqs

from local_aws.patches import patching

_DELIVERY: contextvars.ContextVar[tuple[dict[str, Any], dict[str, Any]]] = contextvars.ContextVar("delivery")
"""The target and rule of the delivery in progress."""


def apply() -> None:
    """Replace the invocation of functions."""
    invoke = patching.replace(
        eventbridge,
        "_invoke_target",
        "target event rule view",
        lambda target, event, rule, view=None: _invoke(invoke, target, event, rule, view),
    )
    patching.replace(eventbridge, "_dispatch_to_lambda", "arn payload", _dispatch)
    for name in ("invoke_async_with_retry", "_get_func_record_for_ref", "_execution_record_for_config"):
        patching.attribute(lambda_svc, name)
    patching.attribute(sqs, "_act_send_message")


def _invoke(invoke: Callable[..., None], target: Any, event: Any, rule: Any, view: Any) -> None:
    token = _DELIVERY.set((target, rule))
    try:
        invoke(target, event, rule, view)
    finally:
        _DELIVERY.reset(token)


def _dispatch(arn: str, payload: str) -> None:
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if function and config:
        record = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(record, json.loads(payload))
        return
    target, rule = _DELIVERY.get()
    queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    queue = sqs._queue_by_arn(queue_arn) if queue_arn else None
    if queue:
        details = {"RULE_ARN": rule.get("Arn", ""), "TARGET_ARN": arn, "ERROR_CODE": "RESOURCE_NOT_FOUND"}
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in details.items()}
        sqs._act_send_message({"MessageBody": payload, "MessageAttributes": attributes}, queue["url"])
