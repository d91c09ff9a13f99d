"""Queue length and age of the oldest message.

MiniStack 1.5.33: Publishes no AWS/SQS metrics, so an alarm on a dead-letter queue never fires.
AWS: Publishes ApproximateNumberOfMessagesVisible and ApproximateAgeOfOldestMessage by QueueName every minute.
Source: Amazon SQS developer guide, "Available CloudWatch metrics for Amazon SQS".
Delete when: MiniStack publishes these two metrics.

They are published every two seconds here.
"""

import logging
import threading
import time

from ministack.services import sqs

from local_aws.patches import patching
from local_aws.patches.cloudwatch import publish

_EVERY_SECONDS = 2
_log = logging.getLogger("local_aws")


def apply() -> None:
    """Publish the metrics of the default account's queues from a thread."""
    for name in ("_queues", "_queues_lock", "_refresh_counts"):
        patching.attribute(sqs, name)
    threading.Thread(target=_publish_periodically, daemon=True, name="sqs-metrics").start()


def _publish_periodically() -> None:
    while True:
        time.sleep(_EVERY_SECONDS)
        try:
            _publish()
        except Exception:  # A queue may be deleted during the loop.
            _log.exception("publishing the queues' metrics failed")


def _publish() -> None:
    with sqs._queues_lock:
        queues = list(sqs._queues.values())
        oldest = [
            min((message["sent_at"] for message in queue["messages"]), default=None) for queue in queues
        ]
        for queue in queues:
            sqs._refresh_counts(queue)
    now = time.time()
    for queue, sent in zip(queues, oldest, strict=True):
        visible = float(queue["attributes"]["ApproximateNumberOfMessages"])
        values = {"ApproximateNumberOfMessagesVisible": (visible, "Count")}
        values["ApproximateAgeOfOldestMessage"] = (now - sent if sent else 0.0, "Seconds")
        publish("AWS/SQS", {"QueueName": queue["attributes"]["QueueArn"].rpartition(":")[2]}, values)
