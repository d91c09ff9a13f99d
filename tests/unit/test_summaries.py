"""Tests of the validator's and the job's summaries: their texts, subjects and bounds."""

import json
from typing import Any

import pytest

from taxi_etl.documents import (
    LISTED_FILES_MAX,
    LISTED_KEY_MAX,
    SUMMARY_MAX_BYTES,
    AcceptedFile,
    FileResult,
    JobResult,
    Manifest,
    RejectedFile,
    SupersededFile,
)
from taxi_etl.engines import Decision, Engine
from taxi_etl.failures import Failure, FailureCode, FileWarning, WarningCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.summaries import job_summary, validation_summary

GLUE = Decision(Engine.GLUE, "the Glue job loads all batches")
MANIFEST_URI = "s3://lake/runs/etl-pipeline-workflow/nightly/manifest.json"
EARLIER_ROWS = "Rows from earlier versions of a file that did not load stay in the tables."
UNREADABLE = Failure(FailureCode.UNREADABLE, "page 3")


def version(name: str) -> FileVersion:
    return FileVersion("lake", f"raw/taxi/{name}.csv", f"v-{name}", 10, "e", "0A")


def manifest(*, accepted: int = 0, rejected: int = 0, superseded: int = 0) -> Manifest:
    reason = Failure(FailureCode.EMPTY, "no bytes")
    return Manifest(
        "nightly",
        "lake",
        "s3",
        tuple(AcceptedFile(version(f"a{number}"), "green", "csv", ()) for number in range(accepted)),
        tuple(RejectedFile(version(f"r{number}"), (reason,)) for number in range(rejected)),
        tuple(SupersededFile(version(f"s{number}")) for number in range(superseded)),
    )


def loaded(name: str, **facts: Any) -> FileResult:
    return FileResult(version(name), FileStatus.LOADED, "green", **facts)


def failed(name: str) -> FileResult:
    return FileResult(version(name), FileStatus.FAILED, "green", failure=UNREADABLE)


def summary(found: Manifest, *files: FileResult) -> dict[str, Any]:
    text = job_summary(JobResult("nightly", "lake", "jr_1", files, False), found)
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_warnings_are_in_the_text_and_with_their_files() -> None:
    warning = FileWarning(WarningCode.SAME_TRIPS, "s3://lake/raw/taxi/old.csv has as many rows")
    found = summary(
        manifest(accepted=2),
        loaded("a0", read=8, written=8),
        loaded("a1", read=8, written=8, warnings=(warning, warning)),
    )

    assert found["message"] == (
        "Loaded 2 files: 16 rows written, 0 quarantined. "
        "Warning: raw/taxi/a1.csv: s3://lake/raw/taxi/old.csv has as many rows. There is 1 more warning."
    )
    assert [file.get("warnings") for file in found["files"]] == [
        None,
        [{"code": "same_trips", "message": "s3://lake/raw/taxi/old.csv has as many rows"}] * 2,
    ]


def test_valid_files_have_no_failure() -> None:
    found = validation_summary(manifest(accepted=2), MANIFEST_URI, GLUE)

    assert (found["valid"], found["key"], found["label"]) == (True, None, "2 files")
    assert (found["failure"], found["message"], found["rejected"]) == (None, None, [])
    assert found["manifest"] == MANIFEST_URI


def test_a_single_rejected_file_is_named() -> None:
    found = validation_summary(manifest(rejected=1), MANIFEST_URI, GLUE)

    assert (found["valid"], found["key"], found["label"]) == (False, "raw/taxi/r0.csv", "r0.csv")
    assert found["counts"] == {"files": 1, "valid": 0, "rejected": 1, "superseded": 0}
    assert found["failure"] == {"Error": "ValidationFailed", "Cause": "raw/taxi/r0.csv: no bytes"}
    assert found["message"] == f"Cannot load raw/taxi/r0.csv: no bytes. {EARLIER_ROWS}"
    assert found["subjects"]["VALIDATION_FAILED"] == "Taxi ETL VALIDATION_FAILED: r0.csv"
    assert found["rejected"] == [
        {"key": "raw/taxi/r0.csv", "reasons": [{"code": "empty", "message": "no bytes"}]}
    ]


@pytest.mark.parametrize(
    ("accepted", "others"),
    [(1, " 1 other file is being loaded."), (2, " 2 other files are being loaded.")],
)
def test_rejected_files_are_counted_among_valid_ones(accepted: int, others: str) -> None:
    found = validation_summary(manifest(accepted=accepted, rejected=1), MANIFEST_URI, GLUE)

    files = accepted + 1
    assert found["message"] == (
        f"Cannot load 1 of {files} files: raw/taxi/r0.csv: no bytes.{others} {EARLIER_ROWS}"
    )
    assert found["subjects"]["VALIDATION_FAILED"] == f"Taxi ETL VALIDATION_FAILED: 1 of {files} files"
    assert found["subjects"]["FAILED"] == f"Taxi ETL FAILED: {files} files"
    assert found["jobFailure"]["before"] == f"Loading {files} files failed: "
    assert found["jobFailure"]["after"].startswith(" Rejected, as reported before: 1. The job left no result")


def test_the_cause_names_three_rejected_files_and_counts_the_rest() -> None:
    found = validation_summary(manifest(rejected=5), MANIFEST_URI, GLUE)

    assert found["failure"]["Cause"] == (
        "raw/taxi/r0.csv: no bytes; raw/taxi/r1.csv: no bytes; raw/taxi/r2.csv: no bytes; and 2 more"
    )


