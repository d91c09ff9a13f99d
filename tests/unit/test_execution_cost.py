"""Tests of the cost of an execution, and of a month."""

from datetime import UTC, datetime, timedelta

import pytest

from taxi_etl.engines import Engine
from taxi_etl.estimated_requests import TITLES, requests
from taxi_etl.execution_cost import (
    Basis,
    CostItem,
    FunctionUse,
    Usage,
    added,
    by_dataset,
    cost_items,
    storage_items,
    total_usd,
)
from taxi_etl.list_prices import PRICES
from taxi_etl.monthly_cost import (
    fixed_costs,
    forecast_usd,
    hour_with_files_usd,
    month_period,
)

VALIDATION = FunctionUse("ValidateInput", 2000, 256)
LOADED = Usage(files=1, transitions=8, functions=(VALIDATION,), engine=Engine.GLUE, job_runs=1, dpu_hours=0.1)


def item(used: Usage, name: str) -> CostItem:
    [found] = [each for each in cost_items(used) if each.item == name]
    return found


def test_a_transition_costs_the_price_of_standard_workflows() -> None:
    found = item(LOADED, "state transitions")
    assert (found.quantity, found.unit, found.basis) == (8, "transition", Basis.MEASURED)
    assert found.usd == pytest.approx(0.0002)


def test_a_job_run_costs_its_dpu_hours() -> None:
    assert item(LOADED, "Glue job").usd == pytest.approx(0.0308)
    unknown = Usage(files=1, transitions=8, engine=Engine.GLUE, job_runs=1)
    assert (item(unknown, "Glue job").usd, item(unknown, "Glue job").basis) == (0, Basis.ESTIMATED)
    assert "Glue job" not in {each.item for each in cost_items(Usage(files=1, transitions=4))}


def test_a_function_costs_memory_storage_and_its_request() -> None:
    # 2 s of 256 MB, and the request
    assert item(LOADED, "function ValidateInput").usd == pytest.approx(0.5 * 0.0000133334 + 0.0000002)
    # 1 s of 3 GB of memory, and of 3.5 GB of storage beyond 512 MB
    small = FunctionUse("RunSmallBatch", 1000, 3072, 4096)
    assert small.usd == pytest.approx(3 * 0.0000133334 + 3.5 * 0.0000000309 + 0.0000002)


def test_a_crawl_is_estimated_at_its_minimum() -> None:
    found = item(Usage(files=1, transitions=12, engine=Engine.GLUE, crawls=2), "crawl")
    assert (found.basis, round(found.usd, 4)) == (Basis.ESTIMATED, 0.2933)


def test_requests_are_modelled_by_execution_and_file() -> None:
    one, many = (requests(Engine.DUCKDB, files=files, notifications=1) for files in (1, 99))
    assert one.keys() <= PRICES.keys()
    assert one.keys() == TITLES.keys()
    # one message, one receipt and one deletion; 99 messages, ten of each
    assert (one["sqs_request"], many["sqs_request"]) == (3, 119)
    # 13 a file, 16 for each KB of the execution's item: 1 KB, and 25 KB
    assert (one["dynamodb_write"], many["dynamodb_write"]) == (29, 99 * 13 + 25 * 16)
    assert many["s3_get"] > one["s3_get"]
    assert one["sns_email"] == 1


def test_storage_is_billed_by_the_month() -> None:
    raw, tables = storage_items(Usage(files=1, transitions=8, raw_bytes=2 * 1024**3, table_bytes=1024**3))
    assert (raw.usd, tables.usd) == (pytest.approx(0.046), pytest.approx(0.023))
    assert len(storage_items(Usage(files=1, transitions=8, raw_bytes=1))) == 1


def test_bills_add_up_and_an_estimated_part_makes_an_estimate() -> None:
    measured = CostItem("Glue job", 1, "DPU-hour", 0.3, Basis.MEASURED)
    estimated = CostItem("Glue job", 2, "DPU-hour", 0.6, Basis.ESTIMATED)
    assert added([[measured], [measured]]) == [CostItem("Glue job", 2, "DPU-hour", 0.6, Basis.MEASURED)]
    [both] = added([[measured], [estimated]])
    assert (both.quantity, both.basis) == (3, Basis.ESTIMATED)
    assert total_usd([measured, estimated]) == pytest.approx(0.9)


def test_a_cost_is_shared_by_the_files_of_each_dataset() -> None:
    assert by_dataset(0.4, {"yellow": 3, "green": 1}) == pytest.approx({"yellow": 0.3, "green": 0.1})
    assert by_dataset(0.4, {}) == {"": 0.4}


def test_an_idle_month_costs_its_parts() -> None:
    assert {name: round(usd, 2) for name, usd in fixed_costs(alarms=19).items()} == {
        "KMS key": 1.0,
        "alarms": 1.9,
        "custom metric": 0.3,
        "table optimizers": 0.76,
        "queue polling": 0.26,
        "reconciler": 0.02,
    }


def test_metrics_cost_by_the_hour() -> None:
    # 18 and 20 metrics at 0.30 a month of 730 hours
    assert round(hour_with_files_usd(has_small_batches=False), 5) == 0.0074
    assert round(hour_with_files_usd(has_small_batches=True), 5) == 0.00822


def test_a_month_begins_and_ends_in_utc() -> None:
    assert month_period("2024-02") == (datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="does not match"):
        month_period("02/2024")
    with pytest.raises(ValueError, match="out of range"):
        month_period("9999-12")


def test_a_forecast_continues_at_the_rate_so_far() -> None:
    start, end = month_period("2024-06")
    assert forecast_usd(1.0, start, end, start + timedelta(days=10)) == pytest.approx(3.0)
    assert forecast_usd(1.0, start, end, end + timedelta(days=90)) == 1.0
    assert forecast_usd(1.0, start, end, start - timedelta(days=1)) == 0


def test_every_price_names_its_unit_source_and_month() -> None:
    for price in PRICES.values():
        assert price.usd > 0
        assert price.unit
        assert "pricing" in price.source
        assert datetime.strptime(f"{price.as_of} +0000", "%Y-%m %z")
