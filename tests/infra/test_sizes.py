"""Tests that the state machine's data and messages stay within the limits of their services.

Keys have the maximum length in characters that grow most when escaped; columns and errors have long names.
Our own code produces the summaries. A state's data is measured with every character escaped, a message as
published.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from taxi_etl.batches import BatchLimits, batches
from taxi_etl.documents import FileResult
from taxi_etl.failures import VALIDATION_CODES, Failure, FailureCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import Trigger

from .workflow_interpreter import InterpretedExecution
from .workflow_notifications import BUCKET, Outcome, died

STATE_MAX = SNS_MAX = 256 * 1024
LETTERS = {"three bytes": "€", "quotes": '"', "backslashes": "\\", "control": "\x01", "four bytes": "🚕"}


@pytest.fixture
def definition(chat_definition: dict[str, Any]) -> dict[str, Any]:
    """The state machine that publishes the most texts."""
    return chat_definition


@pytest.fixture(params=list(LETTERS))
def letter(request: pytest.FixtureRequest) -> str:
    """The character that keys, columns and errors consist of."""
    return LETTERS[request.param]


def files(letter: str) -> list[FileVersion]:
    """The files of the largest execution that the orchestrator starts, with the longest keys of S3."""
    room = 1024 - len("raw/taxi/00.csv")
    name = letter * (room // len(letter.encode()))
    burst = [
        FileVersion(BUCKET, f"raw/taxi/{name}{number:02}.csv", f"{number:032}", 10**12, "e" * 34, "0" * 32)
        for number in range(99)
    ]
    groups = batches(burst, BatchLimits(99, 10**15), Trigger.S3)
    return list(max(groups, key=len))


def results(letter: str, found: list[FileVersion], status: FileStatus) -> list[FileResult]:
    """The job's results for files with ten thousand new columns, all columns missing and all rules broken."""
    columns = tuple(f"{letter * 300}{number}" for number in range(10_000))
    reasons = {f"reason_{number:02}_of_a_rule_with_a_long_name": 10**9 for number in range(30)}
    loud = letter * 32_768 if status is FileStatus.FAILED else ""
    failure = Failure(FailureCode.TOO_MANY_QUARANTINED, loud) if loud else None
    whole = FileResult(
        found[0],
        status,
        "fhvhv",
        "v" * 40,
        read=10**9,
        written=10**9,
        quarantined=10**9,
        reasons=reasons,
        new_columns=columns,
        missing_columns=("airport_fee",) * 30,
        columns_left_out=((letter * 300, letter * 300),) * 100,
        failure=failure,
    )
    return [replace(whole, version=version) for version in found]


def check(execution: InterpretedExecution) -> None:
    """Assert that nothing in this execution exceeds the limit of its service."""
    for state, sent in execution.arguments.items():
        for arguments in sent:
            assert size(arguments) < STATE_MAX, f"{state} sends {size(arguments)} bytes"
    for name, value in execution.variables.items():
        assert size(value) < STATE_MAX, f"${name} holds {size(value)} bytes"
    assert sum(map(size, execution.variables.values())) < STATE_MAX, "one Assign may set them all"
    assert size(execution.output) < STATE_MAX
    for message in execution.published:
        attributes = size(message.attributes)
        texts = {"default": message.text, "email": message.email, "sms": message.sms, "https": message.https}
        assert size(texts) + len(message.subject) + attributes < SNS_MAX
        assert len(message.sms) <= 140
        assert message.sms.isascii()
        assert len(message.subject) <= 100
        assert message.subject.isascii()


def size(value: Any) -> int:
    """The size of a value's JSON in bytes, with characters beyond ASCII escaped."""
    return len(json.dumps(value))


def test_a_full_batch_that_loaded_stays_within_the_limits(definition: dict[str, Any], letter: str) -> None:
    found = files(letter)
    outcome = Outcome(*found).resulting(*results(letter, found, FileStatus.LOADED), changed=True)

    execution = outcome.crawled("FAILED", letter * 2048).execute(definition)

    assert execution.published[-1].message["status"] == "PARTIAL_SUCCESS"
    check(execution)


def test_a_full_batch_that_failed_stays_within_the_limits(definition: dict[str, Any], letter: str) -> None:
    found = files(letter)

    execution = Outcome(*found).resulting(*results(letter, found, FileStatus.FAILED)).execute(definition)

    assert execution.published[-1].message["status"] == "FAILED"
    check(execution)


def test_a_full_batch_that_was_rejected_stays_within_the_limits(
    definition: dict[str, Any], letter: str
) -> None:
    reasons = tuple(Failure(code, letter * 5_000) for code in VALIDATION_CODES)

    execution = Outcome(rejected=dict.fromkeys(files(letter), reasons)).execute(definition)

    assert execution.published[-1].message["status"] == "VALIDATION_FAILED"
    check(execution)


def test_the_longest_error_of_a_job_stays_within_the_limits(definition: dict[str, Any], letter: str) -> None:
    found = files(letter)
    error, cause = died("FAILED", letter * 5_000)

    execution = Outcome(*found).raising("RunGlueETLJob", error, cause[:32_768]).execute(definition)

    assert execution.published[-1].message["status"] == "FAILED"
    check(execution)


def test_the_longest_error_of_the_function_stays_within_the_limits(
    definition: dict[str, Any], letter: str
) -> None:
    cause = json.dumps(
        {"errorMessage": letter * 4_000, "errorType": "RuntimeError", "stackTrace": [letter] * 100}
    )

    execution = (
        Outcome(*files(letter)).raising("ValidateInput", "RuntimeError", cause[:32_768]).execute(definition)
    )

    assert execution.published[-1].message["status"] == "VALIDATION_FAILED"
    check(execution)
