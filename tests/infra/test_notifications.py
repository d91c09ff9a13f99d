"""What do subscribers get? Every outcome's messages as golden files, the schema, and what must be in them.

After a change that is meant: `UPDATE_SNAPSHOTS=1 pytest tests/infra/test_notifications.py`, and read the diff
as the one who gets it.
"""

import difflib
import json
import os
import re

import pytest

from .golden_notifications import GOLDEN, OUTCOMES, GoldenNotification

SUCCESS_KEYS = [
    "status",
    "message",
    "jobName",
    "jobRunId",
    "executionTimeSeconds",
    "bucket",
    "key",
    "crawlerState",
    "timestamp",
    "workflowExecutionId",
]
FAILURE_KEYS = ["status", "message", "bucket", "key", "error", "timestamp", "workflowExecutionId"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_subscribers_get_what_they_got_when_someone_last_looked(
    told: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    path = GOLDEN / f"{outcome}.txt"
    separator = f"\n{'-' * 80}\n\n"
    found = separator.join(message.printed() for message in told[outcome]) or "No message.\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(found)
    kept = path.read_text() if path.exists() else ""
    difference = difflib.unified_diff(
        kept.splitlines(), found.splitlines(), f"notifications/{path.name}", "sent now", lineterm=""
    )
    if kept != found:
        pytest.fail(
            "the message changed; if that is meant, run with UPDATE_SNAPSHOTS=1 and review:\n"
            + "\n".join(difference),
            pytrace=False,
        )


def test_no_golden_file_is_left_over() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == sorted(OUTCOMES)


def one(told: dict[str, list[GoldenNotification]], outcome: str) -> GoldenNotification:
    (message,) = told[outcome]
    return message


def test_each_outcome_has_its_number_of_messages_and_their_status(
    told: dict[str, list[GoldenNotification]],
) -> None:
    begins = {
        "success_": ["SUCCESS"],
        "partial_": ["PARTIAL_SUCCESS"],
        "partial_rejected_file": ["VALIDATION_FAILED", "PARTIAL_SUCCESS"],
        "validation_failed_": ["VALIDATION_FAILED"],
        "failed_": ["FAILED"],
        "failed_no_file_loaded": ["VALIDATION_FAILED", "FAILED"],  # one file was rejected before
        "closer_": ["FAILED"],
        "nothing_": [],
    }
    for outcome, messages in told.items():
        longest = max((begin for begin in begins if outcome.startswith(begin)), key=len)
        assert [message["status"] for message in messages] == begins[longest], outcome


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_keys_that_consumers_rely_on_come_first_and_in_order(
    told: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    for message in told[outcome]:
        promised = SUCCESS_KEYS if "SUCCESS" in message["status"] else FAILURE_KEYS
        assert list(message)[: len(promised) + 1] == [*promised, "schemaVersion"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_subject_and_attributes_tell_the_outcome_within_what_sns_takes(
    told: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    for message in told[outcome]:
        assert message.subject.startswith(f"Taxi ETL {message['status']}: ")
        assert message.subject.isascii()
        assert message.subject.isprintable()
        assert len(message.subject) <= 100
        assert list(message.attributes) == ["status", "dataset"]
        assert message.attributes["status"] == {"DataType": "String", "StringValue": message["status"]}
        assert message.attributes["dataset"]["DataType"] == "String.Array"
        assert len(message.text.encode()) < 256 * 1024


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_text_for_people_holds_json_or_the_sdks_own_words(
    told: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    for message in told[outcome]:
        for text in (message["message"], message.get("error", {}).get("Cause", "words")):
            assert text
            assert not re.search(r'[{}]|":|Request ID|SDK Attempt|undefined|null|\.\.|\s$', text), text


@pytest.mark.parametrize(
    ("outcome", "subject", "datasets"),
    [
        ("success_one_file", "Taxi ETL SUCCESS: yellow_tripdata_2024-01.parquet", ["yellow"]),
        ("success_several_files", "Taxi ETL SUCCESS: 3 files", ["green", "yellow"]),
        ("partial_failed_file", "Taxi ETL PARTIAL_SUCCESS: 1 of 2 files", ["fhv", "yellow"]),
        ("partial_crawl_failed", "Taxi ETL PARTIAL_SUCCESS: yellow_tripdata_2024-01.parquet", ["yellow"]),
        (
            "validation_failed_one_file",
            "Taxi ETL VALIDATION_FAILED: green_tripdata_2013-08.parquet",
            ["unknown"],
        ),
        ("validation_failed_more_than_twenty_files", "Taxi ETL VALIDATION_FAILED: 23 files", ["unknown"]),
        ("failed_job_run_timeout", "Taxi ETL FAILED: 2 files", ["unknown"]),
        ("closer_timed_out", "Taxi ETL FAILED: 3 files", ["green", "yellow"]),
        ("closer_input_is_none", "Taxi ETL FAILED: 0 files", ["unknown"]),
    ],
)
def test_a_subject_names_the_file_or_how_many_of_them(
    told: dict[str, list[GoldenNotification]], outcome: str, subject: str, datasets: list[str]
) -> None:
    message = one(told, outcome)

    assert message.subject == subject
    assert json.loads(message.attributes["dataset"]["StringValue"]) == datasets


STAY = "Rows from earlier versions of a file that did not load stay in the tables."
UNKNOWN = "The job left no result, so the files count as not loaded; to load them again does no harm."


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (
            "success_one_file",
            "Loaded yellow_tripdata_2024-01.parquet: 2,963,711 rows written, 913 quarantined.",
        ),
        (
            "success_several_files",
            "Loaded 2 of 3 files: 3,020,259 rows written, 916 quarantined. Left to newer versions: 1.",
        ),
        (
            "partial_failed_file",
            "Loaded 1 of 2 files: 2,963,711 rows written, 913 quarantined. "
            "1 failed: raw/taxi/fhv_tripdata_2019-02.csv.gz: Could not read or convert a column chunk "
            "(cause: java.io.IOException: could not decompress page 3).",
        ),
        (
            "partial_crawl_failed",
            "Loaded yellow_tripdata_2024-01.parquet: 2,963,711 rows written, 913 quarantined. "
            "The tables are current, but the raw zone was not crawled: Insufficient Lake Formation.",
        ),
        (
            "validation_failed_one_file",
            "Cannot load raw/taxi/green_tripdata_2013-08.parquet: the first four bytes are not PAR1: "
            f"this is no Parquet file. {STAY}",
        ),
        (
            "validation_failed_by_a_fault",
            "Could not check yellow_tripdata_2024-01.parquet: An error occurred (AccessDenied) when calling "
            f"the PutObject operation: Access Denied. Nothing was loaded. {STAY}",
        ),
        (
            "failed_job_run",
            "Loading yellow_tripdata_2024-01.parquet failed: "
            f"SystemExit: process_taxi_data: SparkException: No space left on device. {UNKNOWN}",
        ),
        ("failed_job_run_timeout", f"Loading 2 files failed: The job run ended TIMEOUT. {UNKNOWN}"),
        (
            "failed_concurrent_runs",
            f"Loading 2 files failed: Concurrent runs exceeded for job-process-taxi-data. {UNKNOWN}",
        ),
        (
            "failed_result_unreadable",
            "Loading yellow_tripdata_2024-01.parquet failed: the job ended, but its result cannot be read: "
            f"The specified key does not exist. {UNKNOWN}",
        ),
        (
            "closer_timed_out",
            "The execution took longer than it may and was ended. Files: 1 loaded, 1 rejected, 1 failed. "
            f"{STAY}",
        ),
        (
            "closer_success_untold",
            "The execution ended, and its notification could not be published: "
            "User is not authorized to perform: SNS:Publish. Files: 1 loaded.",
        ),
        (
            "closer_dead_batch_untold",
            "The execution ended, and its notification could not be published: "
            "User is not authorized to perform: SNS:Publish; it was to say: "
            "SystemExit: process_taxi_data: SparkException: No space left on device. "
            f"Files: 2 failed. {STAY}",
        ),
    ],
)
def test_a_message_says_what_happened_to_which_file_and_why(
    told: dict[str, list[GoldenNotification]], outcome: str, text: str
) -> None:
    assert one(told, outcome)["message"] == text


def test_of_a_failed_job_run_the_error_is_its_own_line(told: dict[str, list[GoldenNotification]]) -> None:
    assert one(told, "failed_job_run")["error"] == {
        "Error": "States.TaskFailed",
        "Cause": "SystemExit: process_taxi_data: SparkException: No space left on device",
    }


@pytest.mark.parametrize(
    ("outcome", "error", "cause"),
    [
        ("closer_timed_out", "TIMED_OUT", "The execution took longer than it may and was ended"),
        ("closer_aborted", "Maintenance", "stopped by ann for maintenance"),
        ("closer_input_is_none", "ABORTED", "The execution was stopped by someone"),
    ],
)
def test_an_ending_without_error_or_cause_is_put_into_words(
    told: dict[str, list[GoldenNotification]], outcome: str, error: str, cause: str
) -> None:
    assert one(told, outcome)["error"] == {"Error": error, "Cause": cause}


def test_files_beside_rejected_ones_are_said_to_go_on_and_the_rest_refers_back(
    told: dict[str, list[GoldenNotification]],
) -> None:
    rejected, loaded = told["partial_rejected_file"]

    assert rejected.subject == "Taxi ETL VALIDATION_FAILED: 1 of 2 files"
    assert "1 other file is being loaded." in rejected["message"]
    assert loaded["message"].endswith(" Rejected, as reported before: 1.")
    assert "2 other files are being loaded." in told["failed_no_file_loaded"][0]["message"]


def test_twenty_of_many_files_are_listed_and_the_rest_counted(
    told: dict[str, list[GoldenNotification]],
) -> None:
    message = one(told, "validation_failed_more_than_twenty_files")

    assert (len(message["files"]), message["filesOmitted"]) == (20, 3)
    assert "; and 20 more." in message["message"]  # the text names three


def test_why_a_file_did_not_load_stands_in_reasons_whoever_found_it(
    told: dict[str, list[GoldenNotification]],
) -> None:
    found = {
        outcome: [
            reason["code"] for file in one(told, outcome)["files"] for reason in file.get("reasons", [])
        ]
        for outcome in ("validation_failed_several_reasons", "partial_two_failed_files", "closer_timed_out")
    }
    assert found == {
        "validation_failed_several_reasons": [
            "empty",
            "not_parquet",
            "unsupported_type",
            "archived",
            "unknown_dataset",
            "missing_columns",
        ],
        "partial_two_failed_files": ["too_many_quarantined", "unreadable"],
        "closer_timed_out": ["run_timed_out", "not_parquet"],
    }
