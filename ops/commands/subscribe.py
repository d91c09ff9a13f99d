"""The command `subscribe`: deliver notifications to an endpoint, filtered by status and dataset."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ops import completion
from ops.commands.context import App, app_of
from ops.deployment import Deployment
from ops.errors import CliError
from ops.output import table
from ops.session import Session
from taxi_etl.datasets import DATASETS
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


def subscribe(
    context: typer.Context,
    endpoint: Annotated[
        str, typer.Argument(help="An e-mail address, the ARN of an SQS queue, or an https:// address.")
    ] = "",
    status: Annotated[
        list[Status] | None, typer.Option(help="Only this status; repeat the option for several.")
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this dataset; repeat the option for several.", autocompletion=completion.datasets
        ),
    ] = None,
    chat: Annotated[
        bool, typer.Option("--chat", help="Explain how a Slack or Teams channel receives notifications.")
    ] = False,
) -> None:
    """Subscribe an endpoint to notifications; without a filter also to alarms."""
    if chat == bool(endpoint) or (chat and (status or dataset)):
        raise typer.BadParameter("give an endpoint, or --chat alone")
    unknown = [name for name in dataset or () if name not in DATASETS]
    if unknown:
        message = f"{unknown[0]!r} is not a dataset: {', '.join(DATASETS)}"
        raise typer.BadParameter(message, param_hint="--dataset")
    app = app_of(context)
    if chat:
        _explain_chat(app)
        return
    made = create_subscription(
        app.session, app.deployment, endpoint, statuses=status or (), datasets=dataset or ()
    )
    rows = [(made.endpoint, made.protocol, made.arn)]
    app.output.result(made.to_json(), table("endpoint", "protocol", "subscription", rows=rows))
    app.output.note(f"next: {made.next_step}")


def _explain_chat(app: App) -> None:
    """Print the steps that connect a chat channel to the topic; a workspace is authorized in the console."""
    steps = chat_steps(app.deployment, app.session.region)
    document = {
        "topicArn": app.deployment.topic_arn,
        "chatNotifications": bool(app.deployment.chat_notifications),
        "steps": steps,
    }
    app.output.result(document, *(f"{number}. {step}" for number, step in enumerate(steps, start=1)))


def chat_steps(deployment: Deployment, region: str) -> list[str]:
    """Return what to do so that Amazon Q Developer in chat applications shows notifications in a channel."""
    setting = (
        "Set chat_notifications=True for this environment in stacks/settings.py and deploy. HTTPS "
        "subscribers then receive the format for chats instead of JSON; queues and functions keep JSON."
    )
    return [
        *([] if deployment.chat_notifications else [setting]),
        "Open https://console.aws.amazon.com/chatbot/, choose Slack or Microsoft Teams, and authorize your "
        "workspace.",
        "Choose Configure new channel and select the channel. For a private Slack channel, first invite "
        "the app there: /invite @Amazon Q.",
        "Choose a channel role with the policy template Notification permissions; nothing else is needed.",
        f"Under Notifications, choose the region {region} and the topic {deployment.topic_arn}. Save.",
        "Choose Send test message. The next execution, or an alarm, then appears in the channel.",
    ]


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
