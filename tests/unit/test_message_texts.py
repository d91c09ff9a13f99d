"""Tests of the texts of notifications for people."""

import json
from typing import Any

import pytest

from taxi_etl.console import execution_url
from taxi_etl.documents import AcceptedFile, FileResult, JobResult, Manifest, RejectedFile, SupersededFile
from taxi_etl.failures import Failure, FailureCode, FileWarning, WarningCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.message_texts import FILES_MAX_BYTES, chat_text, email_text, files_text, per_protocol, sms_text
from taxi_etl.outcome_texts import files_without_result, job_parts, rejection_parts

EMPTY = {"code": "empty", "message": "the file is empty (0 bytes)"}
CONFLICT = {"code": "conflict", "message": "execution b loads it"}
EARLIER_ROWS = "Rows from earlier versions of a file that did not load stay in the tables."


def loaded(key: str = "raw/taxi/a.csv", **more: Any) -> dict[str, Any]:
    rows = {"read": 1_500, "written": 1_200, "quarantined": 300}
    return {"key": key, "status": "loaded", "dataset": "green", "rows": rows, **more}


def test_an_email_has_its_parts_in_order() -> None:
    text = email_text(
        "Loaded a.csv.",
        files="Files:\n- a.csv: loaded",
        facts="The execution took 3 s.",
        next_step="See more: `taxi-etl history a`. To load it again: `taxi-etl replay --execution a`.",
        link="https://console",
    )
    assert text == (
        "Loaded a.csv.\n"
        "\n"
        "Files:\n"
        "- a.csv: loaded\n"
        "\n"
        "Time and cost: The execution took 3 s.\n"
        "\n"
        "Next:\n"
        "See more: `taxi-etl history a`.\n"
        "To load it again: `taxi-etl replay --execution a`.\n"
        "\n"
        "Execution: https://console"
    )


def test_an_email_leaves_out_empty_parts_and_keeps_the_outcome_on_one_line() -> None:
    assert email_text("It failed:\n\n  why\x07", next_step="Wait.") == "It failed: why?\n\nNext:\nWait."


def test_a_loaded_file_has_its_counts_table_and_warnings() -> None:
    rows = {
        "read": 1_500,
        "written": 1_200,
        "quarantined": 300,
        "reasons": {"negative_duration": 200, "unknown_location": 1_000},
    }
    warnings = [{"code": "same_trips", "message": "old.csv has the same trips"}]
    assert files_text("lake", [loaded(rows=rows, warnings=warnings)]) == (
        "Files:\n"
        "- a.csv: loaded 1,200 rows into green_trips, quarantined 300 "
        "(negative_duration 200, unknown_location 1,000)\n"
        "  Warning: old.csv has the same trips"
    )


def test_a_file_in_another_folder_is_listed_with_its_folder() -> None:
    files = [loaded("raw/taxi/2024/a.csv"), {"key": "old/b.csv", "status": "superseded"}]
    assert files_text("lake", files) == (
        "Files:\n"
        "- a.csv in raw/taxi/2024/: loaded 1,200 rows into green_trips, quarantined 300\n"
        "- b.csv in old/: a newer version replaced it"
    )


def test_files_that_did_not_load_come_first_with_reason_object_and_fix() -> None:
    files = [
        loaded(),
        {"key": "raw/taxi/b.csv", "reasons": [EMPTY, CONFLICT]},
        {
            "key": "raw/taxi/c.csv",
            "status": "failed",
            "reasons": [CONFLICT],
            "example": "negative in fare=-1",
        },
    ]
    assert files_text("lake", files).splitlines() == [
        "Files:",
        "- c.csv: failed: execution b loads it",
        "  Example: negative in fare=-1",
        "  Object: s3://lake/raw/taxi/c.csv",
        "  To fix it: wait until no other execution loads it; then replay it.",
        "- b.csv: rejected: the file is empty (0 bytes); and execution b loads it",
        "  Object: s3://lake/raw/taxi/b.csv",
        "  To fix it: download the file again, and wait until no other execution loads it; "
        "then upload it under the same key. It loads automatically.",
        "- a.csv: loaded 1,200 rows into green_trips, quarantined 300",
    ]


def test_a_fix_is_not_repeated_for_the_next_file() -> None:
    files = [{"key": f"raw/taxi/{name}.csv", "reasons": [EMPTY]} for name in "ab"]
    assert files_text("lake", files).count("To fix it") == 1


