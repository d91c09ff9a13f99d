"""How does somebody get the messages? Subscriptions to the topic, filtered by status and dataset."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops.deployment import Deployment
from ops.errors import CliError
from ops.session import Session
from taxi_etl.notifications import Status

PENDING = "PendingConfirmation"
_NEXT_STEPS = {
    "email": "open the mail that AWS sent to the address, and confirm",
    "https": "the endpoint gets a request to confirm: it must answer by visiting its SubscribeURL",
    "sqs": "the queue's policy must allow sns.amazonaws.com to send messages for this topic",
}


@dataclass(frozen=True)
class Subscription:
    """A subscription that was made; `arn` is `PENDING` until it is confirmed."""

    arn: str
    protocol: str
    endpoint: str
    filter: dict[str, list[str]]

    @property
    def next_step(self) -> str:
        """What has to happen before messages arrive."""
        return _NEXT_STEPS[self.protocol]

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "subscriptionArn": self.arn,
            "protocol": self.protocol,
            "endpoint": self.endpoint,
            "filter": self.filter,
            "nextStep": self.next_step,
        }


def protocol_of(endpoint: str) -> str:
    """How to reach an endpoint: `email`, `sqs` or `https`. Raises CliError for anything else."""
    if endpoint.startswith("https://"):
        return "https"
    if endpoint.startswith("arn:") and endpoint.split(":")[2] == "sqs":
        return "sqs"
    if endpoint.count("@") == 1 and "/" not in endpoint and not endpoint.startswith("arn:"):
        return "email"
    raise CliError(
        f"{endpoint!r} is no endpoint for messages",
        "give an e-mail address, the ARN of an SQS queue, or an https:// address",
    )


def subscribe(
    session: Session,
    deployment: Deployment,
    endpoint: str,
    *,
    statuses: Sequence[Status] = (),
    datasets: Sequence[str] = (),
) -> Subscription:
    """Subscribe an endpoint to the messages of these outcomes and datasets; to all where none are given.

    Messages of alarms carry no outcome, so a filter keeps them away.
    """
    protocol = protocol_of(endpoint)
    wanted = {"status": [str(status) for status in statuses], "dataset": list(datasets)}
    chosen = {name: values for name, values in wanted.items() if values}
    attributes = {"FilterPolicy": json.dumps(chosen)} if chosen else {}
    answer = session.client("sns").subscribe(
        TopicArn=deployment.topic_arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes
    )
    arn = answer["SubscriptionArn"]
    return Subscription(arn if arn.startswith("arn:") else PENDING, protocol, endpoint, chosen)
