"""Can anything the state machine carries or publishes pass a limit? Its own expressions, with long names.

Files have keys of 1024 bytes of what grows most, errors and columns the longest names; they come out of our
own code, as in a real execution. A state's data is measured with every character escaped, a message as sent.
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

from .workflow_interpreter import Walk
from .workflow_notifications import BUCKET, Outcome, died

STATE_MAX = SNS_MAX = 256 * 1024
LETTERS = {"three bytes": "€", "quotes": '"', "backslashes": "\\", "control": "\x01", "four bytes": "🚕"}


@pytest.fixture(params=list(LETTERS))
def letter(request: pytest.FixtureRequest) -> str:
    """What keys, columns and errors are made of."""
    return LETTERS[request.param]


def files(letter: str) -> list[FileVersion]:
    """The files of the largest execution that the orchestrator starts; keys are as long as S3 allows."""
    room = 1024 - len("raw/taxi/00.csv")
    name = letter * (room // len(letter.encode()))
    burst = [
        FileVersion(BUCKET, f"raw/taxi/{name}{number:02}.csv", f"{number:032}", 10**12, "e" * 34, "0" * 32)
        for number in range(99)
    ]
    groups = batches(burst, BatchLimits(99, 10**15), Trigger.S3)
    return list(max(groups, key=len))


def results(letter: str, found: list[FileVersion], status: FileStatus) -> list[FileResult]:
    """What the job says of files with ten thousand new columns, every one missing, every rule broken."""
    columns = tuple(f"{letter * 300}{number}" for number in range(10_000))
    reasons = {f"reason_{number:02}_of_a_rule_with_a_long_name": 10**9 for number in range(30)}
    loud = letter * 32_768 if status is FileStatus.FAILED else ""
    failure = Failure(FailureCode.TOO_MANY_QUARANTINED, loud) if loud else None
    whole = FileResult(
        found[0],
        status,
        "fhvhv",
        "v" * 40,
        10**9,
        10**9,
        10**9,
        reasons,
        columns,
        ("airport_fee",) * 30,
        failure,
    )
    return [replace(whole, version=version) for version in found]


def check(walk: Walk) -> None:
    """Nothing on this execution's way is larger than its service takes."""
    for state, sent in walk.arguments.items():
        for arguments in sent:
            assert size(arguments) < STATE_MAX, f"{state} sends {size(arguments)} bytes"
    for name, value in walk.variables.items():
        assert size(value) < STATE_MAX, f"${name} holds {size(value)} bytes"
    assert sum(map(size, walk.variables.values())) < STATE_MAX, "one Assign may set them all"
    assert size(walk.output) < STATE_MAX
    for message in walk.published:
        attributes = size(message.attributes)
        assert len(message.text.encode()) + len(message.subject) + attributes < SNS_MAX
        assert len(message.subject) <= 100
        assert message.subject.isascii()


def size(value: Any) -> int:
    """The bytes of a value's JSON, every character beyond ASCII escaped."""
    return len(json.dumps(value))


def test_a_whole_batch_that_loaded_is_told_of(definition: dict[str, Any], letter: str) -> None:
    found = files(letter)
    outcome = Outcome(*found).resulting(*results(letter, found, FileStatus.LOADED), changed=True)

    walk = outcome.crawled("FAILED", letter * 2048).walk(definition)

    assert walk.published[-1].message["status"] == "PARTIAL_SUCCESS"
    check(walk)


def test_a_whole_batch_that_failed_is_told_of(definition: dict[str, Any], letter: str) -> None:
    found = files(letter)

    walk = Outcome(*found).resulting(*results(letter, found, FileStatus.FAILED)).walk(definition)

    assert walk.published[-1].message["status"] == "FAILED"
    check(walk)


def test_a_whole_batch_that_was_rejected_is_told_of(definition: dict[str, Any], letter: str) -> None:
    reasons = tuple(Failure(code, letter * 5_000) for code in VALIDATION_CODES)

    walk = Outcome(rejected=dict.fromkeys(files(letter), reasons)).walk(definition)

    assert walk.published[-1].message["status"] == "VALIDATION_FAILED"
    check(walk)


def test_the_longest_error_of_a_job_is_told_of(definition: dict[str, Any], letter: str) -> None:
    found = files(letter)
    error, cause = died("FAILED", letter * 5_000)

    walk = Outcome(*found).raising("RunGlueETLJob", error, cause[:32_768]).walk(definition)

    assert walk.published[-1].message["status"] == "FAILED"
    check(walk)


def test_the_longest_error_of_the_function_is_told_of(definition: dict[str, Any], letter: str) -> None:
    cause = json.dumps(
        {"errorMessage": letter * 4_000, "errorType": "RuntimeError", "stackTrace": [letter] * 100}
    )

    walk = Outcome(*files(letter)).raising("ValidateInput", "RuntimeError", cause[:32_768]).walk(definition)

    assert walk.published[-1].message["status"] == "VALIDATION_FAILED"
    check(walk)