def test_an_email_lists_ten_files() -> None:
    files = [loaded(f"raw/taxi/{number}.csv") for number in range(12)]
    lines = files_text("lake", files, omitted=3).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "- and 5 more"
    assert files_text("lake", files[:10]).splitlines()[-1].startswith("- 9.csv: loaded")


def test_there_is_no_list_without_files() -> None:
    assert files_text("lake", []) == ""


@pytest.mark.parametrize("letter", ["€", '"', "\\", "\x01", "🚕", "a"])
def test_the_list_of_files_stays_within_its_limit(letter: str) -> None:
    reasons = [{"code": "unreadable", "message": letter * 30_000}] * 5
    files = [{"key": letter * 1_024, "status": "failed", "reasons": reasons}] * 30
    text = files_text("lake", files)
    assert len(json.dumps(text)) <= FILES_MAX_BYTES
    assert " more" in text


def test_a_key_cannot_add_lines_to_an_email() -> None:
    key = "raw/taxi/a\n\nNext:\nrun this\u202e.csv"
    lines = files_text("lake", [{"key": key, "reasons": [EMPTY]}]).splitlines()
    assert lines[1:3] == [
        "- a Next: run this?.csv: rejected: the file is empty (0 bytes)",
        "  Object: s3://lake/raw/taxi/a Next: run this?.csv",
    ]


def test_an_sms_is_one_line_of_140_ascii_characters() -> None:
    assert sms_text("Taxi ETL SUCCESS: a.csv", "5 rows") == "Taxi ETL SUCCESS: a.csv: 5 rows"
    assert sms_text("S", "naïve\ntext") == "S: na?ve?text"
    assert sms_text("S", "x" * 137) == "S: " + "x" * 137
    assert sms_text("S", "x" * 138) == "S: " + "x" * 134 + "..."


def test_a_publication_has_a_text_for_each_protocol() -> None:
    texts = {"default": "{}", "email": "mail", "sms": "S: short"}
    assert json.loads(per_protocol("{}", "S", "mail", "short", chat=False)) == texts
    chat = {**texts, "https": chat_text("S", "mail")}
    assert json.loads(per_protocol("{}", "S", "mail", "short", chat=True)) == chat


def test_a_chat_message_has_the_parts_of_the_email() -> None:
    email = email_text(
        "It failed.", facts="3 s.", next_step="See more: `a`. Again: `b`.", link="https://console"
    )
    assert json.loads(chat_text("Taxi ETL FAILED: a.csv", email)) == {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": "Taxi ETL FAILED: a.csv",
            "description": "It failed.\n\nTime and cost: 3 s.",
            "nextSteps": ["See more: `a`.", "Again: `b`.", "Execution: https://console"],
        },
    }


def test_a_chat_message_has_a_limit() -> None:
    content = json.loads(chat_text("S", "x" * 3_000))["content"]
    assert content == {
        "textType": "client-markdown",
        "title": "S",
        "description": "x" * 2_000,
        "nextSteps": [],
    }


