"""Tests of the notifications of every outcome, against golden files and for their required content.

After an intended change: `UPDATE_SNAPSHOTS=1 pytest tests/infra/test_notifications.py`, and review the diff
as a subscriber would read it.
"""

import difflib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from taxi_etl.message_texts import chat_text

from .golden_notifications import GOLDEN, GOLDEN_TEXTS, OUTCOMES, GoldenNotification
from .workflow_interpreter import Published, interpret
from .workflow_notifications import LOADED_YELLOW, WORKFLOW_OUTCOMES, YELLOW, Outcome

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
def test_notifications_equal_their_golden_files(
    notifications: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    compare(GOLDEN / f"{outcome}.txt", [message.printed() for message in notifications[outcome]])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_texts_for_people_equal_their_golden_files(
    notifications: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    compare(GOLDEN_TEXTS / f"{outcome}.txt", [message.printed_texts() for message in notifications[outcome]])


def compare(path: Path, messages: list[str]) -> None:
    found = f"\n{'-' * 80}\n\n".join(messages) or "No message.\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(found)
    kept = path.read_text() if path.exists() else ""
    difference = difflib.unified_diff(
        kept.splitlines(),
        found.splitlines(),
        f"{path.parent.name}/{path.name}",
        "published now",
        lineterm="",
    )
    if kept != found:
        pytest.fail(
            "the message changed; if that is intended, run with UPDATE_SNAPSHOTS=1 and review:\n"
            + "\n".join(difference),
            pytrace=False,
        )


@pytest.mark.parametrize("folder", [GOLDEN, GOLDEN_TEXTS], ids=lambda folder: folder.name)
def test_every_golden_file_belongs_to_an_outcome(folder: Path) -> None:
    assert sorted(path.stem for path in folder.iterdir()) == sorted(OUTCOMES)


def one(notifications: dict[str, list[GoldenNotification]], outcome: str) -> GoldenNotification:
    (message,) = notifications[outcome]
    return message


def test_each_outcome_publishes_its_statuses(
    notifications: dict[str, list[GoldenNotification]],
) -> None:
    begins = {
        "success_": ["SUCCESS"],
        "partial_": ["PARTIAL_SUCCESS"],
        "partial_rejected_file": ["VALIDATION_FAILED", "PARTIAL_SUCCESS"],
        "validation_failed_": ["VALIDATION_FAILED"],
        "failed_": ["FAILED"],
        "failed_no_file_loaded": ["VALIDATION_FAILED", "FAILED"],  # one file was rejected before
        "finalizer_": ["FAILED"],
        "nothing_": [],
    }
    for outcome, messages in notifications.items():
        longest = max((begin for begin in begins if outcome.startswith(begin)), key=len)
        assert [message["status"] for message in messages] == begins[longest], outcome


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_stable_keys_come_first_and_in_order(
    notifications: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    for message in notifications[outcome]:
        promised = SUCCESS_KEYS if "SUCCESS" in message["status"] else FAILURE_KEYS
        assert list(message)[: len(promised) + 1] == [*promised, "schemaVersion"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_subject_and_attributes_name_the_outcome_within_the_limits_of_sns(
    notifications: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    for message in notifications[outcome]:
        assert message.subject.startswith(f"Taxi ETL {message['status']}: ")
        assert message.subject.isascii()
        assert message.subject.isprintable()
        assert len(message.subject) <= 100
        assert list(message.attributes) == ["status", "dataset"]
        assert message.attributes["status"] == {"DataType": "String", "StringValue": message["status"]}
        assert message.attributes["dataset"]["DataType"] == "String.Array"
        assert len(message.text.encode()) < 256 * 1024


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_texts_contain_no_json_and_no_details_of_the_sdk(
    notifications: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    for message in notifications[outcome]:
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
        ("finalizer_timed_out", "Taxi ETL FAILED: 3 files", ["green", "yellow"]),
        ("finalizer_input_is_invalid", "Taxi ETL FAILED: 0 files", ["unknown"]),
    ],
)
def test_a_subject_names_the_file_or_the_number_of_files(
    notifications: dict[str, list[GoldenNotification]], outcome: str, subject: str, datasets: list[str]
) -> None:
    message = one(notifications, outcome)

    assert message.subject == subject
    assert json.loads(message.attributes["dataset"]["StringValue"]) == datasets


STAY = "Rows from earlier versions of a file that did not load stay in the tables."
UNKNOWN = "The job left no result, so the files count as not loaded. Reloading them is safe."


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (
            "success_one_file",
            "Loaded yellow_tripdata_2024-01.parquet: 2,963,711 rows written, 913 quarantined.",
        ),
        (
            "success_several_files",
            "Loaded 2 of 3 files: 3,020,259 rows written, 916 quarantined. Superseded by newer versions: 1. "
            "The raw files were crawled, for at least 0.15 US dollars (ten minutes).",
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
            "Cannot load raw/taxi/green_tripdata_2013-08.parquet: the file is not Parquet but a ZIP archive "
            f"or an Excel workbook; upload the CSV file in it. {STAY}",
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
            "finalizer_timed_out",
            "The execution exceeded its time limit and was stopped. Files: 1 loaded, 1 rejected, 1 failed. "
            f"{STAY}",
        ),
        (
            "finalizer_success_unpublished",
            "The execution ended, but its notification could not be published: "
            "User is not authorized to perform: SNS:Publish. Files: 1 loaded.",
        ),
        (
            "finalizer_dead_batch_unpublished",
            "The execution ended, but its notification could not be published: "
            "User is not authorized to perform: SNS:Publish; the notification was about: "
            "SystemExit: process_taxi_data: SparkException: No space left on device. "
            f"Files: 2 failed. {STAY}",
        ),
    ],
)
def test_a_message_names_the_outcome_the_file_and_the_cause(
    notifications: dict[str, list[GoldenNotification]], outcome: str, text: str
) -> None:
    assert one(notifications, outcome)["message"] == text


def test_the_error_of_a_failed_job_run_is_its_error_line(
    notifications: dict[str, list[GoldenNotification]],
) -> None:
    assert one(notifications, "failed_job_run")["error"] == {
        "Error": "States.TaskFailed",
        "Cause": "SystemExit: process_taxi_data: SparkException: No space left on device",
    }


@pytest.mark.parametrize(
    ("outcome", "error", "cause"),
    [
        ("finalizer_timed_out", "TIMED_OUT", "The execution exceeded its time limit and was stopped"),
        ("finalizer_aborted", "Maintenance", "stopped by ann for maintenance"),
        ("finalizer_input_is_invalid", "ABORTED", "The execution was stopped by someone"),
    ],
)
def test_an_ending_without_error_or_cause_gets_a_text(
    notifications: dict[str, list[GoldenNotification]], outcome: str, error: str, cause: str
) -> None:
    assert one(notifications, outcome)["error"] == {"Error": error, "Cause": cause}


def test_rejected_files_are_reported_before_valid_ones_are_loaded(
    notifications: dict[str, list[GoldenNotification]],
) -> None:
    rejected, loaded = notifications["partial_rejected_file"]

    assert rejected.subject == "Taxi ETL VALIDATION_FAILED: 1 of 2 files"
    assert "1 other file is being loaded." in rejected["message"]
    assert loaded["message"].endswith(" Rejected, as reported before: 1.")
    assert "2 other files are being loaded." in notifications["failed_no_file_loaded"][0]["message"]


def test_at_most_twenty_rejected_files_are_listed_in_a_notification(
    notifications: dict[str, list[GoldenNotification]],
) -> None:
    message = one(notifications, "validation_failed_more_than_twenty_files")

    assert (len(message["files"]), message["filesOmitted"]) == (20, 3)
    assert "; and 20 more." in message["message"]  # the text names three


def test_every_file_that_did_not_load_has_reasons(
    notifications: dict[str, list[GoldenNotification]],
) -> None:
    found = {
        outcome: [
            reason["code"]
            for file in one(notifications, outcome)["files"]
            for reason in file.get("reasons", [])
        ]
        for outcome in (
            "validation_failed_several_reasons",
            "partial_two_failed_files",
            "finalizer_timed_out",
        )
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
        "finalizer_timed_out": ["run_timed_out", "not_parquet"],
    }


@pytest.mark.parametrize(
    ("partition", "region", "console"),
    [
        ("aws", "us-east-1", "https://us-east-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_an_email_links_to_the_console_of_the_partition(
    definition: dict[str, Any], partition: str, region: str, console: str
) -> None:
    outcome = Outcome(YELLOW).resulting(LOADED_YELLOW)
    executions = f"arn:{partition}:states:{region}:1:execution:m"
    given = json.loads(outcome.given.dumps())

    execution = interpret(definition, given, outcome.answers, name="run-1", arn_prefix=executions)

    (published,) = execution.published
    assert published.email.endswith(
        f"Execution: {console}/states/home?region={region}#/v2/executions/details/{executions}:run-1"
    )


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_email_is_plain_text_and_an_sms_one_line_of_ascii(
    notifications: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    for message in notifications[outcome]:
        assert not set("{}") & set(message.email), "no JSON"
        assert message.email.count("\n\nNext:\n") == 1
        assert message.sms.startswith(f"{message.subject}: ")
        assert message.sms.isascii()
        assert "\n" not in message.sms
        assert len(message.sms) <= 140


def chat_messages(chat_definition: dict[str, Any], outcome: str) -> list[Published]:
    """The messages of an outcome from a machine that also notifies chat channels, and always crawls."""
    wanted = WORKFLOW_OUTCOMES[outcome]()
    if "RunCrawlerUpdate" not in wanted.answers:
        wanted.crawled("SUCCEEDED")
    return wanted.execute(chat_definition).published


@pytest.mark.parametrize("outcome", WORKFLOW_OUTCOMES)
def test_a_chat_message_is_that_of_the_email(chat_definition: dict[str, Any], outcome: str) -> None:
    for message in chat_messages(chat_definition, outcome):
        assert json.loads(message.https) == json.loads(chat_text(message.subject, message.email))


def test_a_chat_message_equals_its_golden_file(chat_definition: dict[str, Any]) -> None:
    (message,) = chat_messages(chat_definition, "partial_failed_file")
    compare(GOLDEN.parent / "chat_message.json", [json.dumps(json.loads(message.https), indent=2) + "\n"])


def test_only_a_setting_changes_what_https_endpoints_receive(
    definition: dict[str, Any], chat_definition: dict[str, Any]
) -> None:
    states = ("NotifyValidationFailure", "NotifyRejectedFiles", "NotifyFailure", "NotifySuccess")
    for state in (*states, "NotifyPartialSuccess"):
        assert set(definition["States"][state]["Arguments"]["Message"]) == {"default", "email", "sms"}
        chat = chat_definition["States"][state]["Arguments"]["Message"]
        assert set(chat) == {"default", "email", "sms", "https"}
