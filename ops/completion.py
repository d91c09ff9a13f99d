"""Values that the shell completes on TAB: executions, files and datasets.

Any failure, such as an unreachable account, gives no suggestions and prints nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ops import deployment
from ops.errors import CliError
from ops.session import Session, Target
from taxi_etl.datasets import DATASETS
from taxi_etl.names import RAW_PREFIX
from taxi_etl.s3_uris import SCHEME, s3_uri

LIMIT = 100
"""The number of suggestions from an account."""
_QUICK = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
Suggestion = tuple[str, str]
"""A value and what it is."""


def datasets(incomplete: str) -> list[Suggestion]:
    """Suggest the datasets."""
    return [(name, each.title) for name, each in DATASETS.items() if name.startswith(incomplete)]


def executions(context: typer.Context, incomplete: str) -> list[Suggestion]:
    """Suggest the recent executions by name, the newest first, each with its status and start."""
    return _quietly(lambda: _executions(session_of(context), incomplete))


def files(context: typer.Context, incomplete: str) -> list[Suggestion]:
    """Suggest object keys in the raw zone that start with the text, or URIs if it starts with `s3://`."""
    return _quietly(lambda: _files(session_of(context), incomplete))


def files_and_executions(context: typer.Context, incomplete: str) -> list[Suggestion]:
    """Suggest what `replay` accepts."""
    return [*executions(context, incomplete), *files(context, incomplete)]


def session_of(context: typer.Context) -> Session:
    """Return a session with short timeouts for the global options, which completion has parsed."""
    given = context.find_root().params
    options = (given.get(name) for name in ("region", "profile", "endpoint_url"))
    return Session(Target(given.get("environment") or "dev", *options), _QUICK)


def _executions(session: Session, incomplete: str) -> Iterator[Suggestion]:
    pages = session.client("stepfunctions").get_paginator("list_executions")
    machine = deployment.discover(session).state_machine_arn
    for page in pages.paginate(stateMachineArn=machine, PaginationConfig={"MaxItems": LIMIT}):
        for entry in page["executions"]:
            if entry["name"].startswith(incomplete):
                yield entry["name"], f"{entry['status']} {entry['startDate']:%Y-%m-%d %H:%M}"


def _files(session: Session, incomplete: str) -> Iterator[Suggestion]:
    is_uri = incomplete.startswith(SCHEME)
    bucket, _, key = incomplete.removeprefix(SCHEME).partition("/") if is_uri else ("", "", incomplete)
    bucket = bucket or deployment.discover(session).bucket_name
    if not key.startswith(RAW_PREFIX):
        if not RAW_PREFIX.startswith(key):
            return
        key = RAW_PREFIX
    pages = session.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=key, PaginationConfig={"MaxItems": LIMIT}):
        for entry in page.get("Contents", []):
            yield (s3_uri(bucket, entry["Key"]) if is_uri else entry["Key"]), f"{entry['Size']:,} bytes"


def _quietly(suggest: Callable[[], Iterator[Suggestion]]) -> list[Suggestion]:
    """Return the suggestions, or none if the account does not answer."""
    with suppress(CliError, ClientError, BotoCoreError):
        return list(islice(suggest(), LIMIT))
    return []
