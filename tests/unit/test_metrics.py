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


@pytest.mark.parametrize("metric", Metric)
def test_a_metric_is_sent_by_its_function_and_no_other(metric: Metric) -> None:
    senders = {
        source.parent.name
        for source in LAMBDAS.rglob("*.py")
        if f"Metric.{metric.name}" in source.read_text()
    }

    assert senders == {"etl_orchestrator" if metric in OF_THE_ORCHESTRATOR else "close_execution"}


def test_the_readme_counts_the_metrics_that_cost_money() -> None:
    readme = (LAMBDAS.parent / "README.md").read_text()
    others = {*Metric, REFUSED_OPTIMIZERS_METRIC} - {Metric.HOURS_SINCE_LAST_FILE}

    assert f"custom metrics: one always, up to {len(others)} others in hours with files" in readme
