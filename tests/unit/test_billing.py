"""Tests of the costs of a job run and of a crawl."""

from typing import Any

import pytest

from taxi_etl.billing import crawl_usd, dpu_hours, job_run_usd


@pytest.mark.parametrize(
    ("run", "hours"),
    [
        # auto scaling: Glue counts what was used, less than the time by the capacity
        ({"DPUSeconds": 3600.0, "ExecutionTime": 1800, "MaxCapacity": 10.0}, 1.0),
        ({"ExecutionTime": 1800, "MaxCapacity": 10.0}, 5.0),
        # a minute is the least
        ({"ExecutionTime": 61, "MaxCapacity": 6.0}, 366 / 3600),
        ({"ExecutionTime": 60, "MaxCapacity": 6.0}, 0.1),
        ({"ExecutionTime": 59, "MaxCapacity": 6.0}, 0.1),
        ({"ExecutionTime": 1, "MaxCapacity": 6.0}, 0.1),
        # stopped while it waited in the queue
        ({"ExecutionTime": 0, "MaxCapacity": 6.0}, 0.0),
        ({"MaxCapacity": 6.0}, None),
        ({"ExecutionTime": 60}, None),
    ],
)
def test_a_run_takes_so_many_dpu_hours(run: dict[str, Any], hours: float | None) -> None:
    assert dpu_hours(run) == pytest.approx(hours)


def test_a_dpu_hour_costs_the_list_price_to_a_hundredth_of_a_cent() -> None:
    assert [job_run_usd(hours) for hours in (0, 1, 0.1, 0.0333)] == [0, 0.308, 0.0308, 0.0103]


def test_a_crawl_costs_at_least_ten_minutes_of_two_dpus() -> None:
    assert crawl_usd() == 0.1467
