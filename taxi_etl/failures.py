"""Reasons why a file did not load, and warnings about files that did: the codes and their values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class FailureCode(StrEnum):
    """Stable codes of the reasons why a file did not load; consumers of notifications may rely on them."""

    # Validation rejects the file.
    NOT_FOUND = "not_found"
    WRONG_PREFIX = "wrong_prefix"
    UNSUPPORTED_TYPE = "unsupported_type"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    ARCHIVED = "archived"
    ACCESS_DENIED = "access_denied"
    KMS_KEY_DENIED = "kms_key_denied"
    ENCRYPTED_WITH_CUSTOMER_KEY = "encrypted_with_customer_key"
    NOT_PARQUET = "not_parquet"
    UNSUPPORTED_CODEC = "unsupported_codec"
    TRUNCATED = "truncated"
    NOT_GZIP = "not_gzip"
    NOT_TEXT = "not_text"
    UNREADABLE_HEADER = "unreadable_header"
    UNKNOWN_DATASET = "unknown_dataset"
    MISSING_COLUMNS = "missing_columns"
    UNCLEAR_COLUMN = "unclear_column"
    AMBIGUOUS_DATES = "ambiguous_dates"
    UNREADABLE_VALUES = "unreadable_values"

    # The job could not load the file.
    UNREADABLE = "unreadable"
    DELETED = "deleted"
    TOO_MANY_QUARANTINED = "too_many_quarantined"
    WRONG_MONTH = "wrong_month"
    CONTRADICTING_KEY = "contradicting_key"
    ROWS_LOST = "rows_lost"
    CONFLICT = "conflict"
    UNLIKE_EARLIER_MONTHS = "unlike_earlier_months"

    # The execution ended without a result for the file.
    RUN_INCOMPLETE = "run_incomplete"
    RUN_FAILED = "run_failed"
    RUN_TIMED_OUT = "run_timed_out"
    RUN_ABORTED = "run_aborted"


VALIDATION_CODES = tuple(FailureCode)[: tuple(FailureCode).index(FailureCode.UNREADABLE)]
"""The codes with which validation rejects a file."""


class WarningCode(StrEnum):
    """Stable codes of warnings about files that loaded."""

    SAME_TRIPS = "same_trips"
    NO_LINE_END = "no_line_end"
    NO_ROWS = "no_rows"
    UNUSUAL_MONTH = "unusual_month"


@dataclass(frozen=True)
class FileWarning:
    """One suspicious fact about a file that loaded: a stable code and a sentence for people."""

    code: WarningCode
    message: str

    def to_json(self) -> dict[str, str]:
        """The entry in results and notifications."""
        return {"code": str(self.code), "message": self.message}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The warning that `to_json` wrote. Raises KeyError or ValueError for anything else."""
        return cls(WarningCode(entry["code"]), entry["message"])


@dataclass(frozen=True)
class Failure:
    """One reason why a file did not load: a stable code and a sentence for people."""

    code: FailureCode
    message: str

    def to_json(self) -> dict[str, str]:
        """The entry in manifests, results, the ledger and notifications."""
        return {"code": str(self.code), "message": self.message}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Parse the entry that `to_json` wrote. Raises KeyError or ValueError for anything else."""
        return cls(FailureCode(entry["code"]), entry["message"])
