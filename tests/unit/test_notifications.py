"""Tests of the finalizer's notifications and of the texts that all notifications share."""

import json
from typing import Any

import pytest

from taxi_etl.documents import shorten
from taxi_etl.notifications import (
    Status,
    attributes,
    crawl_again,
    failure,
    failure_next_step,
    failure_text,
    history_step,
    label,
    next_step,
    printed,
    sentence,
    subject,
)

ARN = "arn:aws:states:eu-west-1:123456789012:execution:etl-pipeline-workflow:nightly"
FACTS: dict[str, Any] = {
    "text": "The execution was stopped by someone.",
    "bucket": "lake",
    "keys": ["raw/taxi/a.csv"],
    "error": "ABORTED",
    "cause": "by ann",
    "timestamp": "2024-06-01T12:00:00.000Z",
    "execution_arn": ARN,
    "files": [{"key": "raw/taxi/a.csv", "status": "failed"}],
    "manifest": "s3://lake/runs/etl-pipeline-workflow/nightly/manifest.json",
    "next_step": "See more: `taxi-etl history nightly`.",
}


def test_a_failure_message_has_the_agreed_keys_in_their_order() -> None:
    message = failure(**FACTS)
    assert list(message) == [
        "status",
        "message",
        "bucket",
        "key",
        "error",
        "timestamp",
        "workflowExecutionId",
        "schemaVersion",
        "files",
        "filesOmitted",
        "manifest",
        "nextStep",
    ]
    assert message["status"] == "FAILED"
    assert message["key"] == "raw/taxi/a.csv"
    assert message["error"] == {"Error": "ABORTED", "Cause": "by ann"}
    assert message["workflowExecutionId"] == ARN
    assert message["nextStep"] == "See more: `taxi-etl history nightly`."
    assert (message["files"], message["filesOmitted"]) == (FACTS["files"], 0)


@pytest.mark.parametrize("keys", [[], ["raw/taxi/a.csv", "raw/taxi/b.csv"]])
def test_the_key_is_null_unless_there_is_exactly_one(keys: list[str]) -> None:
    assert failure(**{**FACTS, "keys": keys})["key"] is None


@pytest.mark.parametrize(("files", "listed", "omitted"), [(20, 20, 0), (21, 20, 1), (99, 20, 79)])
def test_at_most_twenty_files_are_listed(files: int, listed: int, omitted: int) -> None:
    message = failure(**{**FACTS, "files": [{"key": str(number)} for number in range(files)]})
    assert (len(message["files"]), message["filesOmitted"]) == (listed, omitted)
    assert message["files"][0] == {"key": "0"}


def test_a_message_fits_sns_however_long_its_texts_are() -> None:
    files = [{"key": "\U0001f695" * 300, "reasons": ["\x00" * 300] * 14} for _ in range(99)]
    message = failure(**{**FACTS, "files": files, "cause": "\x00" * 1_000_000, "keys": ["語" * 341]})
    assert len(printed(message).encode()) <= 262_144
    assert 0 < len(message["files"]) < 20
    assert message["filesOmitted"] == 99 - len(message["files"])
    assert len(message["error"]["Cause"]) == 2_000


def test_a_failure_without_bucket_or_cause_is_published() -> None:
    message = failure(**{**FACTS, "bucket": "", "cause": ""})
    assert message["bucket"] is None
    assert message["error"] == {"Error": "ABORTED", "Cause": "AWS named no cause"}


def test_a_message_that_cannot_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="larger than its limit"):
        failure(**{**FACTS, "text": "x" * 262_144})


def test_a_message_is_printed_for_people() -> None:
    assert printed({"status": "FAILED", "key": "ü"}) == '{\n  "status": "FAILED",\n  "key": "\\u00fc"\n}'
    assert json.loads(printed(failure(**FACTS))) == failure(**FACTS)


COUNTS = {"files": 4, "loaded": 1, "rejected": 0, "superseded": 1, "failed": 2}


@pytest.mark.parametrize(
    ("status", "error", "cause", "begins"),
    [
        ("TIMED_OUT", "", "", "The execution exceeded its time limit and was stopped."),
        ("ABORTED", "", "by ann", "The execution was stopped by someone: by ann."),
        (
            "FAILED",
            "States.Runtime",
            "'Choices[0]' is not a boolean.",
            "The execution failed before it could publish its outcome: 'Choices[0]' is not a boolean.",
        ),
        (
            "FAILED",
            "NotificationFailed",
            "denied",
            "The execution ended, but its notification could not be published: denied.",
        ),
    ],
)
def test_the_text_names_the_ending_the_cause_and_the_files(
    status: str, error: str, cause: str, begins: str
) -> None:
    assert failure_text(status, error, cause, COUNTS) == (
        f"{begins} Files: 1 loaded, 1 superseded, 2 failed."
        " Rows from earlier versions of a file that did not load stay in the tables."
    )


