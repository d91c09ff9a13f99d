"""What do people get told? Statuses, subjects and keys of the notifications."""

from collections.abc import Sequence
from enum import StrEnum

SCHEMA_VERSION = "1"
SUBJECT_MAX = 100
LABEL_MAX = 60


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
"""Errors of the Fail states that follow a published notification; for any other ending the closer publishes."""


def label(keys: Sequence[str]) -> str:
    """What a subject calls these object keys: the file's name, or how many there are; ASCII, at most LABEL_MAX."""
    if len(keys) != 1:
        return f"{len(keys)} files"
    name = keys[0].rsplit("/", 1)[-1] or keys[0]
    printable = "".join(letter if " " <= letter <= "~" else "?" for letter in name)
    if len(printable) <= LABEL_MAX:
        return printable
    half = (LABEL_MAX - 3) // 2
    return f"{printable[:half]}...{printable[-(LABEL_MAX - 3 - half):]}"
