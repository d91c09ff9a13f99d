"""What does a crawler find? What is there: it catalogs the target's objects, and takes a moment for it.

AWS: a started crawler is RUNNING, then STOPPING while it writes up, then READY with its LastCrawl; starting
it before raises CrawlerRunningException. The emulator waits 5 seconds and creates no tables. How long a crawl
takes, and whether it fails, are settings.
Source: AWS Glue web API reference, Crawler, LastCrawlInfo.
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
from local_aws.patches.iam_roles import glue_needs

_BUSY = frozenset({"RUNNING", "STOPPING"})
_STOPPING_SECONDS = 0.5
_lock = threading.Lock()


def apply() -> None:
    """Replace starting and stopping."""
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
        cancelled = crawler["_cancelled"] = _Cancelled()
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_crawl, crawler, cancelled), daemon=True).start()
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
        crawler["_cancelled"].set()
        crawler["State"] = "STOPPING"
    return json_response({})


class _Cancelled(dict[str, Any]):
    """An event that may stand in the crawler's record: sent out as JSON it is an empty object."""

    def __init__(self) -> None:
        super().__init__()
        self._event = threading.Event()

    def set(self) -> None:
        """The crawl is not wanted any more."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; whether the crawl was cancelled."""
        return self._event.wait(seconds)


def _crawl(crawler: dict[str, Any], cancelled: _Cancelled) -> None:
    """One crawl, in a thread of its own."""
    begun = time.time()
    last = {
        "StartTime": begun,
        "LogGroup": "/aws-glue/crawlers",
        "LogStream": crawler["Name"],
        "MessagePrefix": new_uuid(),
    }
    message = settings.SETTINGS.crawl_fails
    tables: list[dict[str, Any]] = []
    if not message:
        try:
            tables = _find_tables(crawler)
        except Exception as error:  # a crawl that breaks ends FAILED and says why
            message = f"Internal Service Exception: {error}"
    stopped = cancelled.wait(max(0.0, begun + settings.SETTINGS.crawl_seconds - time.time()))
    crawler["State"] = "STOPPING"
    if not stopped and not message:
        try:
            _catalog(crawler, tables)
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
    """The tables in the crawler's targets, found by the project's Python (this one reads no Parquet)."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(paths.CHECKOUT),
        "AWS_ENDPOINT_URL": settings.endpoint_url(),
        "AWS_DEFAULT_REGION": get_region(),
        **roles.session(crawler["Role"], crawler["Name"]),
    }
    found = subprocess.run(
        [settings.python(), "-m", "local_aws.raw_catalog"],
        input=json.dumps((crawler.get("Targets") or {}).get("S3Targets") or []),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if found.returncode != 0:
        raise RuntimeError(found.stderr.strip().splitlines()[-1] if found.stderr.strip() else "no answer")
    tables: list[dict[str, Any]] = json.loads(found.stdout)
    return tables


def _catalog(crawler: dict[str, Any], tables: list[dict[str, Any]]) -> None:
    """Create or update the tables in the crawler's database."""
    database = crawler["DatabaseName"]
    for table in tables:
        name = f"{crawler.get('TablePrefix') or ''}{table['Name']}"
        marked = {**table["Parameters"], "UPDATED_BY_CRAWLER": crawler["Name"]}
        request = {"DatabaseName": database, "TableInput": {**table, "Name": name, "Parameters": marked}}
        verb = "Update" if f"{database}/{name}" in glue._tables else "Create"
        for _, resource, _ in glue_needs(f"{verb}Table", request, get_region(), get_account_id()):
            if not roles.may(crawler["Role"], f"glue:{verb}Table", resource):
                raise RuntimeError(f"{crawler['Role']} {roles.refusal(f'glue:{verb}Table', resource)}")
        status, _, body = (glue._update_table if verb == "Update" else glue._create_table)(request)
        if status >= 400:
            raise RuntimeError(json.loads(body)["message"])
