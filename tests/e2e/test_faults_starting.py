"""Tests of AWS faults before and after the job: files start once and are notified once.

The files are invalid, so that each is rejected without a job run.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops import file_outcomes
from stacks.settings import LOCAL as SETTINGS
from tests.e2e.app_controls import deliver_events, reconciling_new_claims, rejected_file
from tests.e2e.conftest import App, alarm_messages, check_nothing_pending, check_notified_once, eventually

START = "states:StartExecution"
DESCRIBE = "states:DescribeExecution"
PUBLISH = "sns:Publish"
UNREADABLE = "not an event"


@pytest.fixture(scope="module", autouse=True)
def short_visibility_timeout(app: App) -> Iterator[None]:
    """Events whose delivery failed are delivered again after seconds.

    The timeout must exceed a slow delivery, whose event would otherwise be received again until it is
    dead-lettered.
    """
    sqs = app.session.client("sqs")
    name = "VisibilityTimeout"
    kept = sqs.get_queue_attributes(QueueUrl=app.deployed.queue_url, AttributeNames=[name])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=app.deployed.queue_url, Attributes={name: "4"})
    yield
    sqs.set_queue_attributes(QueueUrl=app.deployed.queue_url, Attributes=kept)
    for dead_letters in (app.deployed.dead_letter_queue_url, app.deployed.close_dead_letter_queue_url):
        sqs.purge_queue(QueueUrl=dead_letters)


@pytest.fixture(scope="module", autouse=True)
def before(app: App) -> set[str]:
    """The executions of other tests."""
    return app.executions()


@pytest.fixture(autouse=True)
def no_leftover_faults(app: App) -> Iterator[None]:
    """Remove all faults after each test, also after a failed one."""
    yield
    app.aws.faults()
    app.aws.wait_scale(1)


@pytest.fixture(scope="module", autouse=True)
def unreadable_message_id(app: App, short_visibility_timeout: None) -> str:
    """The id of an unreadable message in the queue of events."""
    sent = app.session.client("sqs").send_message(QueueUrl=app.deployed.queue_url, MessageBody=UNREADABLE)
    return str(sent["MessageId"])


def test_a_throttled_start_succeeds_after_the_throttling(app: App, tmp_path: Path) -> None:
    before = app.executions()
    # boto3 makes four attempts, so the first delivery fails and the second succeeds
    app.aws.faults({"action": START, "error": "ThrottlingException", "times": 6})

    with before_the_reconciler():
        (outcome,) = app.upload(rejected_file(tmp_path, "green_tripdata_2021-02.csv.gz"))

    assert outcome.status == "rejected"
    assert app.aws.fault_counts() == [6]
    assert app.executions() - before == {outcome.execution}
    (message,) = app.messages(outcome.execution)
    assert (message["status"], message["files"][0]["key"]) == ("VALIDATION_FAILED", outcome.version.key)


def test_a_throttled_replay_fails_and_succeeds_when_repeated(app: App, tmp_path: Path) -> None:
    (rejected,) = app.upload(rejected_file(tmp_path, "green_tripdata_2021-03.csv.gz"))
    app.aws.faults({"action": START, "error": "ThrottlingException", "times": 4})

    code, failure = app.command("replay", rejected.version.key)

    assert code == 1
    assert "repeat the command" in failure["error"]
    code, document = app.command("replay", rejected.version.key)
    assert code == 0
    ((replayed,), (outcome,)) = document["executions"], app.follow([rejected.version])
    assert replayed["name"] == outcome.execution
    # the second attempt, with the time of the command
    assert re.fullmatch(rf"{rejected.execution}-2-\d{{17}}", outcome.execution)
    assert len(app.messages(outcome.execution)) == 1


def test_an_orchestrator_killed_between_two_executions_loses_no_file_and_starts_none_twice(
    app: App, tmp_path: Path
) -> None:
    before = app.executions()
    paths = [rejected_file(tmp_path, f"green_tripdata_{year}-05.csv.gz") for year in range(2000, 2100)]
    # The hundred files make two executions. The function is killed while it starts the second.
    app.aws.faults({"action": START, "kills": app.deployed.orchestrator_function_name, "after": 1})
    deliver_events(app, enabled=False)
    versions = app.send(*paths)

    with before_the_reconciler():
        deliver_events(app, enabled=True)
        outcomes = app.follow(versions)

    assert app.aws.fault_counts() == [1]
    assert {outcome.status for outcome in outcomes} == {"rejected"}
    executions = {outcome.execution for outcome in outcomes}
    assert len(executions) == 2
    assert app.executions() - before == executions
    files = {execution: app.messages(execution) for execution in executions}
    assert {len(messages) for messages in files.values()} == {1}
    file_counts = [len(message["files"]) + message["filesOmitted"] for (message,) in files.values()]
    assert sorted(file_counts) == [1, 99]


def test_the_finalizer_publishes_a_notification_that_failed_before(app: App, tmp_path: Path) -> None:
    app.aws.wait_scale(0)
    # five attempts of the workflow and four of the finalizer; its next invocation succeeds
    app.aws.faults({"action": PUBLISH, "error": "InternalError", "status": 500, "times": 9})

    (outcome,) = app.upload(rejected_file(tmp_path, "green_tripdata_2021-04.csv.gz"))

    (message,) = app.messages(outcome.execution)
    assert app.aws.fault_counts() == [9]
    assert outcome.status == "rejected"
    assert outcome.reasons[0].startswith("not_gzip")
    assert (message["status"], message["error"]["Error"]) == ("FAILED", "NotificationFailed")
    (file,) = message["files"]
    assert (file["status"], [reason["code"] for reason in file["reasons"]]) == ("rejected", ["not_gzip"])

    code, document = app.command("replay", "--execution", outcome.execution, "--wait")

    assert (code, document["files"][0]["status"]) == (1, "rejected")
    (again,) = app.messages(document["executions"][0]["name"])
    assert again["status"] == "VALIDATION_FAILED"
    assert len(app.notifications(outcome.execution)) == 1


def test_the_reconciler_closes_an_execution_whose_end_event_was_lost(app: App, tmp_path: Path) -> None:
    dead_letters = app.deployed.close_dead_letter_queue_url
    # as often as the end event is delivered before it is dead-lettered
    app.aws.faults({"action": DESCRIBE, "kills": app.deployed.close_function_name, "times": 3})
    versions = app.send(rejected_file(tmp_path, "green_tripdata_2021-06.csv.gz"))
    eventually(lambda: app.pending()["closer, dead letters"] == 1, "the end event in the dead-letter queue")
    (unclosed,) = file_outcomes.outcomes(app.session, app.deployed, versions)
    assert unclosed.status == "running"

    with reconciling_new_claims(app):
        app.session.client("lambda").invoke(
            FunctionName=app.deployed.close_function_name, Payload=b'{"sweep": true}'
        )

    (outcome,) = file_outcomes.outcomes(app.session, app.deployed, versions)
    assert (outcome.status, outcome.execution) == ("rejected", unclosed.execution)
    assert len(app.messages(outcome.execution)) == 1
    eventually(lambda: bool(alarm_messages(app, "CloseDeadLetters")), "the alarm of the dead-letter queue")
    app.session.client("sqs").purge_queue(QueueUrl=dead_letters)


def test_an_unreadable_message_ends_in_the_dead_letter_queue_and_raises_an_alarm(
    app: App, unreadable_message_id: str
) -> None:
    sqs = app.session.client("sqs")
    found: list[dict[str, str]] = []

    def dead_lettered() -> bool:
        answer = sqs.receive_message(QueueUrl=app.deployed.dead_letter_queue_url, VisibilityTimeout=0)
        found.extend(answer.get("Messages", []))
        return bool(found)

    eventually(dead_lettered, "the message in the dead-letter queue")
    assert (found[0]["MessageId"], found[0]["Body"]) == (unreadable_message_id, UNREADABLE)
    eventually(lambda: bool(alarm_messages(app, "EventDeadLetters")), "the alarm of the dead-letter queue")
    _, document = app.command("status")
    assert document["queues"]["events, dead letters"] == 1
    sqs.purge_queue(QueueUrl=app.deployed.dead_letter_queue_url)


def test_no_claim_stays_open_and_every_execution_is_notified_once(app: App, before: set[str]) -> None:
    ours = app.executions() - before
    assert ours
    check_notified_once(app, ours)
    check_nothing_pending(app)


@contextmanager
def before_the_reconciler() -> Iterator[None]:
    """Check that the block ends before the reconciler could repair its faults."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < SETTINGS.sweep_after_minutes * 60