def test_the_text_stays_readable_however_long_the_cause_is() -> None:
    assert len(failure_text("FAILED", "Odd", "x" * 30_000, COUNTS)) < 2_300


def test_earlier_rows_are_not_mentioned_when_all_files_loaded() -> None:
    counts = {"files": 1, "loaded": 1, "rejected": 0, "superseded": 0, "failed": 0}
    assert failure_text("FAILED", "NotificationFailed", "", counts).endswith("Files: 1 loaded.")


def test_an_execution_without_files_has_a_text() -> None:
    counts = {"files": 0, "loaded": 0, "rejected": 0, "superseded": 0, "failed": 0}
    assert failure_text("FAILED", "", "", counts).endswith("Files: none.")


def test_attributes_allow_filters_by_outcome_and_dataset() -> None:
    assert attributes(Status.FAILED, ["yellow", "green", "", "green"]) == {
        "status": {"DataType": "String", "StringValue": "FAILED"},
        "dataset": {"DataType": "String.Array", "StringValue": '["green", "yellow"]'},
    }
    assert attributes(Status.FAILED, ["", ""])["dataset"]["StringValue"] == '["unknown"]'


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["raw/taxi/a.csv"], "a.csv"),
        (["raw/taxi/größe\n語.csv"], "gr??e??.csv"),
        (["raw/taxi/"], "raw/taxi/"),
        ([], "0 files"),
        (["a", "b"], "2 files"),
        (["x/" + "a" * 60], "a" * 60),
        (["x/" + "a" * 40 + "b" * 40], "a" * 28 + "..." + "b" * 29),
    ],
)
def test_a_label_is_short_and_ascii(keys: list[str], expected: str) -> None:
    assert label(keys) == expected
    assert len(label(keys)) <= 60


def test_a_subject_names_outcome_and_file_in_at_most_100_characters() -> None:
    assert subject(Status.FAILED, "a.csv") == "Taxi ETL FAILED: a.csv"
    longest = subject(Status.VALIDATION_FAILED, label(["k" * 1_024]))
    assert len(longest) <= 100
    assert longest.endswith("k")
    assert len(subject(Status.FAILED, "x" * 200)) == 100


def test_the_next_step_is_two_commands() -> None:
    assert history_step("taxi-etl", "e1") == "See more: `taxi-etl history e1`."
    assert next_step("taxi-etl", "e1") == (
        "See more: `taxi-etl history e1`. "
        "When the cause is gone, load the files again: `taxi-etl replay --execution e1`."
    )


@pytest.mark.parametrize(
    ("ways", "replay", "begins"),
    [
        ({"failed": 1}, True, "See more"),
        ({"rejected": 1}, True, "See more"),
        ({"loaded": 1}, False, "No file needs to be loaded again. See more"),
        ({"superseded": 1}, False, "No file needs to be loaded again. See more"),
        ({}, False, "See more"),
    ],
)
def test_a_replay_is_advised_where_a_file_is_left(ways: dict[str, int], replay: bool, begins: str) -> None:
    none = {"loaded": 0, "rejected": 0, "superseded": 0, "failed": 0}
    advice = failure_next_step("taxi-etl", "e1", {"files": sum(ways.values()), **none, **ways})
    assert ("replay --execution e1" in advice) is replay
    assert advice.startswith(begins)


def test_a_failed_crawl_can_be_repeated_with_the_aws_command() -> None:
    assert crawl_again("crawler-taxi-raw").endswith("`aws glue start-crawler --name crawler-taxi-raw`.")


@pytest.mark.parametrize("text", ["so it is", "so it is.", "so it is. \n", "so it is..."])
def test_a_sentence_ends_with_one_period(text: str) -> None:
    assert sentence(text) == "so it is."


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("abcde", 5, "abcde"), ("abcdef", 5, "ab…ef"), ("abcdefg", 6, "abc…fg"), ("", 5, "")],
)
def test_long_texts_lose_their_middle(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected
