"""Tests of the outcome of each file, for all documents that an execution can leave."""

from dataclasses import replace

import pytest

from taxi_etl.documents import AcceptedFile, FileResult, JobResult, Manifest, RejectedFile, SupersededFile
from taxi_etl.failures import Failure, FailureCode, FileWarning, WarningCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.outcomes import Ending, FileOutcome, count, outcomes
from taxi_etl.schema import text_columns

A, B, C, D = (FileVersion("lake", f"raw/taxi/{letter}.csv", f"v-{letter}", 10) for letter in "abcd")
SUCCEEDED = Ending("SUCCEEDED")
JOB_FAILED = Ending("FAILED", "ExecutionFailed", "java.lang.OutOfMemoryError: Java heap space")


def accepted(version: FileVersion) -> AcceptedFile:
    return AcceptedFile(version, "green", "csv", text_columns(["VendorID"]))


def rejected(version: FileVersion) -> RejectedFile:
    return RejectedFile(
        version, (Failure(FailureCode.EMPTY, "no bytes"), Failure(FailureCode.WRONG_PREFIX, "elsewhere"))
    )


def manifest(*files: AcceptedFile | RejectedFile | SupersededFile) -> Manifest:
    return Manifest(
        execution="nightly",
        bucket="lake",
        trigger="s3",
        accepted=tuple(file for file in files if isinstance(file, AcceptedFile)),
        rejected=tuple(file for file in files if isinstance(file, RejectedFile)),
        superseded=tuple(file for file in files if isinstance(file, SupersededFile)),
    )


def result(*files: FileResult) -> JobResult:
    return JobResult("nightly", "lake", "jr_1", files, schema_changed=False)


LOADED_A = FileResult(A, FileStatus.LOADED, "green", read=10, written=9, quarantined=1)


def test_the_last_step_decides_the_outcome_of_a_file() -> None:
    found = outcomes(
        [D, C, B, A],
        manifest(accepted(A), accepted(B), rejected(C), SupersededFile(D)),
        result(
            LOADED_A,
            FileResult(B, FileStatus.FAILED, "green", failure=Failure(FailureCode.UNREADABLE, "page 3")),
        ),
        SUCCEEDED,
    )
    assert found == (
        FileOutcome(A, FileStatus.LOADED, dataset="green", read=10, written=9, quarantined=1),
        FileOutcome(B, FileStatus.FAILED, (Failure(FailureCode.UNREADABLE, "page 3"),), dataset="green"),
        FileOutcome(
            C,
            FileStatus.REJECTED,
            (Failure(FailureCode.EMPTY, "no bytes"), Failure(FailureCode.WRONG_PREFIX, "elsewhere")),
        ),
        FileOutcome(D, FileStatus.SUPERSEDED),
    )
    assert count(found) == {"files": 4, "loaded": 1, "rejected": 1, "superseded": 1, "failed": 1}


def test_warnings_and_notes_are_those_of_the_result_and_of_loaded_files_only() -> None:
    warning = FileWarning(WarningCode.SAME_TRIPS, "x" * 301)
    warned = replace(LOADED_A, warnings=(warning,), columns_left_out=(("path", "list"),))
    (found,) = outcomes([A], manifest(accepted(A)), result(warned), SUCCEEDED)
    assert found.notes == (
        f"same_trips: {'x' * 301}",
        "columns_left_out: left out, because no exact text form exists: path (list)",
    )
    assert found.to_json()["warnings"] == [{"code": "same_trips", "message": f"{'x' * 150}…{'x' * 149}"}]
    failed = replace(warned, status=FileStatus.FAILED, warnings=())
    (found,) = outcomes([A], manifest(accepted(A)), result(failed), SUCCEEDED)
    assert (found.notes, "warnings" in found.to_json()) == ((), False)


def test_a_version_superseded_during_the_job_is_superseded() -> None:
    found = outcomes(
        [A], manifest(accepted(A)), result(FileResult(A, FileStatus.SUPERSEDED, "green")), SUCCEEDED
    )
    assert found == (FileOutcome(A, FileStatus.SUPERSEDED, dataset="green"),)


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED", "FAILED"])
def test_what_the_job_committed_is_loaded_however_the_execution_ended(status: str) -> None:
    (found,) = outcomes([A], manifest(accepted(A)), result(LOADED_A), Ending(status, "Boom"))
    assert found.status is FileStatus.LOADED


@pytest.mark.parametrize(
    ("ending", "code", "text"),
    [
        (
            Ending("TIMED_OUT"),
            FailureCode.RUN_TIMED_OUT,
            "the execution ended TIMED_OUT and left no result for this file",
        ),
        (Ending("ABORTED", "", "stopped by ann"), FailureCode.RUN_ABORTED, "stopped by ann"),
        (Ending("FAILED", "States.Runtime"), FailureCode.RUN_FAILED, "States.Runtime"),
        (Ending("FAILED", "States.Runtime", "no such path"), FailureCode.RUN_FAILED, "no such path"),
        (
            SUCCEEDED,
            FailureCode.RUN_INCOMPLETE,
            "the execution ended SUCCEEDED and left no result for this file",
        ),
        (
            Ending("NEW_STATUS"),
            FailureCode.RUN_FAILED,
            "the execution ended NEW_STATUS and left no result for this file",
        ),
    ],
)
def test_a_file_without_a_result_has_failed_with_the_ending_as_its_reason(
    ending: Ending, code: FailureCode, text: str
) -> None:
    without_manifest = outcomes([A], None, None, ending)
    without_result = outcomes([A], manifest(accepted(A)), None, ending)
    assert without_manifest == (FileOutcome(A, FileStatus.FAILED, (Failure(code, text),)),)
    assert without_result == (FileOutcome(A, FileStatus.FAILED, (Failure(code, text),), dataset="green"),)


