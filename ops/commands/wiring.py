"""How are the parts around the workflow handled? trigger, for existing buckets, and the crawler."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ops import crawler, triggers
from ops.commands.context import app_of
from ops.output import moment, seconds, table
from taxi_etl.names import RAW_PREFIX

crawler_commands = typer.Typer(help="The crawler of the raw zone.", no_args_is_help=True)


class Action(StrEnum):
    """What to do with a bucket's notification."""

    ADD = "add"
    SHOW = "show"
    REMOVE = "remove"


def trigger(
    context: typer.Context,
    *,
    action: Annotated[Action, typer.Argument(help="Without it, add.")] = Action.ADD,
    bucket: Annotated[str, typer.Option(help="A bucket of this account that is there already.")],
    prefix: Annotated[
        str | None, typer.Option(help=f"Which keys; {RAW_PREFIX} for add, all of ours for remove.")
    ] = None,
    events: Annotated[
        list[str] | None, typer.Option(help="Which S3 events; repeat for several, else all creations.")
    ] = None,
) -> None:
    """Have an existing bucket's files loaded too: point its notification at the queue, and keep the rest."""
    app = app_of(context)
    unknown = sorted(set(events or ()) - set(triggers.EVENTS))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: choose of {', '.join(triggers.EVENTS)}")
    if action is Action.ADD:
        row, is_new = triggers.add(
            app.session,
            app.deployment,
            bucket,
            RAW_PREFIX if prefix is None else prefix,
            events or [triggers.ALL_CREATED],
        )
        app.output.result({"bucket": bucket, "trigger": row.to_json(), "added": is_new}, _picture([row]))
        load = app.target.command("start", "--bucket", bucket, "--key", "KEY")
        app.output.note(f"files that are there already do not load by themselves: {load}")
    elif action is Action.REMOVE:
        gone = triggers.remove(app.session, app.deployment, bucket, prefix)
        document = {"bucket": bucket, "removed": [row.to_json() for row in gone]}
        app.output.result(document, _picture(gone) if gone else "there was none")
    else:
        ours, others = triggers.show(app.session, app.deployment, bucket)
        document = {
            "bucket": bucket,
            "triggers": [row.to_json() for row in ours],
            "others": [row.to_json() for row in others],
        }
        app.output.result(document, _picture([*ours, *others]))


def _picture(rows: list[triggers.Row]) -> Table:
    return table(
        *("notification", "events", "prefix", "suffix", "goes to"),
        rows=((row.name, ", ".join(row.events), row.prefix, row.suffix, row.destination) for row in rows),
    )


@crawler_commands.command("status")
def crawler_status(context: typer.Context) -> None:
    """Say whether the crawler runs, and how its last crawl ended."""
    app = app_of(context)
    found = crawler.status(app.session, app.deployment)
    facts = (
        ("state", found.state),
        ("running for", seconds(found.seconds)),
        ("last crawl", found.last_status),
        ("started", moment(found.last_started)),
        ("error", found.last_error),
    )
    app.output.result(found.to_json(), table("crawler", found.name, rows=facts))


@crawler_commands.command("stop")
def crawler_stop(context: typer.Context) -> None:
    """Stop the crawl; a workflow that waits for it ends in partial success, its trips loaded."""
    app = app_of(context)
    stopped = crawler.stop(app.session, app.deployment)
    words = "it stops; that takes a moment" if stopped else "no crawl was running"
    app.output.result({"stopped": stopped}, Text(words))
