"""The notifications' statuses, subjects, keys and texts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from taxi_etl.billing import crawl_usd
from taxi_etl.documents import LISTED_FILES_MAX, shorten

SCHEMA_VERSION = "1"
SUBJECT_PREFIX = "Taxi ETL"
SUBJECT_MAX = 100
LABEL_MAX = 60
ENDINGS = {
    "TIMED_OUT": "The execution exceeded its time limit and was stopped",
    "ABORTED": "The execution was stopped by someone",
}
"""Texts for executions that ended without their own error, by Step Functions' status."""
MESSAGE_MAX_BYTES = 176 * 1024
"""SNS's limit of 256 KiB, less room for the texts for people, the subject and the attributes.

SNS counts the texts of all protocols together, as JSON; `printed` is ASCII, so characters are bytes.
"""
UNKNOWN_DATASET = "unknown"
"""The dataset in notifications about files that nothing has read yet."""
CAUSE_MAX = 2000
"""The maximum length of an error's cause in a notification, in characters."""
NO_CAUSE = "AWS named no cause"
EARLIER_ROWS_STAY = "Rows from earlier versions of a file that did not load stay in the tables."
RESULT_UNKNOWN = "The job left no result, so the files count as not loaded. Reloading them is safe."
"""A job that ended without a result may have committed a table, so its files may be loaded."""
FALLBACK = "The function for small batches did not load the files, so the Glue job was started: "
MEND = "Upload a corrected file; it loads automatically."
CRAWLED = f"The raw files were crawled, for at least {crawl_usd():.2f} US dollars (ten minutes)."
NOTHING_TO_DO = "Nothing to do."
NOTHING_TO_REPEAT = "No file needs to be loaded again."


class Status(StrEnum):
    """The outcome that a notification reports."""

    SUCCESS = "SUCCESS"
    PARTIAL_SUCCESS = "PARTIAL_SUCCESS"
    FAILED = "FAILED"
    VALIDATION_FAILED = "VALIDATION_FAILED"


REMOVED = "REMOVED"
"""The status of the notification about removed rows, which `taxi-etl remove` publishes."""


class CrawlerState(StrEnum):
    """The outcome of the crawl of raw files in a success notification."""

    READY = "READY"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


VALIDATION_FAILED = "ValidationFailed"
EXECUTION_FAILED = "ExecutionFailed"
NOTIFICATION_FAILED = "NotificationFailed"
ANNOUNCED_ERRORS = frozenset({VALIDATION_FAILED, EXECUTION_FAILED})
"""Errors of Fail states that follow a published notification; for all others, the finalizer publishes one."""


def label(keys: Sequence[str]) -> str:
    """The file name of a single key, or the number of files; ASCII, at most LABEL_MAX characters."""
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


def subject(status: str, what: str) -> str:
    """The subject of a notification about `what` (a `label`): ASCII, at most SUBJECT_MAX characters."""
    return f"{SUBJECT_PREFIX} {status}: {what}"[:SUBJECT_MAX]


def history_step(command: str, execution: str) -> str:
    """The command that shows an execution, between backticks.

    `command` is the command line with its options, such as `taxi-etl --environment dev`.
    """
    return f"See more: `{command} history {execution}`."


def next_step(command: str, execution: str) -> str:
    """The commands that show and replay a failed execution."""
    again = f"`{command} replay --execution {execution}`"
    return f"{history_step(command, execution)} When the cause is gone, load the files again: {again}."


def crawl_again(crawler: str) -> str:
    """The command that repeats a failed crawl, with the AWS command line."""
    command = f"`aws glue start-crawler --name {crawler}`"
    return f"The next crawl will also cover these files. To start one now: {command}."


def sentence(text: str) -> str:
    """The text with one period at its end."""
    return text.rstrip(". \n") + "."


def failure_text(status: str, error: str, cause: str, counts: Mapping[str, int]) -> str:
    """The message about an execution that failed: its ending, its cause, and the outcomes of its files.

    `status`, `error` and `cause` are Step Functions', `counts` are files by outcome
    (`taxi_etl.outcomes.count`).
    """
    if error == NOTIFICATION_FAILED:
        ended = "The execution ended, but its notification could not be published"
    else:
        ended = ENDINGS.get(status, "The execution failed before it could publish its outcome")
    why = f": {shorten(cause, CAUSE_MAX)}" if cause else ""
    outcomes = [f"{number} {outcome}" for outcome, number in counts.items() if outcome != "files" and number]
    text = f"{sentence(ended + why)} Files: {', '.join(outcomes) or 'none'}."
    if counts["loaded"] < counts["files"]:
        text += f" {EARLIER_ROWS_STAY}"
    return text


def failure_next_step(command: str, execution: str, counts: Mapping[str, int]) -> str:
    """The next step after a failed execution: a replay only if a file did not load."""
    if counts["failed"] or counts["rejected"]:
        return next_step(command, execution)
    return (
        f"{NOTHING_TO_REPEAT} {history_step(command, execution)}"
        if counts["files"]
        else history_step(command, execution)
    )


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
    """The notification of a failed execution; `files` are entries of bounded size, failed ones first.

    Lists at most LISTED_FILES_MAX of them, and fewer where the whole would pass MESSAGE_MAX_BYTES;
    `filesOmitted` counts the rest, `manifest` is the URI of the list of all of them.
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
        if len(json.dumps(printed(message))) <= MESSAGE_MAX_BYTES:
            return message
    raise ValueError("a message without files is larger than its limit; shorten its texts")


def removal(
    *, uri: str, bucket: str, key: str, rows: Mapping[str, int], timestamp: str, by: str, next_step: str
) -> dict[str, Any]:
    """The notification about the rows of one file that were removed; `rows` are counts by table.

    `rows` is empty when an earlier call removed them, but stopped before it published this.
    """
    removed = f"{sum(rows.values()):,} rows" if rows else "All rows"
    return {
        "status": REMOVED,
        "message": f"{removed} of {shorten(uri)} were removed from the tables by {by}.",
        "bucket": bucket,
        "key": shorten(key),
        "timestamp": timestamp,
        "schemaVersion": SCHEMA_VERSION,
        "tables": dict(rows),
        "removedBy": by,
        "nextStep": next_step,
    }


def attributes(status: str, datasets: Iterable[str]) -> dict[str, dict[str, str]]:
    """The attributes for subscription filters: `status` and `dataset`."""
    named = sorted({dataset for dataset in datasets if dataset}) or [UNKNOWN_DATASET]
    return {
        "status": {"DataType": "String", "StringValue": str(status)},
        "dataset": {"DataType": "String.Array", "StringValue": json.dumps(named)},
    }


def printed(message: Mapping[str, Any]) -> str:
    """The text of a notification for programs, with line breaks."""
    return json.dumps(message, indent=2)
