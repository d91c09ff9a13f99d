"""What do alarms know of queues? How many messages wait, and how long: every few seconds (AWS: every minute).

The emulator publishes no AWS/SQS metrics, so an alarm on a dead-letter queue would never ring.
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
    """Watch the queues of the default account in a thread."""
    for name in ("_queues", "_queues_lock", "_refresh_counts"):
        patching.attribute(sqs, name)
    threading.Thread(target=_watch, daemon=True, name="sqs-metrics").start()


def _watch() -> None:
    while True:
        time.sleep(_EVERY_SECONDS)
        try:
            _publish()
        except Exception:  # the watch must outlive a queue that goes away under it
            _log.exception("queue metrics")


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
