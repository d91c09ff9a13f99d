"""Fixtures of the unit tests: fakes of AWS services, a clock that tests move, a Lambda context."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

# Test modules are imported without a package, so what they share is put on the path.
sys.path.insert(0, str(Path(__file__).parent))

from fakes.dynamodb import FakeTable
from fakes.glue import JobRuns
from fakes.s3 import Buckets
from fakes.step_functions import StepFunctions

from stores.ledger import Ledger

NOON = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """Return the current time."""
        return self.now

    def forward(self, **time: float) -> None:
        """Move the clock forward by the arguments of a timedelta."""
        self.now += timedelta(**time)


@dataclass
class Context:
    """The context object of a Lambda invocation."""

    function_name: str = "etl-orchestrator"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:etl-orchestrator"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    remaining: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the timeout."""
        return self.remaining


class Topic:
    """Fake SNS client that keeps the published messages, and raises the exceptions in `faults` first."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.faults: list[Exception] = []

    def publish(self, **arguments: Any) -> dict[str, str]:
        """Publish a message."""
        if self.faults:
            raise self.faults.pop(0)
        self.published.append(arguments)
        return {"MessageId": str(len(self.published))}


@pytest.fixture
def clock() -> Clock:
    """A clock set to noon."""
    return Clock()


@pytest.fixture
def context() -> Context:
    """A Lambda invocation with a minute left."""
    return Context()


@pytest.fixture
def table() -> FakeTable:
    """An empty DynamoDB table."""
    return FakeTable()


@pytest.fixture
def ledger(table: FakeTable) -> Ledger:
    """The ledger in that table."""
    return Ledger(table, "ledger")


@pytest.fixture
def s3() -> Buckets:
    """An account without objects."""
    return Buckets()


@pytest.fixture
def step_functions() -> StepFunctions:
    """A state machine that has no executions."""
    return StepFunctions()


@pytest.fixture
def glue() -> JobRuns:
    """A job that has no runs."""
    return JobRuns()


@pytest.fixture
def topic() -> Topic:
    """A topic without messages."""
    return Topic()
