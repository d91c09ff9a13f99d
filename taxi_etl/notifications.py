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
"""How an execution ended that did not fail by itself, by Step Functions' status."""
MESSAGE_MAX_BYTES = 252 * 1024
"""What SNS takes, less room for subject and attributes; `printed` is ASCII, so that characters are bytes."""
UNKNOWN_DATASET = "unknown"
"""The dataset of a message about files whose columns nobody has seen."""
CAUSE_MAX = 2000
"""How many characters of an error's cause a message carries."""
NO_CAUSE = "AWS named no cause"
EARLIER_ROWS_STAY = "Rows from earlier versions of a file that did not load stay in the tables."
RESULT_UNKNOWN = "The job left no result, so the files count as not loaded; to load them again does no harm."
"""A job that dies may have committed a table before: nobody can say that it loaded nothing."""
MEND = "Upload a corrected file; it loads by itself."
NOTHING_TO_REPEAT = "No file needs to be loaded again."


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


def share(number: int, keys: Sequence[str]) -> str:
    """`1 of 3 files` for a part of these object keys, their label for none or all of them."""
    return f"{number} of {label(keys)}" if 0 < number < len(keys) else label(keys)


def subject(status: Status, what: str) -> str:
    """The subject of a notification about `what` (a `label`): ASCII, at most SUBJECT_MAX characters."""
    return f"{SUBJECT_PREFIX} {status}: {what}"[:SUBJECT_MAX]


def look(command: str, execution: str) -> str:
    """How to see more of an execution; commands stand between backticks.

    `command` is how the command line is called, e.g. `taxi-etl --environment dev`.
    """
    return f"See more: `{command} history {execution}`."


def next_step(command: str, execution: str) -> str:
    """What to do about a failure: the command that shows more, and the one that replays."""
    again = f"`{command} replay --execution {execution}`"
    return f"{look(command, execution)} When the cause is gone, load the files again: {again}."


def crawl_again(crawler: str) -> str:
    """What to do about a crawl that failed, by the command line of AWS: ours has no part in it."""
    return f"The next crawl makes up for it; to start one now: `aws glue start-crawler --name {crawler}`."


def sentence(text: str) -> str:
    """The text with one full stop at its end."""
    return text.rstrip(". \n") + "."


def failure_text(status: str, error: str, cause: str, counts: Mapping[str, int]) -> str:
    """What happened, in sentences: how the execution ended and why, what became of its files, what stays.

    `status`, `error` and `cause` are Step Functions', `counts` are files by outcome
    (`taxi_etl.outcomes.count`).
    """
    if error == NOTIFICATION_FAILED:
        ended = "The execution ended, and its notification could not be published"
    else:
        ended = ENDINGS.get(status, "The execution failed before it could tell its outcome")
    why = f": {shorten(cause, CAUSE_MAX)}" if cause else ""
    ways = [f"{number} {way}" for way, number in counts.items() if way != "files" and number]
    text = f"{sentence(ended + why)} Files: {', '.join(ways) or 'none'}."
    if counts["loaded"] < counts["files"]:
        text += f" {EARLIER_ROWS_STAY}"
    return text


def failure_next_step(command: str, execution: str, counts: Mapping[str, int]) -> str:
    """What to do about an execution that failed: a replay only where a file is left to load."""
    if counts["failed"] or counts["rejected"]:
        return next_step(command, execution)
    return f"{NOTHING_TO_REPEAT} {look(command, execution)}" if counts["files"] else look(command, execution)


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
    next_step: str,
) -> dict[str, Any]:
    """The message about an execution that failed; `files` are entries bounded in size, the worst first.

    Lists at most LISTED_FILES_MAX of them, and fewer where the whole would pass MESSAGE_MAX_BYTES;
    `filesOmitted` says how many are left out, `manifest` is where all of them are.
    """
    for listed in range(min(LISTED_FILES_MAX, len(files)), -1, -1):
        message = {
            "status": str(Status.FAILED),
            "message": text,
            "bucket": bucket or None,
            "key": keys[0] if len(keys) == 1 else None,
            "error": {"Error": error, "Cause": shorten(cause or NO_CAUSE, CAUSE_MAX)},
            "timestamp": timestamp,
            "workflowExecutionId": execution_arn,
            "schemaVersion": SCHEMA_VERSION,
            "files": [dict(file) for file in files[:listed]],
            "filesOmitted": len(files) - listed,
            "manifest": manifest,
            "nextStep": next_step,
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
