"""What is the crawler doing, and how does one stop it?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.deployment import Deployment
from ops.session import Session

READY = "READY"


@dataclass(frozen=True)
class Crawl:
    """The crawler now (`READY`, `RUNNING`, `STOPPING`), and how its last crawl ended."""

    name: str
    state: str
    seconds: float | None
    last_status: str = ""
    last_started: datetime | None = None
    last_error: str = ""

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        last = {"status": self.last_status, "started": self.last_started, "error": self.last_error}
        return {
            "crawler": self.name,
            "state": self.state,
            "seconds": self.seconds,
            "lastCrawl": last if self.last_status else None,
        }


def status(session: Session, deployment: Deployment) -> Crawl:
    """The crawler as Glue describes it; `seconds` is how long the crawl has run, None when there is none."""
    found = session.client("glue").get_crawler(Name=deployment.crawler_name)["Crawler"]
    last = found.get("LastCrawl", {})
    running = found["State"] != READY
    return Crawl(
        name=found["Name"],
        state=found["State"],
        seconds=found.get("CrawlElapsedTime", 0) / 1000 if running else None,
        last_status=last.get("Status", ""),
        last_started=last.get("StartTime"),
        last_error=last.get("ErrorMessage", ""),
    )


def stop(session: Session, deployment: Deployment) -> bool:
    """Ask the crawler to stop; False when there was nothing to stop, or it is stopping already."""
    glue = session.client("glue")
    try:
        glue.stop_crawler(Name=deployment.crawler_name)
    except (glue.exceptions.CrawlerNotRunningException, glue.exceptions.CrawlerStoppingException):
        return False
    return True
