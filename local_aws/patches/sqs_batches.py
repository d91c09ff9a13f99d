"""Batch size and batching window of SQS event source mappings.

MiniStack 1.5.33: Takes at most 10 messages at a time and ignores the batching window.
AWS: Batches up to 10,000 records of a standard queue. With a batching window, it invokes the function when
the batch is full, the window has passed since the first message, or the payload reaches 6 MB, whichever comes
first.
Source: Lambda developer guide, "Using Lambda with Amazon SQS", batching behavior.
Delete when: MiniStack honors BatchSize above 10 and MaximumBatchingWindowInSeconds.
"""

import time
from typing import Any

from ministack.services import lambda_svc, sqs

from local_aws.patches import patching

MAX_BATCH = 10_000
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
RECORD_OVERHEAD_BYTES = 700
"""The size of a record without its message's body: ids, receipt handle, attributes."""


def apply() -> None:
    """Replace the receive call of the emulator's event source poller."""
    patching.attribute(lambda_svc, "_esms")
    patching.replace(sqs, "_receive_messages_for_esm", "queue_url max_number", _receive)
    for name in ("_queues_lock", "_get_q", "_expire_retained", "_dlq_sweep", "_collect_msgs"):
        patching.attribute(sqs, name)


def _receive(queue_url: str, max_number: int) -> list[dict[str, Any]]:
    """Return the next batch of an event source and make it invisible; empty while the window is open."""
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        now = time.time()
        limit = min(int(max_number or 1), MAX_BATCH)
        visible = [message for message in queue["messages"] if message["visible_at"] <= now]
        fitting = _fitting_count(visible[:limit])
        full = fitting == limit or fitting < len(visible[:limit])
        if not visible or (not full and now < _visible_since(visible) + _window(queue)):
            return []
        batch: list[dict[str, Any]] = sqs._collect_msgs(
            queue, fitting, int(queue["attributes"].get("VisibilityTimeout", "30"))
        )
        return batch


def _fitting_count(messages: list[dict[str, Any]]) -> int:
    """Return how many of these messages fit into one invocation, at least one."""
    size = 0
    for count, message in enumerate(messages):
        size += len(message["body"].encode()) + RECORD_OVERHEAD_BYTES
        if size > MAX_PAYLOAD_BYTES:
            return max(count, 1)
    return len(messages)


def _visible_since(visible: list[dict[str, Any]]) -> float:
    """Return when the first of the messages became visible."""
    return min(float(message["visible_at"]) for message in visible)


def _window(queue: dict[str, Any]) -> float:
    """Return the batching window of the queue's event source mapping, in seconds."""
    arn = queue["attributes"]["QueueArn"]
    windows = [
        mapping.get("MaximumBatchingWindowInSeconds") or 0
        for mapping in list(lambda_svc._esms.values())
        if mapping.get("EventSourceArn") == arn
    ]
    return float(max(windows, default=0))
