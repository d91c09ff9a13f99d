"""Why can a file not be loaded? The codes, and the value that carries one."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Stable codes of validation findings; consumers of notifications may rely on them."""

    NOT_FOUND = "not_found"
    WRONG_PREFIX = "wrong_prefix"
    UNSUPPORTED_TYPE = "unsupported_type"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    ARCHIVED = "archived"
    SUPERSEDED = "superseded"
    NOT_PARQUET = "not_parquet"
    TRUNCATED = "truncated"
    NOT_GZIP = "not_gzip"
    NOT_TEXT = "not_text"
    UNREADABLE_HEADER = "unreadable_header"
    UNKNOWN_DATASET = "unknown_dataset"
    MISSING_COLUMNS = "missing_columns"


@dataclass(frozen=True)
class Rejection:
    """One reason a file cannot be loaded: a stable code and a sentence for people."""

    code: Code
    message: str

    def to_json(self) -> dict[str, str]:
        """The form in which manifests and notifications carry it."""
        return {"code": str(self.code), "message": self.message}