def test_a_file_missing_from_manifest_and_result_has_failed() -> None:
    found = outcomes([A, B], manifest(accepted(A)), result(LOADED_A), SUCCEEDED)
    assert [outcome.status for outcome in found] == [FileStatus.LOADED, FileStatus.FAILED]


def test_a_result_that_lacks_a_file_leaves_it_failed_and_the_others_loaded() -> None:
    found = outcomes([A, B], manifest(accepted(A), accepted(B)), result(LOADED_A), JOB_FAILED)
    assert [(outcome.status, outcome.alone) for outcome in found] == [
        (FileStatus.LOADED, False),
        (FileStatus.FAILED, False),
    ]


def test_files_of_a_batch_without_a_result_are_to_be_loaded_alone() -> None:
    found = outcomes([A, B, C], manifest(accepted(A), accepted(B), rejected(C)), None, JOB_FAILED)
    assert [(outcome.status, outcome.alone) for outcome in found] == [
        (FileStatus.FAILED, True),
        (FileStatus.FAILED, True),
        (FileStatus.REJECTED, False),
    ]
    assert found[0].reasons == (
        Failure(FailureCode.RUN_FAILED, "java.lang.OutOfMemoryError: Java heap space"),
    )


@pytest.mark.parametrize(
    "ending",
    [
        Ending("TIMED_OUT"),
        Ending("ABORTED", "stopped by ann"),
        Ending("FAILED", "States.Runtime"),
        Ending("FAILED", "NotificationFailed"),
        SUCCEEDED,
    ],
)
def test_files_stay_together_unless_the_job_failed(ending: Ending) -> None:
    found = outcomes([A, B], manifest(accepted(A), accepted(B)), None, ending)
    assert [outcome.alone for outcome in found] == [False, False]


def test_files_of_a_batch_that_validation_could_not_check_are_to_be_loaded_alone() -> None:
    validator_died = Ending("FAILED", "ValidationFailed", "Runtime.ExitError: signal: killed")
    found = outcomes([A, B], None, None, validator_died)
    assert [(outcome.status, outcome.alone) for outcome in found] == [(FileStatus.FAILED, True)] * 2
    assert [outcome.alone for outcome in outcomes([A], None, None, validator_died)] == [False]


def test_a_single_file_is_alone_already() -> None:
    (found,) = outcomes([A], manifest(accepted(A)), None, JOB_FAILED)
    assert found.alone is False


def test_a_shorthand_is_spoken_of_as_the_version_validation_found() -> None:
    shorthand = FileVersion("lake", A.key, "")
    assert outcomes([shorthand], manifest(accepted(A)), result(LOADED_A), SUCCEEDED)[0].version == A
    assert outcomes([shorthand], manifest(rejected(A)), None, SUCCEEDED)[0].version == A
    (unknown,) = outcomes([shorthand], None, None, Ending("TIMED_OUT"))
    assert (unknown.version, unknown.status) == (shorthand, FileStatus.FAILED)


def test_the_same_documents_give_the_same_outcomes() -> None:
    arguments = ([B, A], manifest(accepted(A), rejected(B)), result(LOADED_A), SUCCEEDED)
    assert outcomes(*arguments) == outcomes(*arguments)


def test_the_ledger_keeps_what_there_is() -> None:
    loaded = FileOutcome(A, FileStatus.LOADED, dataset="green", read=10, written=9, quarantined=1)
    assert loaded.attributes() == {
        "status": "loaded",
        "dataset": "green",
        "rows": {"read": 10, "written": 9, "quarantined": 1},
    }
    failed = FileOutcome(A, FileStatus.FAILED, (Failure(FailureCode.RUN_FAILED, "boom"),), alone=True)
    assert failed.attributes() == {
        "status": "failed",
        "reasons": [{"code": FailureCode.RUN_FAILED, "message": "boom"}],
        "alone": True,
    }
    assert FileOutcome(A, FileStatus.SUPERSEDED).attributes() == {"status": "superseded"}


def test_the_ledger_keeps_no_rows_of_a_file_that_failed() -> None:
    failed = FileOutcome(A, FileStatus.FAILED, dataset="green", read=10, written=4, quarantined=6)
    assert failed.attributes() == {"status": "failed", "dataset": "green"}


def test_long_reasons_are_shortened_in_the_ledger_and_more_so_in_messages() -> None:
    outcome = FileOutcome(A, FileStatus.FAILED, (Failure(FailureCode.RUN_FAILED, "x" * 5_000),))
    assert len(outcome.attributes()["reasons"][0]["message"]) == 1_000
    assert len(outcome.to_json()["reasons"][0]["message"]) == 300
    assert len(replace(outcome, version=FileVersion("lake", "k" * 1_024, "v")).to_json()["key"]) == 300


def test_the_entry_of_a_message() -> None:
    outcome = FileOutcome(A, FileStatus.REJECTED, (Failure(FailureCode.EMPTY, "no bytes"),))
    assert outcome.to_json() == {
        "key": "raw/taxi/a.csv",
        "versionId": "v-a",
        "status": "rejected",
        "dataset": "",
        "rows": {"read": 0, "written": 0, "quarantined": 0},
        "reasons": [{"code": "empty", "message": "no bytes"}],
    }
