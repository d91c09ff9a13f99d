"""Does somebody notice when no file comes any more? Nothing fails then, so the sweep counts the hours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.dynamodb import Table

Handler = Callable[[Any], Any]
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def file(table: Table, name: str, status: str, changed: str) -> None:
    table.items[(f"lake/raw/taxi/{name}", "v1")] = {
        "pk": f"lake/raw/taxi/{name}",
        "sk": "v1",
        "status": status,
        "updatedAt": changed,
    }


@pytest.fixture
def hours(close: Handler, clock: Any, metrics: Callable[[], Any]) -> Callable[[datetime], int]:
    """What a sweep at that moment says."""

    def ask(now: datetime) -> int:
        clock.now = now
        close({"sweep": True})
        return metrics()["HoursSinceLastFile"]

    return ask


@pytest.mark.parametrize("status", ["held", "loaded", "rejected", "superseded", "failed"])
def test_the_hours_since_the_newest_file_are_counted_whatever_became_of_it(
    table: Table, hours: Callable[[datetime], int], status: str
) -> None:
    file(table, "a.csv", status, "2024-05-30T11:00:00.000Z")

    assert hours(NOON) == 49
    assert hours(NOON + timedelta(minutes=59)) == 49
    assert hours(NOON + timedelta(days=100)) == 49 + 2400


def test_older_files_do_not_hide_a_newer_one(table: Table, hours: Callable[[datetime], int]) -> None:
    file(table, "a.csv", "loaded", "2024-01-01T00:00:00.000Z")
    file(table, "b.csv", "loaded", "2024-06-01T10:00:00.000Z")
    file(table, "c.csv", "failed", "2024-05-01T00:00:00.000Z")

    assert hours(NOON) == 2


def test_a_file_ends_the_silence(table: Table, hours: Callable[[datetime], int]) -> None:
    file(table, "a.csv", "loaded", "2024-04-01T12:00:00.000Z")
    assert hours(NOON) == 61 * 24

    file(table, "b.csv", "rejected", "2024-06-01T12:00:00.000Z")
    assert hours(NOON) == 0


def test_before_the_first_file_the_hours_count_from_the_first_sweep(
    table: Table, hours: Callable[[datetime], int]
) -> None:
    assert hours(NOON) == 0
    assert hours(NOON + timedelta(hours=30)) == 30
    assert table.item("watch", "watch")["since"] == "2024-06-01T12:00:00.000Z"


def test_a_clock_that_lags_behind_says_zero(table: Table, hours: Callable[[datetime], int]) -> None:
    file(table, "a.csv", "loaded", "2024-06-01T12:00:05.000Z")

    assert hours(NOON) == 0
