"""What to do about a file that did not load, by failure code. `docs/runbook.md` says more about each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from taxi_etl.failures import FailureCode
from taxi_etl.names import RAW_PREFIX


class Then(IntEnum):
    """How the file loads after the advice is followed. For several reasons, the highest value applies."""

    NOTHING = 0
    """It needs no load."""
    REPLAY = 1
    """The same object loads again."""
    UPLOAD = 2
    """A corrected object under the same key loads."""
    UPLOAD_ELSEWHERE = 3
    """An object under another key loads."""


@dataclass(frozen=True)
class Remedy:
    """Advice as the beginning of a sentence, empty if a load is all it takes, and how the file then loads."""

    advice: str
    then: Then


_RESTORE = Remedy("restore the object if it was deleted by mistake", Then.NOTHING)
_SEE_HISTORY = Remedy("fix the cause that the execution's history shows", Then.REPLAY)
REMEDIES: Mapping[str, Remedy] = {
    FailureCode.NOT_FOUND: _RESTORE,
    FailureCode.WRONG_PREFIX: Remedy(f"use a key below {RAW_PREFIX}", Then.UPLOAD_ELSEWHERE),
    FailureCode.UNSUPPORTED_TYPE: Remedy(
        "save it as Parquet, CSV or gzipped CSV, with the suffix .parquet, .csv or .csv.gz",
        Then.UPLOAD_ELSEWHERE,
    ),
    FailureCode.EMPTY: Remedy("download the file again", Then.UPLOAD),
    FailureCode.TOO_LARGE: Remedy("split it", Then.UPLOAD_ELSEWHERE),
    FailureCode.ARCHIVED: Remedy("restore it from its archive storage class", Then.REPLAY),
    FailureCode.ACCESS_DENIED: Remedy(
        "ask the bucket's administrator for the permission that the reason names", Then.REPLAY
    ),
    FailureCode.KMS_KEY_DENIED: Remedy(
        "add the key to existing_key_arns and deploy, or ask the key's administrator", Then.REPLAY
    ),
    FailureCode.ENCRYPTED_WITH_CUSTOMER_KEY: Remedy("encrypt it with SSE-S3 or SSE-KMS instead", Then.UPLOAD),
    FailureCode.NOT_PARQUET: Remedy("try another Parquet reader, and get an undamaged copy", Then.UPLOAD),
    FailureCode.UNSUPPORTED_CODEC: Remedy("save it with snappy, gzip or zstd", Then.UPLOAD),
    FailureCode.TRUNCATED: Remedy("download it again from its source and compare the sizes", Then.UPLOAD),
    FailureCode.NOT_GZIP: Remedy("compress it with gzip", Then.UPLOAD),
    FailureCode.NOT_TEXT: Remedy("save it as text in UTF-8", Then.UPLOAD),
    FailureCode.UNREADABLE_HEADER: Remedy("add or correct the header line", Then.UPLOAD),
    FailureCode.UNKNOWN_DATASET: Remedy("delete the object if it does not hold taxi trips", Then.NOTHING),
    FailureCode.MISSING_COLUMNS: Remedy("rename or convert the column that the reason names", Then.UPLOAD),
    FailureCode.UNCLEAR_COLUMN: Remedy("rename the column or the folder that the reason names", Then.UPLOAD),
    FailureCode.AMBIGUOUS_DATES: Remedy("write the dates as year-month-day", Then.UPLOAD),
    FailureCode.UNREADABLE_VALUES: Remedy("correct values such as the example in the reason", Then.UPLOAD),
    FailureCode.UNREADABLE: Remedy("get an undamaged copy", Then.UPLOAD),
    FailureCode.DELETED: _RESTORE,
    FailureCode.TOO_MANY_QUARANTINED: Remedy(
        "look at its rows in quarantined_trips and correct the file", Then.UPLOAD
    ),
    FailureCode.WRONG_MONTH: Remedy("give it the right name and delete this object", Then.UPLOAD_ELSEWHERE),
    FailureCode.CONTRADICTING_KEY: Remedy(
        "use the folder that its rows name and delete this object", Then.UPLOAD_ELSEWHERE
    ),
    FailureCode.ROWS_LOST: Remedy(
        "if this happens again, keep the file and report it with the job's log", Then.REPLAY
    ),
    FailureCode.CONFLICT: Remedy("wait until no other execution loads it", Then.REPLAY),
    FailureCode.UNLIKE_EARLIER_MONTHS: Remedy(
        "get a complete copy, or if the file is correct, set anomaly_policy to warn, deploy and replay it",
        Then.UPLOAD,
    ),
    FailureCode.RUN_INCOMPLETE: Remedy("", Then.REPLAY),
    FailureCode.RUN_FAILED: _SEE_HISTORY,
    FailureCode.RUN_TIMED_OUT: _SEE_HISTORY,
    FailureCode.RUN_ABORTED: Remedy("check that the file should still be loaded", Then.REPLAY),
}


def remedy(reasons: Sequence[str]) -> Remedy:
    """Return what to do about reasons, each `code: message`; another release may have added the code."""
    codes = dict.fromkeys(reason.partition(":")[0] for reason in reasons)
    found = [REMEDIES.get(code, _SEE_HISTORY) for code in codes] or [_SEE_HISTORY]
    advice = ", and ".join(dict.fromkeys(each.advice for each in found if each.advice))
    return Remedy(advice, max(each.then for each in found))
