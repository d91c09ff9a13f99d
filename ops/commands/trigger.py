"""The command `trigger`: the event notification of an existing bucket."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from ops import bucket_notifications
from ops.commands.context import app_of
from ops.listing import Listing
from ops.output import table
from taxi_etl.names import RAW_PREFIX


class Action(StrEnum):
    """What to do with the bucket's event notification."""

    ADD = "add"
    SHOW = "show"
    REMOVE = "remove"


def trigger(
    context: typer.Context,
    *,
    action: Annotated[Action, typer.Argument(help="Add, show or remove the notification.")] = Action.ADD,
    bucket: Annotated[str, typer.Option(help="An existing bucket of this account.")],
    prefix: Annotated[
        str | None,
        typer.Option(help=f"Key prefix. Default: {RAW_PREFIX} for add, every prefix for remove."),
    ] = None,
    events: Annotated[
        list[str] | None,
        typer.Option(help="S3 event type; repeat the option for several. Default: every object created."),
    ] = None,
    event_bridge: Annotated[
        bool, typer.Option("--event-bridge", help="Add an EventBridge rule instead of a notification.")
    ] = False,
    topic: Annotated[
        str,
        typer.Option(
            help="Subscribe to this SNS topic, which the bucket notifies already, instead of a notification."
        ),
    ] = "",
) -> None:
    """Load the files of an existing bucket too: notify the event queue about its objects.

    Other notifications of the bucket stay as they are. S3 allows one notification for an event of a key; if
    there is one already, add --event-bridge, or --topic if it notifies a topic.
    """
    app = app_of(context)
    unknown = sorted(set(events or ()) - set(bucket_notifications.EVENTS))
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(unknown)} is not an event type of new objects; choose from "
            f"{', '.join(bucket_notifications.EVENTS)}"
        )
    if (event_bridge or topic) and (action is not Action.ADD or events or (event_bridge and topic)):
        raise typer.BadParameter("--event-bridge and --topic are for add, one at a time and without --events")
    if topic and prefix not in (None, RAW_PREFIX):
        raise typer.BadParameter(f"a topic is subscribed for {RAW_PREFIX}; leave --prefix out")
    if action is Action.ADD:
        where = (app.session, app.deployment, bucket)
        keys = RAW_PREFIX if prefix is None else prefix
        if event_bridge:
            added, is_new = bucket_notifications.add_through_event_bridge(*where, keys)
        elif topic:
            added, is_new = bucket_notifications.add_through_topic(*where, topic)
        else:
            chosen = events or [bucket_notifications.ALL_CREATED]
            added, is_new = bucket_notifications.add(*where, keys, chosen)
        document = {"bucket": bucket, "trigger": added.to_json(), "added": is_new}
        app.output.result(document, _table([added]))
        start = app.target.command("backfill", "--bucket", bucket)
        app.output.note(f"new files load automatically; to load the files that are already there: {start}")
    elif action is Action.REMOVE:
        removed = bucket_notifications.remove(app.session, app.deployment, bucket, prefix)
        document = {"bucket": bucket, "removed": [each.to_json() for each in removed]}
        app.output.result(document, _table(removed) if removed else "the bucket had no such notification")
    else:
        ours, others = bucket_notifications.show(app.session, app.deployment, bucket)
        document = {
            "bucket": bucket,
            "triggers": [each.to_json() for each in ours],
            "others": [each.to_json() for each in others],
        }
        app.output.result(document, _table([*ours, *others]))


def _table(notifications: Sequence[bucket_notifications.Notification]) -> Listing:
    return table(
        *("notification", "events", "prefix", "suffix", "through", "destination"),
        rows=(
            (each.name, ", ".join(each.events), each.prefix, each.suffix, each.through, each.destination)
            for each in notifications
        ),
    )
