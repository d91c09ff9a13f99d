"""Tests of the gauge HoursSinceLastFile, which the reconciler's schedule sends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.dynamodb import FakeTable

Handler = Callable[[Any], Any]
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def put_file(table: FakeTable, name: str, status: str, changed: str) -> None:
    table.items[(f"lake/raw/taxi/{name}", "v1")] = {
        "pk": f"lake/raw/taxi/{name}",
        "sk": "v1",
        "status": status,
        "updatedAt": changed,
    }


@pytest.fixture
def hours(close: Handler, clock: Any, metrics: Callable[[], Any]) -> Callable[[datetime], int]:
    """Return the gauge's value at a moment."""

    def read(now: datetime) -> int:
        clock.now = now
        close({"sweep": True})
        return metrics()["HoursSinceLastFile"]

    return read


@pytest.mark.parametrize("status", ["held", "loaded", "rejected", "superseded", "failed"])
def test_the_hours_count_from_the_newest_file_of_any_status(
    table: FakeTable, hours: Callable[[datetime], int], status: str
) -> None:
    put_file(table, "a.csv", status, "2024-05-30T11:00:00.000Z")

    assert hours(NOON) == 49
    assert hours(NOON + timedelta(minutes=59)) == 49
    assert hours(NOON + timedelta(days=100)) == 49 + 2400


def test_older_files_do_not_hide_a_newer_one(table: FakeTable, hours: Callable[[datetime], int]) -> None:
    put_file(table, "a.csv", "loaded", "2024-01-01T00:00:00.000Z")
    put_file(table, "b.csv", "loaded", "2024-06-01T10:00:00.000Z")
    put_file(table, "c.csv", "failed", "2024-05-01T00:00:00.000Z")

    assert hours(NOON) == 2


def test_a_new_file_resets_the_hours(table: FakeTable, hours: Callable[[datetime], int]) -> None:
    put_file(table, "a.csv", "loaded", "2024-04-01T12:00:00.000Z")
    assert hours(NOON) == 61 * 24

    put_file(table, "b.csv", "rejected", "2024-06-01T12:00:00.000Z")
    assert hours(NOON) == 0


def test_before_the_first_file_the_hours_count_from_the_first_invocation(
    table: FakeTable, hours: Callable[[datetime], int]
) -> None:
    assert hours(NOON) == 0
    assert hours(NOON + timedelta(hours=30)) == 30
    assert table.item("watch", "watch")["since"] == "2024-06-01T12:00:00.000Z"


def test_a_clock_that_lags_behind_the_ledger_gives_zero(
    table: FakeTable, hours: Callable[[datetime], int]
) -> None:
    put_file(table, "a.csv", "loaded", "2024-06-01T12:00:05.000Z")

    assert hours(NOON) == 0
