"""What do people get told? Statuses, subjects and keys of the notifications."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from taxi_etl.documents import LISTED_FILES_MAX, shorten

SCHEMA_VERSION = "1"
SUBJECT_PREFIX = "Taxi ETL"
SUBJECT_MAX = 100
LABEL_MAX = 60
ENDINGS = {
    "TIMED_OUT": "The execution took longer than it may and was ended",
    "ABORTED": "The execution was stopped by someone",
}
MESSAGE_MAX_BYTES = 256 * 1024
"""What SNS takes; `printed` is ASCII, so that characters are bytes."""
UNKNOWN_DATASET = "unknown"
"""The dataset of a message about files whose columns nobody has seen."""
CAUSE_MAX = 2000
"""How many characters of an error's cause a message carries."""


class Status(StrEnum):
    """The outcome a notification reports."""

    SUCCESS = "SUCCESS"
    PARTIAL_SUCCESS = "PARTIAL_SUCCESS"
    FAILED = "FAILED"
    VALIDATION_FAILED = "VALIDATION_FAILED"


class CrawlerState(StrEnum):
    """How the raw zone's crawl ended, in a success message."""

    READY = "READY"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


VALIDATION_FAILED = "ValidationFailed"
EXECUTION_FAILED = "ExecutionFailed"
NOTIFICATION_FAILED = "NotificationFailed"
ANNOUNCED_ERRORS = frozenset({VALIDATION_FAILED, EXECUTION_FAILED})
"""Errors of the Fail states that follow a published notification; for others the closer publishes."""


def label(keys: Sequence[str]) -> str:
    """What a subject calls these object keys: the file's name, or their number; ASCII, at most LABEL_MAX."""
    if len(keys) != 1:
        return f"{len(keys)} files"
    name = keys[0].rsplit("/", 1)[-1] or keys[0]
    printable = "".join(letter if " " <= letter <= "~" else "?" for letter in name)
    if len(printable) <= LABEL_MAX:
        return printable
    half = (LABEL_MAX - 3) // 2
    return f"{printable[:half]}...{printable[-(LABEL_MAX - 3 - half) :]}"


def subject(status: Status, what: str) -> str:
    """The subject of a notification about `what` (a `label`): ASCII, at most SUBJECT_MAX characters."""
    return f"{SUBJECT_PREFIX} {status}: {what}"[:SUBJECT_MAX]


def next_step(command: str, execution: str) -> str:
    """What to do about a failure: the command that shows more, and the one that replays.

    `command` is how the command line is called, e.g. `taxi-etl --environment dev`.
    """
    return f"{command} history {execution}; when the cause is gone: {command} replay --execution {execution}"


def failure_text(status: str, error: str, counts: Mapping[str, int]) -> str:
    """What happened, in a sentence or two: how the execution ended, what became of its files, what stays.

    `status` is Step Functions', `counts` are files by outcome (`taxi_etl.outcomes.count`).
    """
    if error == NOTIFICATION_FAILED:
        ended = "The execution ended, and its notification could not be published"
    else:
        ended = ENDINGS.get(status, "The execution failed before it could tell anyone")
    ways = [f"{number} {way}" for way, number in counts.items() if way != "files" and number]
    text = f"{ended}. Files: {', '.join(ways) or 'none'}."
    if counts["loaded"] < counts["files"]:
        text += " Rows that earlier versions of a file brought stay in the tables until a newer one loads."
    return text


def failure(
    *,
    text: str,
    bucket: str,
    keys: Sequence[str],
    error: str,
    cause: str,
    timestamp: str,
    execution_arn: str,
    files: Sequence[Mapping[str, Any]],
    manifest: str | None,
    command: str,
) -> dict[str, Any]:
    """The message about an execution that failed; `files` are entries bounded in size, the worst first.

    Lists at most LISTED_FILES_MAX of them, and fewer where the whole would pass MESSAGE_MAX_BYTES;
    `filesOmitted` says how many are left out, `manifest` is where all of them are.
    """
    execution = execution_arn.rsplit(":", 1)[-1]
    for listed in range(min(LISTED_FILES_MAX, len(files)), -1, -1):
        message = {
            "status": str(Status.FAILED),
            "message": text,
            "bucket": bucket,
            "key": keys[0] if len(keys) == 1 else None,
            "error": {"Error": error, "Cause": shorten(cause, CAUSE_MAX)},
            "timestamp": timestamp,
            "workflowExecutionId": execution_arn,
            "schemaVersion": SCHEMA_VERSION,
            "files": [dict(file) for file in files[:listed]],
            "filesOmitted": len(files) - listed,
            "manifest": manifest,
            "nextStep": next_step(command, execution),
        }
        if len(printed(message)) <= MESSAGE_MAX_BYTES:
            return message
    raise ValueError("a message without files is larger than its limit; shorten its texts")


def attributes(status: Status, datasets: Iterable[str]) -> dict[str, dict[str, str]]:
    """The attributes of a notification, for subscription filters: `status` and `dataset`."""
    named = sorted({dataset for dataset in datasets if dataset}) or [UNKNOWN_DATASET]
    return {
        "status": {"DataType": "String", "StringValue": str(status)},
        "dataset": {"DataType": "String.Array", "StringValue": json.dumps(named)},
    }


def printed(message: Mapping[str, Any]) -> str:
    """A message's text, with line breaks: most are read in an e-mail."""
    return json.dumps(message, indent=2)
