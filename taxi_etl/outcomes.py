"""What became of each file of an ended execution? The closer's rule.

The job's result is believed before the execution's ending: a run that timed out after its commit has loaded
its files. What neither manifest nor result speaks of has failed, with the ending as its reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from taxi_etl.documents import FileResult, JobResult, LoadStatus, Manifest, shorten
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import CURRENT_VERSION
from taxi_etl.ledger import FileStatus
from taxi_etl.notifications import EXECUTION_FAILED

SUCCEEDED = "SUCCEEDED"
REASON_MAX = 1000
"""How many characters of a reason the ledger keeps."""
CODES = {
    SUCCEEDED: "run_incomplete",
    "FAILED": "run_failed",
    "TIMED_OUT": "run_timed_out",
    "ABORTED": "run_aborted",
}
"""The reason of a file about which an execution left no word, by how the execution ended."""


@dataclass(frozen=True)
class Ending:
    """How an execution ended: Step Functions' status, and the error and cause where it has them."""

    status: str
    error: str = ""
    cause: str = ""


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file: `reasons` are (code, message) pairs, rows are counts.

    `alone`: the run died over a batch, and a replay should give this file an execution of its own.
    """

    version: FileVersion
    status: FileStatus
    reasons: tuple[tuple[str, str], ...] = ()
    dataset: str = ""
    read: int = 0
    written: int = 0
    quarantined: int = 0
    alone: bool = False

    def attributes(self) -> dict[str, Any]:
        """What the ledger keeps: the status, and of the rest what there is."""
        found: dict[str, Any] = {"status": self.status}
        if self.reasons:
            found["reasons"] = self._reasons()
        if self.dataset:
            found["dataset"] = self.dataset
        if self.status is FileStatus.LOADED:
            found["rows"] = self._rows()
        if self.alone:
            found["alone"] = True
        return found

    def to_json(self) -> dict[str, Any]:
        """The entry in a message: bounded in size, since keys and reasons are."""
        return {
            "key": shorten(self.version.key),
            "versionId": self.version.version_id,
            "status": str(self.status),
            "dataset": self.dataset,
            "rows": self._rows(),
            "reasons": [{**reason, "message": shorten(reason["message"])} for reason in self._reasons()],
        }

    def _rows(self) -> dict[str, int]:
        return {"read": self.read, "written": self.written, "quarantined": self.quarantined}

    def _reasons(self) -> list[dict[str, str]]:
        return [{"code": code, "message": shorten(message, REASON_MAX)} for code, message in self.reasons]


def outcomes(
    files: Iterable[FileVersion], manifest: Manifest | None, result: JobResult | None, ending: Ending
) -> tuple[FileOutcome, ...]:
    """What became of each file of an execution, whichever documents it left; each version once, by key.

    A file whose input named no version is spoken of as the version validation found; without a manifest it
    keeps `CURRENT_VERSION`, which has no record in the ledger.
    """
    found = {outcome.version.identity: outcome for outcome in _validated(manifest)}
    expected = manifest.accepted if manifest else ()
    loaded = {file.version.identity: file for file in result.files} if result else {}
    unspoken = _unspoken(ending, alone=result is None and len(expected) > 1)
    for accepted in expected:
        version = accepted.version
        entry = loaded.get(version.identity)
        if entry:
            found[version.identity] = _from_result(version, entry)
        else:
            found[version.identity] = FileOutcome(version, dataset=accepted.dataset, **unspoken)
    known_keys = {outcome.version.key for outcome in found.values()}
    for version in files:
        completed = version.version_id == CURRENT_VERSION and version.key in known_keys
        if version.identity not in found and not completed:
            found[version.identity] = FileOutcome(version, **_unspoken(ending, alone=False))
    return tuple(found[identity] for identity in sorted(found))


def count(found: Sequence[FileOutcome]) -> dict[str, int]:
    """How many files there are, and how many ended in which way."""
    ways = (FileStatus.LOADED, FileStatus.REJECTED, FileStatus.SUPERSEDED, FileStatus.FAILED)
    return {"files": len(found), **{str(way): sum(each.status is way for each in found) for way in ways}}


def _validated(manifest: Manifest | None) -> list[FileOutcome]:
    if manifest is None:
        return []
    rejected = [
        FileOutcome(
            file.version,
            FileStatus.REJECTED,
            reasons=tuple((str(reason.code), reason.message) for reason in file.reasons),
        )
        for file in manifest.rejected
    ]
    return [*rejected, *(FileOutcome(version, FileStatus.SUPERSEDED) for version in manifest.superseded)]


def _from_result(version: FileVersion, entry: FileResult) -> FileOutcome:
    reasons = ((entry.error_code, entry.error_message),) if entry.error_code else ()
    status = {
        LoadStatus.LOADED: FileStatus.LOADED,
        LoadStatus.FAILED: FileStatus.FAILED,
        LoadStatus.SUPERSEDED: FileStatus.SUPERSEDED,
    }[entry.status]
    return FileOutcome(version, status, reasons, entry.dataset, entry.read, entry.written, entry.quarantined)


def _unspoken(ending: Ending, *, alone: bool) -> dict[str, Any]:
    """Status and reason of files that no document speaks of.

    One of several files may have brought the whole job down, when it was the job that failed and it left no
    result: then each shall be tried alone. A machine that was stopped, or timed out in the queue, says
    nothing of the kind.
    """
    code = CODES.get(ending.status, "run_failed")
    text = (
        ending.cause
        or ending.error
        or f"the execution ended {ending.status} and left no result for this file"
    )
    died = alone and ending.status == "FAILED" and ending.error == EXECUTION_FAILED
    return {"status": FileStatus.FAILED, "reasons": ((code, text),), "alone": died}
