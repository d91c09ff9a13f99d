"""Outcomes of the files of an ended execution.

The job's result takes precedence over the execution's ending: a job run that timed out after its commit has
loaded its files. A file that neither manifest nor result mentions has failed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from taxi_etl.documents import FileResult, JobResult, Manifest, shorten
from taxi_etl.failures import Failure, FailureCode, FileWarning
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import CURRENT_VERSION
from taxi_etl.notifications import EXECUTION_FAILED, VALIDATION_FAILED

SUCCEEDED = "SUCCEEDED"
REASON_MAX = 1000
"""Characters of a reason that the ledger keeps."""
CODE_OF_ENDING = {
    SUCCEEDED: FailureCode.RUN_INCOMPLETE,
    "FAILED": FailureCode.RUN_FAILED,
    "TIMED_OUT": FailureCode.RUN_TIMED_OUT,
    "ABORTED": FailureCode.RUN_ABORTED,
}
"""The failure code of a file for which an execution left no result, by the status in which it ended."""


@dataclass(frozen=True)
class Ending:
    """How an execution ended: Step Functions' status, and the error and cause where it has them."""

    status: str
    error: str = ""
    cause: str = ""


@dataclass(frozen=True)
class FileOutcome:
    """The outcome of one file; rows are counts. `warnings` and `notes` are those of the job's result.

    `alone` means that validation or the job failed for a whole batch, and that a replay should load this file
    by itself.
    """

    version: FileVersion
    status: FileStatus
    reasons: tuple[Failure, ...] = ()
    dataset: str = ""
    read: int = 0
    written: int = 0
    quarantined: int = 0
    alone: bool = False
    warnings: tuple[FileWarning, ...] = ()
    notes: tuple[str, ...] = ()

    def attributes(self) -> dict[str, Any]:
        """The attributes of the file's item in the ledger; empty ones are left out."""
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
        """The entry in a notification, with shortened key, reasons and warnings."""
        entry: dict[str, Any] = {
            "key": shorten(self.version.key),
            "versionId": self.version.version_id,
            "status": str(self.status),
            "dataset": self.dataset,
            "rows": self._rows(),
            "reasons": [_shortened(reason) for reason in self._reasons()],
        }
        if self.warnings:
            entry["warnings"] = [_shortened(warning.to_json()) for warning in self.warnings]
        return entry

    def _rows(self) -> dict[str, int]:
        return {"read": self.read, "written": self.written, "quarantined": self.quarantined}

    def _reasons(self) -> list[dict[str, str]]:
        return [
            {**reason.to_json(), "message": shorten(reason.message, REASON_MAX)} for reason in self.reasons
        ]


def outcomes(
    files: Iterable[FileVersion], manifest: Manifest | None, result: JobResult | None, ending: Ending
) -> tuple[FileOutcome, ...]:
    """The outcome of each file of an execution, from the documents it left; each version once, by key.

    A file whose input names no version has the version that validation found. Without a manifest it keeps
    `CURRENT_VERSION`, which has no record in the ledger.
    """
    given = tuple(files)
    found = {outcome.version.identity: outcome for outcome in _validated(manifest)}
    expected = manifest.accepted if manifest else ()
    loaded = {file.version.identity: file for file in result.files} if result else {}
    without_result = _without_result(ending, alone=result is None and len(expected) > 1)
    for accepted in expected:
        version = accepted.version
        entry = loaded.get(version.identity)
        if entry:
            found[version.identity] = _from_result(version, entry)
        else:
            found[version.identity] = FileOutcome(version, dataset=accepted.dataset, **without_result)
    known_keys = {outcome.version.key for outcome in found.values()}
    unchecked = _without_result(ending, alone=manifest is None and len(given) > 1)
    for version in given:
        completed = version.version_id == CURRENT_VERSION and version.key in known_keys
        if version.identity not in found and not completed:
            found[version.identity] = FileOutcome(version, **unchecked)
    return tuple(found[identity] for identity in sorted(found))


def count(found: Sequence[FileOutcome]) -> dict[str, int]:
    """The number of files, and of those in each final status."""
    ways = (FileStatus.LOADED, FileStatus.REJECTED, FileStatus.SUPERSEDED, FileStatus.FAILED)
    return {"files": len(found), **{str(way): sum(each.status is way for each in found) for way in ways}}


def _validated(manifest: Manifest | None) -> list[FileOutcome]:
    if manifest is None:
        return []
    rejected = [FileOutcome(file.version, FileStatus.REJECTED, file.reasons) for file in manifest.rejected]
    superseded = [FileOutcome(file.version, FileStatus.SUPERSEDED) for file in manifest.superseded]
    return [*rejected, *superseded]


def _from_result(version: FileVersion, entry: FileResult) -> FileOutcome:
    reasons = (entry.failure,) if entry.failure else ()
    return FileOutcome(
        version,
        entry.status,
        reasons,
        entry.dataset,
        entry.read,
        entry.written,
        entry.quarantined,
        warnings=entry.warnings,
        notes=entry.notes if entry.status is FileStatus.LOADED else (),
    )


def _shortened(entry: dict[str, str]) -> dict[str, str]:
    return {**entry, "message": shorten(entry["message"])}


def _without_result(ending: Ending, *, alone: bool) -> dict[str, Any]:
    """The status and reason of files that are not in any document.

    When validation or the job itself failed without a result, one of the files may be the cause, so a replay
    loads each alone. Other endings, such as a timeout in the queue, do not implicate the files.
    """
    code = CODE_OF_ENDING.get(ending.status, FailureCode.RUN_FAILED)
    text = (
        ending.cause
        or ending.error
        or f"the execution ended {ending.status} and left no result for this file"
    )
    died = alone and ending.error in (VALIDATION_FAILED, EXECUTION_FAILED)
    return {"status": FileStatus.FAILED, "reasons": (Failure(code, text),), "alone": died}
