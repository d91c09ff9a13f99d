"""Crawls that catalog the target's objects and pass through every crawler state.

MiniStack 1.5.33: A crawl is READY after five seconds, passes no STOPPING state and creates no tables.
AWS: A started crawler is RUNNING, then STOPPING, then READY with its LastCrawl, and has cataloged the objects
it found, as its table grouping policy says. Starting it before it is READY raises CrawlerRunningException.
Source: AWS Glue web API reference, "Crawler", "LastCrawlInfo"; AWS Glue developer guide, "How crawlers work",
"Creating a single schema for each Amazon S3 include path".
Delete when: MiniStack catalogs Parquet and CSV objects, has the state STOPPING, and lets a test choose how
long a crawl takes and whether it fails.

`Settings.crawl_seconds` and `Settings.crawl_error` set the duration and the failure.
"""

import contextvars
import json
import os
import subprocess
import threading
import time
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, new_uuid
from ministack.services import glue

from local_aws import paths, roles, settings
from local_aws.patches import patching
from local_aws.patches.iam_roles import required_permissions

_BUSY = frozenset({"RUNNING", "STOPPING"})
_STOPPING_SECONDS = 0.5
_lock = threading.Lock()


def apply() -> None:
    """Replace StartCrawler and StopCrawler."""
    patching.replace(glue, "_start_crawler", "data", _start)
    patching.replace(glue, "_stop_crawler", "data", _stop)
    for name in ("_crawlers", "_tables", "_create_table", "_update_table"):
        patching.attribute(glue, name)


def _start(data: dict[str, Any]) -> Any:
    name = data.get("Name")
    crawler = glue._crawlers.get(name)
    if crawler is None:
        return error_response_json(
            "EntityNotFoundException", f"Crawler entry with name {name} does not exist"
        )
    with _lock:
        if crawler["State"] in _BUSY:
            return error_response_json(
                "CrawlerRunningException", f"Crawler with name {name} has already started"
            )
        crawler |= {"State": "RUNNING", "CrawlElapsedTime": 0}
        canceled = crawler["_canceled"] = _Canceled()
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_crawl, crawler, canceled), daemon=True).start()
    return json_response({})


def _stop(data: dict[str, Any]) -> Any:
    name = data.get("Name")
    crawler = glue._crawlers.get(name)
    if crawler is None:
        return error_response_json(
            "EntityNotFoundException", f"Crawler entry with name {name} does not exist"
        )
    with _lock:
        if crawler["State"] == "STOPPING":
            return error_response_json("CrawlerStoppingException", f"Crawler with name {name} is stopping")
        if crawler["State"] != "RUNNING":
            return error_response_json(
                "CrawlerNotRunningException", f"Crawler with name {name} isn't running"
            )
        crawler["_canceled"].set()
        crawler["State"] = "STOPPING"
    return json_response({})


class _Canceled(dict[str, Any]):
    """An event that can be stored in the crawler's record: as JSON it is an empty object."""

    def __init__(self) -> None:
        super().__init__()
        self._event = threading.Event()

    def set(self) -> None:
        """Cancel the crawl."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` and return whether the crawl was canceled."""
        return self._event.wait(seconds)


def _crawl(crawler: dict[str, Any], canceled: _Canceled) -> None:
    """Run one crawl, in a separate thread."""
    begun = time.time()
    last = {
        "StartTime": begun,
        "LogGroup": "/aws-glue/crawlers",
        "LogStream": crawler["Name"],
        "MessagePrefix": new_uuid(),
    }
    message = settings.SETTINGS.crawl_error
    tables: list[dict[str, Any]] = []
    if not message:
        try:
            tables = _find_tables(crawler)
        except Exception as error:  # A crawl with an error ends FAILED with its message.
            message = f"Internal Service Exception: {error}"
    stopped = canceled.wait(max(0.0, begun + settings.SETTINGS.crawl_seconds - time.time()))
    crawler["State"] = "STOPPING"
    if not stopped and not message:
        try:
            _write_tables(crawler, tables)
        except Exception as error:
            message = f"Internal Service Exception: {error}"
    last["Status"] = "CANCELLED" if stopped else "FAILED" if message else "SUCCEEDED"
    if message and not stopped:
        last["ErrorMessage"] = message
    time.sleep(_STOPPING_SECONDS)
    with _lock:
        elapsed = int((time.time() - begun) * 1000)
        crawler |= {"State": "READY", "LastCrawl": last, "CrawlElapsedTime": elapsed}


def _find_tables(crawler: dict[str, Any]) -> list[dict[str, Any]]:
    """Find the tables in the crawler's targets with the project's Python, which can read Parquet."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(paths.CHECKOUT),
        "AWS_ENDPOINT_URL": settings.endpoint_url(),
        "AWS_DEFAULT_REGION": get_region(),
        **roles.session_environment(crawler["Role"], crawler["Name"]),
    }
    found = subprocess.run(
        [settings.python(), "-m", "local_aws.raw_catalog"],
        input=json.dumps(
            {
                "targets": (crawler.get("Targets") or {}).get("S3Targets") or [],
                "combine": _grouping(crawler) == "CombineCompatibleSchemas",
            }
        ),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if found.returncode != 0:
        raise RuntimeError(
            found.stderr.strip().splitlines()[-1] if found.stderr.strip() else "the crawl had no output"
        )
    tables: list[dict[str, Any]] = json.loads(found.stdout)
    return tables


def _grouping(crawler: dict[str, Any]) -> str:
    configuration = json.loads(crawler.get("Configuration") or "{}")
    return str(configuration.get("Grouping", {}).get("TableGroupingPolicy", ""))


def _write_tables(crawler: dict[str, Any], tables: list[dict[str, Any]]) -> None:
    """Create or update the tables in the crawler's database."""
    database = crawler["DatabaseName"]
    for table in tables:
        name = f"{crawler.get('TablePrefix') or ''}{table['Name']}"
        marked = {**table["Parameters"], "UPDATED_BY_CRAWLER": crawler["Name"]}
        request = {"DatabaseName": database, "TableInput": {**table, "Name": name, "Parameters": marked}}
        verb = "Update" if f"{database}/{name}" in glue._tables else "Create"
        for _, resource, _ in required_permissions(f"{verb}Table", request, get_region(), get_account_id()):
            if not roles.is_allowed(crawler["Role"], f"glue:{verb}Table", resource):
                raise RuntimeError(f"{crawler['Role']} {roles.denial_message(f'glue:{verb}Table', resource)}")
        status, _, body = (glue._update_table if verb == "Update" else glue._create_table)(request)
        if status >= 400:
            raise RuntimeError(json.loads(body)["message"])
