"""The conditions of the workflow's Choice states, as JSONata."""

from stacks.settings import CrawlPolicy
from stacks.workflow.jsonata import render

NONE_VALID_SOME_REJECTED = render("$validation.valid = false and $validation.counts.rejected > 0")
NONE_VALID = render("$validation.valid = false")
SOME_REJECTED = render("$validation.counts.rejected > 0")

JOB_SUCCEEDED = render("$jobRun.JobRunState = 'SUCCEEDED'")

SOME_LOADED = render("$summary.counts.loaded > 0")
SOME_FAILED = render("$summary.counts.failed > 0")
ALL_LOADED = render("$summary.counts.failed = 0 and $validation.counts.rejected = 0")

CRAWL_NEEDED = {
    CrawlPolicy.ON_SCHEMA_CHANGE: render("$summary.crawlNeeded = true"),
    CrawlPolicy.ALWAYS: render("true"),
    CrawlPolicy.NEVER: render("false"),
}


def crawl_undecided_too_long(polls_max: int) -> str:
    """The crawl neither succeeded nor failed within `polls_max` polls."""
    return render(f"($crawl.state = 'RUNNING' or $crawl.state = 'STALE') and $crawl.polls >= {polls_max}")


CRAWL_RUNNING = render("$crawl.state = 'RUNNING'")
CRAWL_STALE = render("$crawl.state = 'STALE'")
CRAWLED = render("$crawl.state = 'READY'")
CRAWLED_AND_ALL_LOADED = render(
    "$crawl.state = 'READY' and $summary.counts.failed = 0 and $validation.counts.rejected = 0"
)
