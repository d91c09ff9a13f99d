"""Tests that the README's costs are those of the list prices, and that its sums add up."""

import re
from decimal import Decimal

import pytest

from taxi_etl import prices
from taxi_etl.table_maintenance import RUN_RATE_HOURS
from taxi_etl.tables import table_names
from tests.conftest import ROOT

COSTS = (ROOT / "README.md").read_text().partition("## Costs")[2].partition("\n## ")[0]
ROWS = [line.strip("| ").split(" | ") for line in COSTS.splitlines() if line.startswith("| ")]
ABOUT = {what: about for what, _, about in ROWS}
SUMS = [(what, parts, total) for what, parts, total in ROWS if " + " in parts]
MONTH_HOURS = 730
DPU_HOUR_USD = 0.44
"""Of a table optimizer, by the second with a minimum of one minute. Source: AWS Glue pricing."""
METRIC_USD = 0.30
ALARM_USD = 0.10
KEY_USD = 1.00


def row(beginning: str) -> tuple[str, float]:
    """The amount in the only row of the table that starts with this text."""
    ((what, about),) = [(what, about) for what, about in ABOUT.items() if what.startswith(beginning)]
    return what, float(about)


@pytest.mark.parametrize("beginning", ["Glue job, 3", "Glue job, 10"])
def test_a_job_run_costs_its_workers_and_minutes(beginning: str) -> None:
    what, about = row(beginning)
    workers, minutes = (int(number) for number in re.findall(r"(\d+) (?:\D G|minutes)", what))

    assert about == pytest.approx(prices.cost_usd(workers * minutes / 60), abs=0.0005)


def test_a_crawl_costs_its_minimum() -> None:
    assert row("crawl of raw files")[1] == pytest.approx(prices.crawl_cost_usd(), abs=0.005)


def test_the_key_and_the_alarms_cost_their_monthly_prices() -> None:
    what, about = row("KMS key")
    alarms = int(re.findall(r"(\d+) alarms", what)[0])

    assert about == pytest.approx(KEY_USD + ALARM_USD * alarms)


def test_metrics_cost_by_the_hour() -> None:
    assert row("custom metrics")[1] == METRIC_USD
    others = int(re.findall(r"up to (\d+) others", row("custom metrics")[0])[0])

    assert row("all of these other metrics")[1] == pytest.approx(
        others * METRIC_USD / MONTH_HOURS, abs=0.0005
    )


def test_optimizers_cost_their_runs() -> None:
    what, about = row("table optimizers")
    assert f"{len(table_names())} tables" in what
    runs = len(table_names()) * 2 * MONTH_HOURS / RUN_RATE_HOURS

    assert about == pytest.approx(runs * 2 / 60 * DPU_HOUR_USD, abs=0.005)


def test_polling_costs_its_requests() -> None:
    requests = 5 * MONTH_HOURS * 3600 / 20
    reconciliations = MONTH_HOURS * 4
    # SQS per million requests; Lambda per GB-second of arm64, at 256 MB for less than two seconds.
    expected = requests * 0.40 / 1e6 + reconciliations * 0.25 * 2 * 0.0000133334

    assert row("polling the queue")[1] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("what", "parts", "total"), SUMS)
def test_a_sum_adds_up_from_amounts_of_the_table(what: str, parts: str, total: str) -> None:
    amounts = [Decimal(part) for part in parts.split(" + ")]
    table = [line for line in ROWS if tuple(line) not in SUMS]
    known = {Decimal(number) for line in table for number in re.findall(r"\d+\.\d+", " ".join(line[1:]))}

    assert sum(amounts) == Decimal(total), what
    assert set(amounts) <= known


def test_there_are_sums_for_an_idle_month_a_lone_file_and_a_burst() -> None:
    assert [what.partition(",")[0] for what, _, _ in SUMS] == [
        "an idle month",
        "a lone file",
        "a lone file that starts a crawl",
        "a burst of 99 monthly files",
    ]
