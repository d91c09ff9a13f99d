"""Tests that the tables of costs in the documents are those that the code computes."""

import os
from pathlib import Path

import pytest

from ops.execution_usage import REMOVED_FUNCTION_MB
from stacks.settings import DEV
from taxi_etl.engines import Engine
from taxi_etl.list_prices import PRICES
from taxi_etl.monthly_cost import HOUR_METRICS, RECONCILERS_PER_HOUR, SMALL_BATCH_METRICS
from tests.fixtures.cost_tables import (
    BEGIN,
    END,
    PATHS,
    PERFORMANCE,
    README,
    batch_usd,
    burst_usd,
    per_file,
    performance_table,
    readme_tables,
    share_table,
)

TABLES = {README: readme_tables(), PERFORMANCE: f"{performance_table()}\n{share_table()}"}


@pytest.mark.parametrize("page", TABLES, ids=lambda page: page.name)
def test_the_tables_match_their_source(page: Path) -> None:
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    expected = f"{before}{BEGIN}\n{TABLES[page]}\n{END}{after}"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        page.write_text(expected)
    assert page.read_text() == expected, "run this test again with UPDATE_SNAPSHOTS=1"


def test_a_lone_file_enters_these_numbers_of_states() -> None:
    assert {engine: len(path) for engine, path in PATHS.items()} == {
        Engine.GLUE: 8,
        Engine.DUCKDB: 5,
        None: 4,
    }


def test_assumed_settings_are_those_of_the_app() -> None:
    assert (DEV.small_batch_memory_mb, DEV.small_batch_storage_mb) == REMOVED_FUNCTION_MB
    assert RECONCILERS_PER_HOUR * DEV.sweep_interval_minutes == 60


def test_an_hour_with_files_has_so_many_metrics() -> None:
    assert (HOUR_METRICS, SMALL_BATCH_METRICS) == (18, 2)


def test_a_burst_fills_executions_of_99_files() -> None:
    assert burst_usd(Engine.GLUE, 100) == pytest.approx(
        batch_usd(Engine.GLUE, 99) + batch_usd(Engine.GLUE, 1)
    )
    assert burst_usd(Engine.DUCKDB, 198) == pytest.approx(2 * batch_usd(Engine.DUCKDB, 99))


def test_the_page_states_the_dollars_of_a_lone_file_and_of_one_in_a_burst() -> None:
    text = " ".join(PERFORMANCE.read_text().split())
    assert f"{per_file(1):.6f} for a lone file" in text
    assert f"{per_file(1000):.6f} in a burst of 1,000" in text


def test_the_goals_hold_where_the_page_says_so() -> None:
    text = " ".join(PERFORMANCE.read_text().split())
    assert "The goal for bursts is met from two files on. That for a lone file is met within" in text
    assert per_file(2) <= 0.0002
    assert per_file(1) < 0.0003 + 0.000005
    assert f"{PRICES['state_transition'].usd * len(PATHS[Engine.DUCKDB]):.6f}" in text
