"""Can anything grow past its service's limit? The real functions, with the longest names S3 allows.

The largest of each thing is built from 99 files whose keys fill all 1024 bytes with characters that
grow most: three-byte ones where text stays UTF-8, control characters and quotes where JSON escapes them.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fakes.dynamodb import item_bytes
from fakes.step_functions import INPUT_MAX_BYTES as STEP_FUNCTIONS_INPUT_MAX
from fakes.step_functions import MACHINE, Run

from invariants.fake_workflow import LAKE
from invariants.simulated_account import HEADER, SimulatedAccount
from taxi_etl.documents import AcceptedFile, FileResult, JobResult, LoadStatus, Manifest, RejectedFile
from taxi_etl.failures import Code, Rejection
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import INPUT_MAX_BYTES, InvalidInputError, parse_input
from taxi_etl.names import manifest_key, result_key

KIB = 1024
STATE_MAX = 256 * KIB
"""Step Functions: input, output and variables of a state, and the data of an event in the history."""
LAMBDA_MAX = 6 * KIB * KIB
SNS_MAX = 256 * KIB
ITEM_MAX = 400 * KIB
TRANSACTION_MAX = 4 * KIB * KIB
LETTERS = {"three bytes": "€", "quotes": '"', "backslashes": "\\", "control": "\x01", "four bytes": "🚕"}
LONG_BUCKET = "b" * 63
LONG_ID = "v" * 1024


@pytest.fixture(params=list(LETTERS))
def letter(request: pytest.FixtureRequest) -> str:
    """What keys are made of."""
    return LETTERS[request.param]


@pytest.fixture
def world() -> Iterator[SimulatedAccount]:
    """An account to fill."""
    world = SimulatedAccount(batch_max_files=99)
    yield world
    world.close()


def longest(letter: str, number: int) -> str:
    """A key of 1024 bytes, or as near as whole characters get."""
    start, end = "raw/taxi/", f"{number:02}.csv"
    return start + letter * ((1024 - len(start + end)) // len(letter.encode())) + end


def version(letter: str, number: int, bucket: str = LONG_BUCKET) -> FileVersion:
    identity = f"{number:02}{LONG_ID}"[:1024]
    return FileVersion(bucket, longest(letter, number), identity, 10**12, "e" * 34, "0" * 32)


def as_many_as_fit(letter: str) -> tuple[tuple[FileVersion, ...], str]:
    """The files of the largest input that Step Functions takes, 99 at most, and its text."""
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


def largest(world: SimulatedAccount) -> dict[str, int]:
    """The largest input and item so far, in bytes."""
    return {
        "input": max(len(run.input.encode()) for run in world.states.runs.values()),
        "item": max(item_bytes(item) for item in world.ledger.items.values()),
    }


def test_a_burst_of_the_longest_keys_is_claimed_and_started(world: SimulatedAccount, letter: str) -> None:
    files = [version(letter, number) for number in range(99)]
    world.queue = [message(file, number) for number, file in enumerate(files)]

    world.deliver(world.queue)

    assert not world.queue
    for file in files:
        assert world.ledger.item(f"{LONG_BUCKET}/{file.key}", file.version_id)["status"] == "running"
    assert largest(world)["input"] < INPUT_MAX_BYTES
    assert largest(world)["item"] < ITEM_MAX
    for sent in world.ledger.arguments("transact_write_items"):
        actions = sent["TransactItems"]
        assert len(actions) <= 100
        assert len(json.dumps(actions).encode()) < TRANSACTION_MAX


@pytest.mark.parametrize("outcome", ["failed", "rejected"])
def test_the_largest_execution_by_hand_is_closed_within_all_limits(
    world: SimulatedAccount, letter: str, outcome: str
) -> None:
    """Each file with the longest error there can be, and the execution with the longest cause."""
    files, text = as_many_as_fit(letter)
    assert len(text.encode()) > INPUT_MAX_BYTES, "only by hand can an input be so large"
    loud = letter * 32_768
    world.states.start_execution(stateMachineArn=MACHINE, name="n" * 80, input=text)
    result = JobResult(
        "n" * 80,
        LAKE,
        "jr_1",
        tuple(
            FileResult(file, LoadStatus.FAILED, "fhvhv", error_code="unreadable", error_message=loud)
            for file in files
        ),
        schema_changed=True,
    )
    reasons = tuple(Rejection(code, loud) for code in Code)
    accepted = tuple(_accepted(file) for file in files) if outcome == "failed" else ()
    rejected = tuple(RejectedFile(file, reasons) for file in files) if outcome == "rejected" else ()
    manifest = Manifest("n" * 80, LAKE, "manual", accepted, rejected)
    world.s3.upload(LAKE, manifest_key("n" * 80), manifest.dumps().encode(), "m1")
    world.s3.upload(LAKE, result_key("n" * 80), result.dumps().encode(), "r1")
    sent: list[dict[str, Any]] = []
    world.patches.setattr(world.topic, "publish", lambda **arguments: sent.append(arguments))
    world.states.end("n" * 80, "FAILED", "E" * 256, loud)

    world.pass_time(minutes=20)
    world.sweep()

    (told,) = sent
    attributes = sum(
        len(part.encode())
        for name, value in told["MessageAttributes"].items()
        for part in (name, *value.values())
    )
    assert len(told["Message"].encode()) + attributes + len(told["Subject"]) <= SNS_MAX
    assert json.loads(told["Message"])["filesOmitted"] >= len(files) - 20
    assert max(item_bytes(item) for item in world.ledger.items.values()) < ITEM_MAX
    assert not world.open_claims()


@pytest.mark.parametrize("fault", ["missing", "unknown columns", "long names"])
def test_the_validators_answer_and_payload_fit_a_state(
    world: SimulatedAccount, letter: str, fault: str
) -> None:
    files = [version(letter, number, LAKE) for number in range(99)]
    names = ",".join(f"{number}{letter * 300}" for number in range(1_000))
    contents = {"unknown columns": b"a,b\n1,2\n", "long names": names.encode() + b"\n1\n"}
    for file in files:
        if fault in contents:
            world.s3.upload(LAKE, file.key, contents[fault], file.version_id)
    document = {"bucket": LAKE, "files": [file.to_json() for file in files], "trigger": "s3"}

    answer = world._validate(Run("n" * 80, json.dumps(document)))

    assert answer["counts"]["rejected"] == 99
    # As Step Functions carries it: the answer beside the execution's input, with every character escaped.
    assert len(json.dumps(answer)) < STATE_MAX
    assert len(json.dumps(answer)) < LAMBDA_MAX


def test_a_manifest_of_ten_thousand_columns_goes_past_the_state_machine(world: SimulatedAccount) -> None:
    names = HEADER.strip() + b"," + ",".join(f"column_{number}" for number in range(10_000)).encode()
    world.s3.upload(LAKE, "raw/taxi/wide.csv", names + b"\n1,2\n", "v1")
    world.start_in_console("raw/taxi/wide.csv")
    (run,) = world.states.runs.values()

    answer = world._validate(run)

    assert answer["valid"] or answer["rejected"]
    assert len(json.dumps(answer)) < 4 * KIB


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"bucket": "b" * 64, "key": "a"}, "bucket has 64 bytes"),
        ({"bucket": "b", "key": "€" * 342}, "key has 1026 bytes"),
        ({"bucket": "b", "files": [{"key": "a", "versionId": "v" * 1025}]}, "versionId has 1025 bytes"),
        ({"bucket": "b", "key": "\ud800"}, "key is no text"),
    ],
)
def test_names_that_s3_cannot_have_given_are_no_input(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInputError, match=problem):
        parse_input(given)


def test_the_longest_legal_names_are_an_input() -> None:
    given = {"bucket": LONG_BUCKET, "files": [{"key": "€" * 341 + "a", "versionId": LONG_ID}]}
    assert parse_input(given).files[0].key == "€" * 341 + "a"


def test_an_execution_by_hand_with_a_key_that_is_none_is_told_of_and_closed(world: SimulatedAccount) -> None:
    world.start_in_console("k" * 200_000)
    (name,) = world.states.runs
    world.states.end(name, "FAILED", "States.Runtime", "the input could not be told")

    world.tell({"name": name, "status": "FAILED", "redriveCount": 0})

    assert world.topic.told == [name]
    assert world.ledger.item(f"execution#{name}", "execution")["status"] == "closed"


def _accepted(file: FileVersion) -> AcceptedFile:
    return AcceptedFile(file, "fhvhv", "csv", (("VendorID", "text"),))
