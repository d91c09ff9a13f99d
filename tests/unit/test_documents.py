"""Do the steps of a run understand each other, and does a summary stay small?"""

import json

import pytest

from taxi_etl.documents import (
    SUMMARY_MAX_BYTES,
    AcceptedFile,
    FileResult,
    JobResult,
    Manifest,
    RejectedFile,
    SupersededFile,
)
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.schema import text_columns

A = FileVersion("lake", "raw/taxi/a.csv", "v-a", 10, "e", "0A")
B = FileVersion("lake", "raw/taxi/b.csv", "v-b", 20, "f", "0B")
C = FileVersion("lake", "raw/taxi/c.csv", "v-c")
LOADED = FileResult(
    A,
    FileStatus.LOADED,
    "green",
    "green-csv-20",
    read=10,
    written=8,
    quarantined=2,
    reasons={"unparseable": 2, "negative_duration": 1},
    new_columns=("tip_jar",),
    missing_columns=("ehail_fee",),
)
FAILED = FileResult(B, FileStatus.FAILED, "green", read=5, failure=Failure(FailureCode.UNREADABLE, "page 3"))
YIELDED = FileResult(C, FileStatus.SUPERSEDED, "green")


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = Manifest(
        "nightly",
        "lake",
        "s3",
        accepted=(AcceptedFile(A, "green", "csv", text_columns(["VendorID"]), "gzip", "utf-16"),),
        rejected=(RejectedFile(B, (Failure(FailureCode.EMPTY, "no bytes"),)),),
        superseded=(SupersededFile(C),),
    )
    assert Manifest.loads(manifest.dumps()) == manifest
    assert json.loads(manifest.dumps())["schemaVersion"] == "1"


def test_a_result_is_read_as_it_was_written() -> None:
    result = JobResult("nightly", "lake", "jr_1", (LOADED, FAILED, YIELDED), schema_changed=True)
    assert JobResult.loads(result.dumps()) == result


@pytest.mark.parametrize("text", ["{}", "[]", "", '{"bucket": "lake"}'])
def test_what_is_no_document_is_an_error(text: str) -> None:
    for document in (Manifest, JobResult):
        with pytest.raises((KeyError, ValueError, TypeError)):
            document.loads(text)


def test_rows_are_counted_over_loaded_files_only() -> None:
    result = JobResult("nightly", "lake", "jr_1", (LOADED, FAILED, YIELDED), schema_changed=False)
    assert result.rows() == {"read": 10, "written": 8, "quarantined": 2}
    assert result.counts() == {"files": 3, "loaded": 1, "failed": 1, "superseded": 1}


def test_a_summary_names_failures_first_and_the_first_error() -> None:
    summary = json.loads(JobResult("nightly", "lake", "jr_1", (LOADED, FAILED), False).summary())
    assert [file["status"] for file in summary["files"]] == ["failed", "loaded"]
    assert summary["error"] == {"Error": "unreadable", "Cause": "raw/taxi/b.csv: page 3"}
    assert (summary["filesOmitted"], summary["datasets"]) == (0, ["green"])
    assert summary["files"][0]["reasons"] == [{"code": "unreadable", "message": "page 3"}]
    assert "reasons" not in summary["files"][1]


def test_a_summary_without_failures_has_no_error() -> None:
    assert json.loads(JobResult("nightly", "lake", "jr_1", (LOADED,), False).summary())["error"] is None


@pytest.mark.parametrize(("files", "listed"), [(20, 20), (21, 20), (99, 20)])
def test_a_summary_lists_at_most_twenty_files(files: int, listed: int) -> None:
    summary = json.loads(JobResult("nightly", "lake", "jr_1", (LOADED,) * files, False).summary())
    assert (len(summary["files"]), summary["filesOmitted"]) == (listed, files - listed)


def test_a_summary_stays_within_its_limit_whatever_its_texts() -> None:
    long = FileResult(
        FileVersion("lake", "語" * 341, "v"),
        FileStatus.FAILED,
        "green",
        new_columns=("\U0001f695" * 400,) * 8,
        failure=Failure(FailureCode.UNREADABLE, "\x00" * 10_000),
    )
    text = JobResult("nightly", "lake", "jr_1", (long,) * 99, False).summary()
    assert len(text.encode()) <= SUMMARY_MAX_BYTES
    assert 0 < len(json.loads(text)["files"]) < 20
    assert json.loads(text)["filesOmitted"] == 99 - len(json.loads(text)["files"])


def test_a_head_that_cannot_fit_is_an_error() -> None:
    result = JobResult("nightly", "b" * SUMMARY_MAX_BYTES, "jr_1", (LOADED,), False)
    with pytest.raises(ValueError, match="larger than its limit"):
        result.summary()
