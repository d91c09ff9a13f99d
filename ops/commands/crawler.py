"""The commands `crawler status` and `crawler stop`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import typer
from rich.text import Text

from ops.commands.context import app_of
from ops.deployment import Deployment
from ops.examples import epilog
from ops.output import duration, local_time, table
from ops.session import Session

READY = "READY"
commands = typer.Typer(help="The crawler of the raw zone: show its status, stop it.", no_args_is_help=True)


@commands.command("status", epilog=epilog("crawler status"))
def status(context: typer.Context) -> None:
    """Show whether the crawler is running, and how its last crawl ended."""
    app = app_of(context)
    found = describe_crawler(app.session, app.deployment)
    facts = (
        ("state", found.state),
        ("running for", duration(found.seconds)),
        ("last crawl", found.last_status),
        ("started", local_time(found.last_started)),
        ("error", found.last_error),
    )
    app.output.result(found.to_json(), table("crawler", found.name, rows=facts))


@commands.command("stop", epilog=epilog("crawler stop"))
def stop(context: typer.Context) -> None:
    """Stop the crawl; an execution that waits for it ends in partial success, with its files loaded."""
    app = app_of(context)
    stopped = stop_crawler(app.session, app.deployment)
    text = "the crawler is stopping, which takes a moment" if stopped else "no crawl is running"
    app.output.result({"stopped": stopped}, Text(text))


@dataclass(frozen=True)
class CrawlerStatus:
    """The crawler's state (`READY`, `RUNNING`, `STOPPING`) and the end of its last crawl.

    `seconds` is how long the current crawl has run, None without one.
    """

    name: str
    state: str
    seconds: float | None
    last_status: str = ""
    last_started: datetime | None = None
    last_error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document of the crawler."""
        last = {"status": self.last_status, "started": self.last_started, "error": self.last_error}
        return {
            "crawler": self.name,
            "state": self.state,
            "seconds": self.seconds,
            "lastCrawl": last if self.last_status else None,
        }


def describe_crawler(session: Session, deployment: Deployment) -> CrawlerStatus:
    """Return the crawler as Glue describes it."""
    found = session.client("glue").get_crawler(Name=deployment.crawler_name)["Crawler"]
    last = found.get("LastCrawl", {})
    running = found["State"] != READY
    return CrawlerStatus(
        name=found["Name"],
        state=found["State"],
        seconds=found.get("CrawlElapsedTime", 0) / 1000 if running else None,
        last_status=last.get("Status", ""),
        last_started=last.get("StartTime"),
        last_error=last.get("ErrorMessage", ""),
    )


def stop_crawler(session: Session, deployment: Deployment) -> bool:
    """Request the crawler to stop; return False if no crawl is running or it is already stopping."""
    glue = session.client("glue")
    try:
        glue.stop_crawler(Name=deployment.crawler_name)
    except (glue.exceptions.CrawlerNotRunningException, glue.exceptions.CrawlerStoppingException):
        return False
    return True
