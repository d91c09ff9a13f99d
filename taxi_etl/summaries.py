"""Summaries of validation and of the job, from which the state machine builds notifications.

A summary is bounded in size however many files there are. Its texts are final; the state machine adds only
what it alone knows: the job run, the crawl, times, and caught errors.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from taxi_etl.documents import (
    LISTED_FILES_MAX,
    SUMMARY_MAX_BYTES,
    FileResult,
    JobResult,
    Manifest,
    RejectedFile,
    shorten,
)
from taxi_etl.engines import Decision
from taxi_etl.failures import Failure
from taxi_etl.file_status import FileStatus
from taxi_etl.notifications import (
    CAUSE_MAX,
    EARLIER_ROWS_STAY,
    RESULT_UNKNOWN,
    VALIDATION_FAILED,
    Status,
    label,
    sentence,
    share,
    subject,
)
from taxi_etl.outcome_texts import files_without_result, job_parts, rejection_parts

NAMED_FILES_MAX = 3
"""How many rejected files the cause names."""


def validation_summary(manifest: Manifest, manifest_uri: str, decision: Decision) -> dict[str, Any]:
    """The validator's answer to the state machine; `decision` is the engine of the accepted files.

    Lists at most LISTED_FILES_MAX rejected files, and fewer where the list would exceed SUMMARY_MAX_BYTES;
    `rejectedOmitted` counts the rest. `failure` and `message` are null when no file was rejected.
    `jobFailure` is the text around the cause of a job that leaves no result, and its files for an e-mail.
    """
    files, rejected = _keys(manifest), len(manifest.rejected)
    listed = [_listed(file) for file in manifest.rejected[:LISTED_FILES_MAX]]
    while len(json.dumps(listed)) > SUMMARY_MAX_BYTES:
        listed.pop()
    cause = _rejection_cause(manifest)
    return {
        "valid": bool(manifest.accepted),
        "bucket": manifest.bucket,
        "key": files[0] if len(files) == 1 else None,
        "label": label(files),
        "counts": {
            "files": len(files),
            "valid": len(manifest.accepted),
            "rejected": rejected,
            "superseded": len(manifest.superseded),
        },
        "rejected": listed,
        "rejectedOmitted": rejected - len(listed),
        "manifest": manifest_uri,
        "engine": str(decision.engine),
        "engineReason": decision.reason,
        "failure": {"Error": VALIDATION_FAILED, "Cause": cause} if rejected else None,
        "subjects": {
            str(Status.VALIDATION_FAILED): subject(Status.VALIDATION_FAILED, share(rejected, files)),
            str(Status.FAILED): subject(Status.FAILED, label(files)),
        },
        "message": _rejection_text(manifest, cause) if rejected else None,
        "jobFailure": {
            "before": f"Loading {label(files)} failed: ",
            "after": f"{_reported_text(manifest)} {RESULT_UNKNOWN}",
            "files": files_without_result(manifest),
        },
        **rejection_parts(manifest, files),
    }


def job_summary(result: JobResult, manifest: Manifest) -> str:
    """The text of the summary, which the state machine gets from summary.json or from a function.

    Lists at most LISTED_FILES_MAX files, failed ones first, and fewer where their texts are so long that the
    whole would exceed SUMMARY_MAX_BYTES; `filesOmitted` counts the rest. `error` is that of the first failed
    file, null when none failed. `message` is null when newer versions replaced all files. The parts of texts
    for people are bounded by themselves.
    """
    files = sorted(result.files, key=lambda file: file.status is not FileStatus.FAILED)
    error = _first_error(files)
    summary = {
        **result.head(),
        "datasets": sorted({file.dataset for file in files if file.dataset}),
        "error": error,
        "subjects": {
            str(Status.SUCCESS): subject(Status.SUCCESS, label(_keys(manifest))),
            str(Status.PARTIAL_SUCCESS): subject(
                Status.PARTIAL_SUCCESS, share(result.counts()["loaded"], _keys(manifest))
            ),
        },
        "message": _job_text(result, manifest, error),
    }
    for listed in range(min(LISTED_FILES_MAX, len(files)), -1, -1):
        entries = [_summarized(file) for file in files[:listed]]
        found = {**summary, "files": entries, "filesOmitted": len(files) - listed}
        if len(json.dumps(found)) <= SUMMARY_MAX_BYTES:
            return json.dumps({**found, **job_parts(result, manifest, _keys(manifest))})
    raise ValueError("a summary without files is larger than its limit; shorten its head")


def _keys(manifest: Manifest) -> list[str]:
    accepted = [file.version.key for file in manifest.accepted]
    rejected = [file.version.key for file in manifest.rejected]
    superseded = [file.version.key for file in manifest.superseded]
    return [*accepted, *rejected, *superseded]


def _rejection_cause(manifest: Manifest) -> str:
    """The first rejected files with all their reasons, and the number of further ones."""
    named = manifest.rejected[:NAMED_FILES_MAX]
    causes = [
        f"{shorten(file.version.key)}: {'; and '.join(shorten(reason.message) for reason in file.reasons)}"
        for file in named
    ]
    more = len(manifest.rejected) - len(named)
    return shorten("; ".join([*causes, *([f"and {more} more"] if more else [])]), CAUSE_MAX)


def _rejection_text(manifest: Manifest, cause: str) -> str:
    files, valid = _keys(manifest), len(manifest.accepted)
    which = f"{share(len(manifest.rejected), files)}: " if len(files) > 1 else ""
    others = {0: "", 1: " 1 other file is being loaded."}.get(
        valid, f" {valid} other files are being loaded."
    )
    return f"Cannot load {which}{sentence(cause)}{others} {EARLIER_ROWS_STAY}"


def _reported_text(manifest: Manifest) -> str:
    return f" Rejected, as reported before: {len(manifest.rejected)}." if manifest.rejected else ""


def _job_text(result: JobResult, manifest: Manifest, error: Mapping[str, str] | None) -> str | None:
    """What the job did: loaded files, with or without failures, or loaded none."""
    if result.counts()["loaded"]:
        return _loaded_text(result, manifest, error)
    return _none_loaded_text(result, manifest, error) if error else None


def _loaded_text(result: JobResult, manifest: Manifest, error: Mapping[str, str] | None) -> str:
    counts, rows = result.counts(), result.rows()
    text = (
        f"Loaded {share(counts['loaded'], _keys(manifest))}: {rows['written']:,} rows written, "
        f"{rows['quarantined']:,} quarantined."
    )
    superseded = counts["superseded"] + len(manifest.superseded)
    if superseded:
        text += f" Superseded by newer versions: {superseded}."
    if error:
        failed = "failed, the first" if counts["failed"] > 1 else "failed"
        text += f" {counts['failed']} {failed}: {sentence(error['Cause'])}"
    return text + _warning_text(result) + _reported_text(manifest)


def _warning_text(result: JobResult) -> str:
    """The first warning, and the number of further ones."""
    found = [(file, warning) for file in result.files for warning in file.warnings]
    if not found:
        return ""
    (file, warning), more = found[0], len(found) - 1
    cause = f"{shorten(file.version.key)}: {shorten(warning.message)}"
    others = {0: "", 1: " There is 1 more warning."}.get(more, f" There are {more} more warnings.")
    return f" Warning: {sentence(cause)}{others}"


def _none_loaded_text(result: JobResult, manifest: Manifest, error: Mapping[str, str]) -> str:
    files, failed = _keys(manifest), result.counts()["failed"]
    which = f"{share(failed, files)}: " if len(files) > 1 else ""
    more = f"; and {failed - 1} more" if failed > 1 else ""
    cause = sentence(f"{error['Cause']}{more}")
    return f"Cannot load {which}{cause}{_reported_text(manifest)} {EARLIER_ROWS_STAY}"


def _first_error(files: Sequence[FileResult]) -> dict[str, str] | None:
    for file in files:
        if file.failure:
            cause = f"{shorten(file.version.key)}: {shorten(file.failure.message)}"
            return {"Error": str(file.failure.code), "Cause": cause}
    return None


def _listed(file: RejectedFile) -> dict[str, Any]:
    """The entry of a rejected file in messages."""
    return {"key": shorten(file.version.key), "reasons": [_reason(reason) for reason in file.reasons]}


def _reason(failure: Failure) -> dict[str, str]:
    return {"code": str(failure.code), "message": shorten(failure.message)}


def _summarized(file: FileResult) -> dict[str, Any]:
    """The entry of a file in the job's summary and in messages: its counts, and why it did not load."""
    entry: dict[str, Any] = {
        "key": shorten(file.version.key),
        "versionId": file.version.version_id,
        "status": str(file.status),
        "dataset": file.dataset,
        "rows": {
            "read": file.read,
            "written": file.written,
            "quarantined": file.quarantined,
            "reasons": dict(file.reasons),
        },
        "newColumns": [shorten(name) for name in file.new_columns[:LISTED_FILES_MAX]],
        "missingColumns": list(file.missing_columns),
    }
    if file.key_values:
        entry["columnsFromKey"] = {
            shorten(name): value and shorten(value) for name, value in file.key_values.items()
        }
    if file.columns_left_out:
        entry["columnsLeftOut"] = [
            {"name": shorten(name), "type": shorten(kind)}
            for name, kind in file.columns_left_out[:LISTED_FILES_MAX]
        ]
    if file.failure:
        entry["reasons"] = [_reason(file.failure)]
    if file.warnings:
        entry["warnings"] = [
            {"code": str(each.code), "message": shorten(each.message)} for each in file.warnings
        ]
    return entry
