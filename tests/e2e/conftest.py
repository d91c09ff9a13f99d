"""Fixtures and checks of the end-to-end tests. The deployed app is the fixture `app` of tests/conftest.py."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import sample_data
from tests.conftest import ROOT, SHARED_DATA
from tests.fixtures.deployed_app import App, eventually
from tests.fixtures.local_account import aws, local_account

__all__ = [
    "App",
    "File",
    "alarm_messages",
    "aws",
    "check_nothing_pending",
    "check_notified_once",
    "eventually",
    "execution_in",
    "files",
    "local_account",
]

NOTHING_PENDING = {
    "claimed": 0,
    "running": 0,
    "events": 0,
    "events, dead letters": 0,
    "closer, dead letters": 0,
}


SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "notifications.schema.json").read_text()))


def check_notified_once(app: App, executions: set[str]) -> None:
    """Check that each execution has exactly one notification, which matches the published schema."""
    notifications = {execution: app.messages(execution) for execution in executions}
    assert {execution: len(messages) for execution, messages in notifications.items()} == dict.fromkeys(
        executions, 1
    )
    for (message,) in notifications.values():
        body = {name: value for name, value in message.items() if name != "subject"}
        assert [error.message for error in SCHEMA.iter_errors(body)] == []


def alarm_messages(app: App, name: str) -> list[dict[str, Any]]:
    """Return the messages of an alarm that fired."""
    return [
        message
        for message in app.received()
        if name in message.get("AlarmName", "") and message["NewStateValue"] == "ALARM"
    ]


def execution_in(app: App, state: str, other_than: str = "") -> str:
    """Wait for a running execution that entered a state, other than the given one, and return its ARN."""
    states, found = app.session.client("stepfunctions"), list[str]()

    def exists() -> bool:
        running = states.list_executions(
            stateMachineArn=app.deployed.state_machine_arn, statusFilter="RUNNING"
        )["executions"]
        arns = [each["executionArn"] for each in running if each["executionArn"] != other_than]
        found[:] = [arn for arn in arns if state in app.states_of(arn.rpartition(":")[2])]
        return bool(found)

    eventually(exists, f"a running execution in {state}")
    return found[0]


def check_nothing_pending(app: App) -> None:
    """Check that no claim is open and every queue is empty."""
    with suppress(pytest.fail.Exception):
        eventually(lambda: app.pending() == NOTHING_PENDING, "closed claims and empty queues", seconds=20)
    found = app.pending()
    assert found == NOTHING_PENDING, f"dead letters: {dead_letters(app) if found != NOTHING_PENDING else ''}"


def dead_letters(app: App) -> list[str]:
    """Return the messages in the dead-letter queue of events."""
    request = {"QueueUrl": app.deployed.dead_letter_queue_url, "VisibilityTimeout": 0}
    answer = app.session.client("sqs").receive_message(**request, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


@dataclass(frozen=True)
class File:
    """A trip file with the expected number of rows: counted independently, or known from its generation."""

    path: Path
    dataset: str
    read: int
    quarantined: int

    @property
    def written(self) -> int:
        """The expected number of rows in the table."""
        return self.read - self.quarantined


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, File]:
    """Four files of two datasets and three formats, by name: the TLC's own where this machine has them."""
    return _real_files() if SHARED_DATA.is_dir() else _generated_files(tmp_path_factory.mktemp("files"))


# Rows that fail validation, counted in the raw files with plain SQL; a row with two reasons counts once:
#   SELECT count(*) FROM file WHERE pickup IS NULL OR dropoff IS NULL OR dropoff < pickup
#     OR pickup < first_of_month - INTERVAL 1 YEAR OR pickup >= first_of_next_month + INTERVAL 1 YEAR
#     OR trip_distance NOT BETWEEN 0 AND 1000
#     OR PULocationID NOT BETWEEN 1 AND 265 OR DOLocationID NOT BETWEEN 1 AND 265
def _real_files() -> dict[str, File]:
    tlc = SHARED_DATA / "tlc"
    found = (
        File(tlc / "parquet" / "yellow_tripdata_2022-01_sample.parquet", "yellow", 100_000, 1),
        File(tlc / "parquet" / "green_tripdata_2024-01.parquet", "green", 56_551, 46),
        File(tlc / "parquet" / "green_tripdata_2025-03.parquet", "green", 51_539, 324),
        File(tlc / "csv_gz" / "green_tripdata_2020-04.csv.gz", "green", 35_612, 11),
    )
    return {file.path.name: file for file in found}


def _generated_files(folder: Path) -> dict[str, File]:
    made = (
        sample_data.generate(
            folder, dataset="yellow", month="2022-01", rows=20_000, dirty_share=0.01, seed=11
        ),
        sample_data.generate(
            folder, dataset="green", month="2024-01", rows=10_000, dirty_share=0.01, seed=12
        ),
        sample_data.generate(
            folder, dataset="green", month="2025-03", rows=10_000, dirty_share=0.01, seed=13
        ),
        sample_data.generate(
            folder, dataset="green", month="2020-04", rows=5_000, dirty_share=0.01, format="csv.gz", seed=14
        ),
    )
    found = (File(sample.path, sample.dataset, sample.rows, sample.dirty_rows) for sample in made)
    return {file.path.name: file for file in found}
