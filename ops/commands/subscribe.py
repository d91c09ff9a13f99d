"""The command `subscribe`: deliver notifications to an endpoint, filtered by status and dataset."""

from typing import Annotated

import typer

from ops import completion
from ops.commands.context import App, app_of
from ops.deployment import Deployment
from ops.output import table
from ops.subscriptions import create_subscription
from taxi_etl.datasets import DATASETS
from taxi_etl.notifications import Status


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
        "Set chat_notifications=True for this environment in stacks/settings.py and deploy. "
        "HTTPS subscribers then receive the format for chat channels instead of JSON; queues and functions "
        "keep JSON."
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
