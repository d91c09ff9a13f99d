"""The parts of e-mails and text messages that are known when validation or the job ends.

Each summary has them as `email`, with the outcome and the files, and `brief`, a few words for an SMS. The
state machine adds time, cost, next step and link (`taxi_etl.message_texts`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from taxi_etl.documents import FileResult, JobResult, Manifest
from taxi_etl.file_status import FileStatus
from taxi_etl.message_texts import files_text
from taxi_etl.notifications import EARLIER_ROWS_STAY, label, share

Parts = dict[str, Any]


def rejection_parts(manifest: Manifest, keys: Sequence[str]) -> Parts:
    """The parts of the texts about rejected files, null if there are none; `keys` are those of all files."""
    if not manifest.rejected:
        return {"email": None, "brief": None}
    return {
        "email": {
            "outcome": _rejection_outcome(manifest, keys),
            "files": files_text(manifest.bucket, _rejected(manifest)),
        },
        "brief": _brief_codes([str(file.reasons[0].code) for file in manifest.rejected]),
    }


def files_without_result(manifest: Manifest) -> str:
    """The files of an e-mail about a job that left no result."""
    accepted = [{"key": file.version.key, "status": FileStatus.FAILED} for file in manifest.accepted]
    return files_text(manifest.bucket, [*_rejected(manifest), *accepted])


def job_parts(result: JobResult, manifest: Manifest, keys: Sequence[str]) -> Parts:
    """The parts of the texts about files that the job read; `keys` are those of all files."""
    superseded = [{"key": file.version.key, "status": FileStatus.SUPERSEDED} for file in manifest.superseded]
    files = [*map(_entry, result.files), *_rejected(manifest), *superseded]
    return {
        "email": {
            "outcome": _job_outcome(result, manifest, keys),
            "files": files_text(manifest.bucket, files),
        },
        "brief": _job_brief(result, manifest),
    }


def _rejection_outcome(manifest: Manifest, keys: Sequence[str]) -> str:
    valid = len(manifest.accepted)
    others = {0: "nothing was loaded", 1: "1 other file is being loaded"}.get(
        valid, f"{valid} other files are being loaded"
    )
    return f"Rejected {share(len(manifest.rejected), keys)}; {others}. {EARLIER_ROWS_STAY}"


def _job_outcome(result: JobResult, manifest: Manifest, keys: Sequence[str]) -> str:
    counts, rows = result.counts(), result.rows()
    others = {
        "failed": counts["failed"],
        "rejected": len(manifest.rejected),
        "superseded by newer versions": counts["superseded"] + len(manifest.superseded),
    }
    rest = ", ".join(f"{number} {what}" for what, number in others.items() if number)
    if counts["loaded"]:
        loaded = f"Loaded {share(counts['loaded'], keys)}"
        text = f"{loaded}: {rows['written']:,} rows written, {rows['quarantined']:,} quarantined."
        return f"{text} Not loaded: {rest}." if rest else text
    if len(keys) == 1:
        return f"Could not load {label(keys)}. {EARLIER_ROWS_STAY}"
    return f"Could not load any of {label(keys)}: {rest}. {EARLIER_ROWS_STAY}"


def _job_brief(result: JobResult, manifest: Manifest) -> str:
    counts, rows = result.counts(), result.rows()
    if not counts["loaded"]:
        return _brief_codes([str(file.failure.code) for file in result.files if file.failure])
    others = {"failed": counts["failed"], "rejected": len(manifest.rejected)}
    rest = "".join(f", {number} {what}" for what, number in others.items() if number)
    return f"{rows['written']:,} rows written, {rows['quarantined']:,} quarantined{rest}"


def _brief_codes(codes: Sequence[str]) -> str:
    """The failure code of the first file, and the number of the other files."""
    return f"{codes[0]} and {len(codes) - 1} more" if len(codes) > 1 else "".join(codes)


def _entry(file: FileResult) -> Mapping[str, Any]:
    """A file that the job read, as `files_text` takes it."""
    return {
        "key": file.version.key,
        "status": file.status,
        "dataset": file.dataset,
        "rows": {"written": file.written, "quarantined": file.quarantined, "reasons": file.reasons},
        "reasons": [file.failure.to_json()] if file.failure else [],
        "warnings": [warning.to_json() for warning in file.warnings],
        "example": _example(file),
    }


def _example(file: FileResult) -> str:
    """The first bad row of a file that failed for too many."""
    if not file.examples:
        return ""
    reasons, row = file.examples[0]["reasons"], file.examples[0]["row"]
    return f"{', '.join(reasons)} in {', '.join(f'{name}={value}' for name, value in row.items())}"


def _rejected(manifest: Manifest) -> list[Mapping[str, Any]]:
    return [
        {
            "key": file.version.key,
            "status": FileStatus.REJECTED,
            "reasons": [reason.to_json() for reason in file.reasons],
        }
        for file in manifest.rejected
    ]