@pytest.mark.parametrize(
    ("partition", "region", "console"),
    [
        ("aws", "eu-west-1", "https://eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_the_link_is_in_the_console_of_the_partition(partition: str, region: str, console: str) -> None:
    arn = f"arn:{partition}:states:{region}:123456789012:execution:m:nightly"
    assert execution_url(arn) == f"{console}/states/home?region={region}#/v2/executions/details/{arn}"


def version(name: str) -> FileVersion:
    return FileVersion("lake", f"raw/taxi/{name}.csv", f"v-{name}", 10, "e", "0A")


def manifest(accepted: str = "", rejected: str = "", superseded: str = "") -> Manifest:
    reason = Failure(FailureCode.UNREADABLE_VALUES, "fare_amount has 'abc' in line 7")
    return Manifest(
        "nightly",
        "lake",
        "s3",
        tuple(AcceptedFile(version(name), "green", "csv", ()) for name in accepted),
        tuple(RejectedFile(version(name), (reason,)) for name in rejected),
        tuple(SupersededFile(version(name)) for name in superseded),
    )


def keys(found: Manifest) -> list[str]:
    return [file.version.key for file in (*found.accepted, *found.rejected, *found.superseded)]


def rejection(found: Manifest) -> dict[str, Any]:
    return rejection_parts(found, keys(found))


def job(found: Manifest, *files: FileResult) -> dict[str, Any]:
    return job_parts(JobResult("nightly", "lake", "jr_1", files, False), found, keys(found))


@pytest.mark.parametrize(
    ("found", "outcome", "brief"),
    [
        (manifest(rejected="r"), "Rejected r.csv; nothing was loaded.", "unreadable_values"),
        (manifest(rejected="rs"), "Rejected 2 files; nothing was loaded.", "unreadable_values and 1 more"),
        (
            manifest(accepted="a", rejected="r"),
            "Rejected 1 of 2 files; 1 other file is being loaded.",
            "unreadable_values",
        ),
        (
            manifest(accepted="ab", rejected="r"),
            "Rejected 1 of 3 files; 2 other files are being loaded.",
            "unreadable_values",
        ),
    ],
)
def test_a_rejection_begins_with_the_number_of_files(found: Manifest, outcome: str, brief: str) -> None:
    parts = rejection(found)
    assert (parts["email"]["outcome"], parts["brief"]) == (f"{outcome} {EARLIER_ROWS}", brief)


def test_a_rejection_names_the_value_seen() -> None:
    lines = rejection(manifest(rejected="r"))["email"]["files"].splitlines()
    assert lines[1] == "- r.csv: rejected: fare_amount has 'abc' in line 7"


def test_without_a_rejection_there_are_no_texts() -> None:
    assert rejection(manifest(accepted="a")) == {"email": None, "brief": None}


FAILED = FileResult(
    version("a"),
    FileStatus.FAILED,
    "green",
    failure=Failure(FailureCode.TOO_MANY_QUARANTINED, "9 of 9 rows failed validation"),
    examples=(
        {"reasons": ["negative_duration", "unknown_location"], "row": {"pickup": "b", "dropoff": "a"}},
    ),
)
LOADED = FileResult(version("b"), FileStatus.LOADED, "green", read=9, written=1_008, quarantined=1)


@pytest.mark.parametrize(
    ("found", "files", "outcome", "brief"),
    [
        (
            manifest(accepted="b"),
            [LOADED],
            "Loaded b.csv: 1,008 rows written, 1 quarantined.",
            "1,008 rows written, 1 quarantined",
        ),
        (
            manifest(accepted="ab", rejected="r", superseded="s"),
            [FAILED, LOADED],
            "Loaded 1 of 4 files: 1,008 rows written, 1 quarantined. "
            "Not loaded: 1 failed, 1 rejected, 1 superseded by newer versions.",
            "1,008 rows written, 1 quarantined, 1 failed, 1 rejected",
        ),
        (manifest(accepted="a"), [FAILED], f"Could not load a.csv. {EARLIER_ROWS}", "too_many_quarantined"),
        (
            manifest(accepted="a", rejected="r"),
            [FAILED],
            f"Could not load any of 2 files: 1 failed, 1 rejected. {EARLIER_ROWS}",
            "too_many_quarantined",
        ),
    ],
)
def test_a_load_begins_with_its_outcome(
    found: Manifest, files: list[FileResult], outcome: str, brief: str
) -> None:
    parts = job(found, *files)
    assert (parts["email"]["outcome"], parts["brief"]) == (outcome, brief)


def test_a_load_lists_every_file_with_an_example_of_bad_rows() -> None:
    warned = FileResult(
        version("w"),
        FileStatus.LOADED,
        "green",
        warnings=(FileWarning(WarningCode.SAME_TRIPS, "seen before"),),
    )
    parts = job(manifest(accepted="abw", rejected="r", superseded="s"), LOADED, warned, FAILED)
    assert parts["email"]["files"].splitlines() == [
        "Files:",
        "- a.csv: failed: 9 of 9 rows failed validation",
        "  Example: negative_duration, unknown_location in pickup=b, dropoff=a",
        "  Object: s3://lake/raw/taxi/a.csv",
        "  To fix it: look at its rows in quarantined_trips and correct the file; "
        "then upload it under the same key. It loads automatically.",
        "- r.csv: rejected: fare_amount has 'abc' in line 7",
        "  Object: s3://lake/raw/taxi/r.csv",
        "  To fix it: correct values such as the example in the reason; "
        "then upload it under the same key. It loads automatically.",
        "- b.csv: loaded 1,008 rows into green_trips, quarantined 1",
        "- w.csv: loaded 0 rows into green_trips, quarantined 0",
        "  Warning: seen before",
        "- s.csv: a newer version replaced it",
    ]


def test_a_job_without_a_result_lists_its_files_as_failed() -> None:
    lines = files_without_result(manifest(accepted="a", rejected="r")).splitlines()
    assert [line for line in lines if line.startswith("- ")] == [
        "- a.csv: failed",
        "- r.csv: rejected: fare_amount has 'abc' in line 7",
    ]
