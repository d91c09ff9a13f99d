"""Subscribes endpoints to the notifications."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops.deployment import Deployment
from ops.errors import CliError
from ops.session import Session
from taxi_etl.notifications import Status

PENDING = "PendingConfirmation"
_FORMS = {
    "https": r"https://[^/\s]+\S*",
    "sqs": r"arn:[^:\s]+:sqs:[^:\s]+:\d+:[^:\s]+",
    "email": r"(?!arn:)[^@/\s]+@[^@/\s]+",
}
"""What an endpoint of each protocol looks like."""
_NEXT_STEPS = {
    "email": "open the e-mail that AWS sent to the address, and confirm the subscription",
    "https": "the endpoint receives a confirmation request and must visit its SubscribeURL",
    "sqs": "the queue's policy must allow sns.amazonaws.com to send messages for this topic",
}


@dataclass(frozen=True)
class Subscription:
    """A subscription to the topic; `arn` is `PENDING` until the endpoint confirms it."""

    arn: str
    protocol: str
    endpoint: str
    filter: dict[str, list[str]]

    @property
    def next_step(self) -> str:
        """What must happen before notifications arrive."""
        return _NEXT_STEPS[self.protocol]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document of the subscription."""
        return {
            "subscriptionArn": self.arn,
            "protocol": self.protocol,
            "endpoint": self.endpoint,
            "filter": self.filter,
            "nextStep": self.next_step,
        }


def create_subscription(
    session: Session,
    deployment: Deployment,
    endpoint: str,
    *,
    statuses: Sequence[Status] = (),
    datasets: Sequence[str] = (),
) -> Subscription:
    """Subscribe an endpoint to the notifications of these statuses and datasets; empty means all.

    A filter also excludes alarms, because their messages have no status. Raises CliError for an endpoint that
    SNS cannot deliver to.
    """
    protocol = _protocol_of(endpoint)
    wanted = {"status": [str(status) for status in statuses], "dataset": list(datasets)}
    filter_policy = {name: values for name, values in wanted.items() if values}
    attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
    answer = session.client("sns").subscribe(
        TopicArn=deployment.topic_arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes
    )
    arn = answer["SubscriptionArn"]
    return Subscription(arn if arn.startswith("arn:") else PENDING, protocol, endpoint, filter_policy)


def _protocol_of(endpoint: str) -> str:
    for protocol, form in _FORMS.items():
        if re.fullmatch(form, endpoint):
            return protocol
    raise CliError(
        f"{endpoint!r} cannot receive notifications: it is not an e-mail address, a queue's ARN or an "
        "https:// address",
        "give an e-mail address, the ARN of an SQS queue, or an https:// address",
    )
