"""Tests of the manifest and the job's result."""

import json

import pytest

from taxi_etl.documents import (
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
    result = JobResult(
        "nightly", "lake", "jr_1", (LOADED, FAILED, YIELDED), schema_changed=True, crawl_needed=True
    )
    assert JobResult.loads(result.dumps()) == result


def test_a_result_of_an_earlier_version_needs_no_crawl() -> None:
    document = json.loads(JobResult("nightly", "lake", "jr_1", (LOADED,), schema_changed=True).dumps())
    del document["crawlNeeded"]
    assert not JobResult.loads(json.dumps(document)).crawl_needed


@pytest.mark.parametrize("text", ["{}", "[]", "", '{"bucket": "lake"}'])
def test_what_is_no_document_is_an_error(text: str) -> None:
    for document in (Manifest, JobResult):
        with pytest.raises((KeyError, ValueError, TypeError)):
            document.loads(text)


def test_rows_are_counted_over_loaded_files_only() -> None:
    result = JobResult("nightly", "lake", "jr_1", (LOADED, FAILED, YIELDED), schema_changed=False)
    assert result.rows() == {"read": 10, "written": 8, "quarantined": 2}
    assert result.counts() == {"files": 3, "loaded": 1, "failed": 1, "superseded": 1}
