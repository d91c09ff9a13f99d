"""Tests that each metric is sent only by the function that it belongs to."""

from pathlib import Path

import pytest

from taxi_etl.metrics import Metric
from taxi_etl.names import REFUSED_OPTIMIZERS_METRIC

LAMBDAS = Path(__file__).resolve().parents[2] / "lambdas"
OF_THE_ORCHESTRATOR = {
    Metric.FILES_RECEIVED,
    Metric.FILES_HELD,
    Metric.DUPLICATE_EVENTS,
    Metric.EVENTS_IGNORED,
    Metric.EXECUTIONS_STARTED,
}
OF_SMALL_BATCHES = {Metric.SMALL_BATCH_DECLINED_PERCENT, Metric.SMALL_BATCH_COST_USD}
SENDERS = {
    **dict.fromkeys(Metric, "close_execution"),
    **dict.fromkeys(OF_THE_ORCHESTRATOR, "etl_orchestrator"),
    **dict.fromkeys(OF_SMALL_BATCHES, "run_small_batch"),
}


@pytest.mark.parametrize("metric", Metric)
def test_a_metric_is_sent_by_its_function_and_no_other(metric: Metric) -> None:
    senders = {
        source.parent.name
        for source in LAMBDAS.rglob("*.py")
        if f"Metric.{metric.name}" in source.read_text()
    }

    assert senders == {SENDERS[metric]}


def test_the_readme_counts_the_metrics_that_cost_money() -> None:
    readme = (LAMBDAS.parent / "README.md").read_text()
    others = {*Metric, REFUSED_OPTIMIZERS_METRIC} - {Metric.HOURS_SINCE_LAST_FILE}
    by_default = len(others - OF_SMALL_BATCHES)

    assert f"one always, up to {by_default} others in hours with files" in readme
    assert f"({len(others)} with `engine = auto`)" in readme