@pytest.mark.parametrize(("rejected", "listed"), [(20, 20), (21, 20), (99, 20)])
def test_at_most_twenty_rejected_files_are_listed(rejected: int, listed: int) -> None:
    found = validation_summary(manifest(rejected=rejected), MANIFEST_URI, GLUE)

    assert (len(found["rejected"]), found["rejectedOmitted"]) == (listed, rejected - listed)


def test_the_list_of_rejected_files_stays_within_its_limit() -> None:
    reasons = tuple(Failure(code, "\x00" * 5_000) for code in FailureCode)
    files = tuple(RejectedFile(version(f"{number}"), reasons) for number in range(99))
    found = validation_summary(Manifest("nightly", "lake", "s3", rejected=files), MANIFEST_URI, GLUE)

    assert len(json.dumps(found["rejected"])) <= SUMMARY_MAX_BYTES
    assert 0 < len(found["rejected"]) < 20
    assert found["rejectedOmitted"] == 99 - len(found["rejected"])


def test_a_load_without_failures_counts_its_rows() -> None:
    found = summary(manifest(accepted=1), loaded("a0", read=1_236, written=1_234, quarantined=2))

    assert found["message"] == "Loaded a0.csv: 1,234 rows written, 2 quarantined."
    assert found["subjects"]["SUCCESS"] == "Taxi ETL SUCCESS: a0.csv"
    assert found["error"] is None


def test_superseded_and_rejected_files_are_counted() -> None:
    yielded = FileResult(version("a1"), FileStatus.SUPERSEDED, "green")
    found = summary(manifest(accepted=2, rejected=1, superseded=1), loaded("a0"), yielded)

    assert found["message"] == (
        "Loaded 1 of 4 files: 0 rows written, 0 quarantined. Superseded by newer versions: 2."
        " Rejected, as reported before: 1."
    )
    assert found["subjects"]["SUCCESS"] == "Taxi ETL SUCCESS: 4 files"
    assert found["subjects"]["PARTIAL_SUCCESS"] == "Taxi ETL PARTIAL_SUCCESS: 1 of 4 files"


@pytest.mark.parametrize(
    ("failures", "text"),
    [
        (1, " 1 failed: raw/taxi/b0.csv: page 3."),
        (2, " 2 failed, the first: raw/taxi/b0.csv: page 3."),
    ],
)
def test_failed_files_are_listed_before_loaded_ones(failures: int, text: str) -> None:
    bad = [failed(f"b{number}") for number in range(failures)]
    found = summary(manifest(accepted=1 + failures), loaded("a0"), *bad)

    assert found["message"].endswith(text)
    assert [file["status"] for file in found["files"]] == ["failed"] * failures + ["loaded"]
    assert found["error"] == {"Error": "unreadable", "Cause": "raw/taxi/b0.csv: page 3"}
    assert found["files"][0]["reasons"] == [{"code": "unreadable", "message": "page 3"}]
    assert "reasons" not in found["files"][-1]


def test_a_job_that_loaded_nothing_names_the_first_failure() -> None:
    found = summary(manifest(accepted=2, rejected=1), failed("a0"), failed("a1"))

    assert found["message"] == (
        "Cannot load 2 of 3 files: raw/taxi/a0.csv: page 3; and 1 more."
        f" Rejected, as reported before: 1. {EARLIER_ROWS}"
    )


def test_there_is_no_text_when_newer_versions_replaced_all_files() -> None:
    found = summary(manifest(accepted=1), FileResult(version("a0"), FileStatus.SUPERSEDED, "green"))

    assert (found["message"], found["error"]) == (None, None)


def test_datasets_without_a_name_are_left_out() -> None:
    unknown = FileResult(version("a1"), FileStatus.LOADED, "")

    assert summary(manifest(accepted=2), loaded("a0"), unknown)["datasets"] == ["green"]


@pytest.mark.parametrize(("files", "listed"), [(20, 20), (21, 20), (99, 20)])
def test_a_job_summary_lists_at_most_twenty_files(files: int, listed: int) -> None:
    found = summary(manifest(accepted=files), *[loaded("a0")] * files)

    assert (len(found["files"]), found["filesOmitted"]) == (listed, files - listed)


def test_a_job_summary_stays_within_its_limit() -> None:
    long = FileResult(
        FileVersion("lake", "語" * 341, "v"),
        FileStatus.FAILED,
        "green",
        new_columns=("\U0001f695" * 400,) * 8,
        failure=Failure(FailureCode.UNREADABLE, "\x00" * 10_000),
    )
    text = job_summary(JobResult("nightly", "lake", "jr_1", (long,) * 99, False), manifest(accepted=99))

    assert len(text.encode()) <= SUMMARY_MAX_BYTES
    assert 0 < len(json.loads(text)["files"]) < 20
    assert json.loads(text)["filesOmitted"] == 99 - len(json.loads(text)["files"])


def test_a_job_summary_that_cannot_fit_is_an_error() -> None:
    result = JobResult("nightly", "b" * SUMMARY_MAX_BYTES, "jr_1", (loaded("a0"),), False)

    with pytest.raises(ValueError, match="larger than its limit"):
        job_summary(result, manifest(accepted=1))


def test_a_summary_lists_few_new_columns_with_short_names() -> None:
    columns = tuple(f"{number:02}{'n' * 400}" for number in range(LISTED_FILES_MAX + 1))
    (listed,) = summary(manifest(accepted=1), loaded("a0", new_columns=columns))["files"]

    assert [name[:2] for name in listed["newColumns"]] == [
        f"{number:02}" for number in range(LISTED_FILES_MAX)
    ]
    assert {len(name) for name in listed["newColumns"]} == {LISTED_KEY_MAX}
