"""Tests that nothing exceeds its service's size limit, with the longest names that S3 allows.

Inputs, items, answers and messages are built from 99 files whose keys fill 1024 bytes with the characters
that grow most: three-byte characters in UTF-8, control characters and quotes where JSON escapes them.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fakes.dynamodb import item_bytes
from fakes.step_functions import INPUT_MAX_BYTES as STEP_FUNCTIONS_INPUT_MAX
from fakes.step_functions import MACHINE, Execution

from invariants.fake_workflow import LAKE
from invariants.simulated_account import HEADER, SimulatedAccount
from taxi_etl.documents import AcceptedFile, FileResult, JobResult, Manifest, RejectedFile
from taxi_etl.failures import VALIDATION_CODES, Failure, FailureCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import INPUT_MAX_BYTES, InvalidInputError, parse_input
from taxi_etl.names import manifest_key, result_key
from taxi_etl.schema import text_columns

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

KIB = 1024
STATE_MAX = 256 * KIB
"""Step Functions' limit for a state's input, output and variables, and for an event of the history."""
LAMBDA_MAX = 6 * KIB * KIB
SNS_MAX = 256 * KIB
ITEM_MAX = 400 * KIB
TRANSACTION_MAX = 4 * KIB * KIB
LETTERS = {"three bytes": "€", "quotes": '"', "backslashes": "\\", "control": "\x01", "four bytes": "🚕"}
LONG_BUCKET = "b" * 63
LONG_ID = "v" * 1024


@pytest.fixture(params=list(LETTERS))
def letter(request: pytest.FixtureRequest) -> str:
    """The character that fills the keys."""
    return LETTERS[request.param]


@pytest.fixture
def account() -> Iterator[SimulatedAccount]:
    """An empty account."""
    account = SimulatedAccount(batch_max_files=99)
    yield account
    account.close()


def longest(letter: str, number: int) -> str:
    """Return a key of 1024 bytes, or slightly less when the characters do not divide evenly."""
    start, end = "raw/taxi/", f"{number:02}.csv"
    return start + letter * ((1024 - len(start + end)) // len(letter.encode())) + end


def version(letter: str, number: int, bucket: str = LONG_BUCKET) -> FileVersion:
    identity = f"{number:02}{LONG_ID}"[:1024]
    return FileVersion(bucket, longest(letter, number), identity, 10**12, "e" * 34, "0" * 32)


def as_many_as_fit(letter: str) -> tuple[tuple[FileVersion, ...], str]:
    """Return the files of the largest input that Step Functions accepts, at most 99, and the input."""
    files = [version(letter, number, LAKE) for number in range(99)]
    while True:
        entries = [{"key": file.key, "versionId": file.version_id} for file in files]
        text = json.dumps({"bucket": LAKE, "files": entries}, ensure_ascii=False)
        if len(text.encode()) <= STEP_FUNCTIONS_INPUT_MAX:
            return tuple(files), text
        files.pop()


def message(file: FileVersion, number: int) -> dict[str, str]:
    described = {"key": file.key.replace("%", "%25").replace("+", "%2B"), "versionId": file.version_id}
    described |= {"size": 1, "eTag": file.etag, "sequencer": file.sequencer}  # type: ignore[dict-item]
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": file.bucket}, "object": described}}
    return {"messageId": f"m{number}", "body": json.dumps({"Records": [record]})}


def largest(account: SimulatedAccount) -> dict[str, int]:
    """Return the sizes of the largest input and of the largest ledger item, in bytes."""
    return {
        "input": max(len(execution.input.encode()) for execution in account.states.executions.values()),
        "item": max(item_bytes(item) for item in account.ledger.items.values()),
    }


def test_a_burst_of_the_longest_keys_is_claimed_and_started(account: SimulatedAccount, letter: str) -> None:
    files = [version(letter, number) for number in range(99)]
    account.queue = [message(file, number) for number, file in enumerate(files)]

    account.deliver(account.queue)

    assert not account.queue
    for file in files:
        assert account.ledger.item(f"{LONG_BUCKET}/{file.key}", file.version_id)["status"] == "running"
    assert largest(account)["input"] < INPUT_MAX_BYTES
    assert largest(account)["item"] < ITEM_MAX
    for sent in account.ledger.arguments("transact_write_items"):
        actions = sent["TransactItems"]
        assert len(actions) <= 100
        assert len(json.dumps(actions).encode()) < TRANSACTION_MAX


@pytest.mark.parametrize("outcome", ["failed", "rejected"])
def test_the_largest_manual_execution_is_closed_within_all_limits(
    account: SimulatedAccount, letter: str, outcome: str
) -> None:
    """Each file has the longest error, and the execution the longest cause."""
    files, text = as_many_as_fit(letter)
    assert len(text.encode()) > INPUT_MAX_BYTES, "only a manual input is this large"
    long_text = letter * 32_768
    account.states.start_execution(stateMachineArn=MACHINE, name="n" * 80, input=text)
    result = JobResult(
        "n" * 80,
        LAKE,
        "jr_1",
        tuple(
            FileResult(file, FileStatus.FAILED, "fhvhv", failure=Failure(FailureCode.UNREADABLE, long_text))
            for file in files
        ),
        schema_changed=True,
    )
    reasons = tuple(Failure(code, long_text) for code in VALIDATION_CODES)
    accepted = tuple(_accepted(file) for file in files) if outcome == "failed" else ()
    rejected = tuple(RejectedFile(file, reasons) for file in files) if outcome == "rejected" else ()
    manifest = Manifest("n" * 80, LAKE, "manual", accepted, rejected)
    account.s3.upload(LAKE, manifest_key("n" * 80), manifest.dumps().encode(), "m1")
    account.s3.upload(LAKE, result_key("n" * 80), result.dumps().encode(), "r1")
    sent: list[dict[str, Any]] = []
    account.patches.setattr(account.topic, "publish", lambda **arguments: sent.append(arguments))
    account.states.end("n" * 80, "FAILED", "E" * 256, long_text)

    account.pass_time(minutes=20)
    account.reconcile()

    (published,) = sent
    attributes = sum(
        len(part.encode())
        for name, value in published["MessageAttributes"].items()
        for part in (name, *value.values())
    )
    assert len(published["Message"].encode()) + attributes + len(published["Subject"]) <= SNS_MAX
    message = json.loads(json.loads(published["Message"])["default"])
    assert message["filesOmitted"] >= len(files) - 20
    assert max(item_bytes(item) for item in account.ledger.items.values()) < ITEM_MAX
    assert not account.open_claims()


@pytest.mark.parametrize("fault", ["missing", "unknown columns", "long names"])
def test_the_validators_answer_and_payload_fit_a_state(
    account: SimulatedAccount, letter: str, fault: str
) -> None:
    files = [version(letter, number, LAKE) for number in range(99)]
    names = ",".join(f"{number}{letter * 300}" for number in range(1_000))
    contents = {"unknown columns": b"a,b\n1,2\n", "long names": names.encode() + b"\n1\n"}
    for file in files:
        if fault in contents:
            account.s3.upload(LAKE, file.key, contents[fault], file.version_id)
    document = {"bucket": LAKE, "files": [file.to_json() for file in files], "trigger": "s3"}

    answer = account._validate(Execution("n" * 80, json.dumps(document)))

    assert answer["counts"]["rejected"] == 99
    # Step Functions carries the answer with every character escaped.
    assert len(json.dumps(answer)) < STATE_MAX
    assert len(json.dumps(answer)) < LAMBDA_MAX


def test_a_manifest_of_ten_thousand_columns_does_not_travel_through_the_state_machine(
    account: SimulatedAccount,
) -> None:
    names = HEADER.strip() + b"," + ",".join(f"column_{number}" for number in range(10_000)).encode()
    account.s3.upload(LAKE, "raw/taxi/wide.csv", names + b"\n1,2\n", "v1")
    account.start_in_console("raw/taxi/wide.csv")
    (run,) = account.states.executions.values()

    answer = account._validate(run)

    assert answer["valid"] or answer["rejected"]
    assert len(json.dumps(answer)) < 4 * KIB


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"bucket": "b" * 64, "key": "a"}, "bucket has 64 bytes"),
        ({"bucket": "b", "key": "€" * 342}, "key has 1026 bytes"),
        ({"bucket": "b", "files": [{"key": "a", "versionId": "v" * 1025}]}, "versionId has 1025 bytes"),
        ({"bucket": "b", "key": "\ud800"}, "files[0]: key is not valid Unicode"),
    ],
)
def test_names_longer_than_s3_allows_are_an_invalid_input(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(problem)):
        parse_input(given)


def test_the_longest_names_that_s3_allows_are_a_valid_input() -> None:
    given = {"bucket": LONG_BUCKET, "files": [{"key": "€" * 341 + "a", "versionId": LONG_ID}]}
    assert parse_input(given).files[0].key == "€" * 341 + "a"


def test_a_manual_execution_with_an_invalid_key_is_published_and_closed(
    account: SimulatedAccount,
) -> None:
    account.start_in_console("k" * 200_000)
    (name,) = account.states.executions
    account.states.end(name, "FAILED", "States.Runtime", "the input is invalid")

    account.deliver_ending({"name": name, "status": "FAILED", "redriveCount": 0})

    assert account.topic.published == [name]
    assert account.ledger.item(f"execution#{name}", "execution")["status"] == "closed"


def _accepted(file: FileVersion) -> AcceptedFile:
    return AcceptedFile(file, "fhvhv", "csv", text_columns(["VendorID"]))
