"""Tests of the dashboard: its sections, and the metrics of each widget."""

import json
import re
from typing import Any

import pytest

from .templates import Stacks, flat, only, resources

HOUR, DAY = 3_600, 86_400
# section: graph: metric, statistic and seconds of each line
SECTIONS = {
    "Health": {
        "Executions by outcome": [
            ("AWS/States ExecutionsSucceeded", "Sum", HOUR),
            ("AWS/States ExecutionsFailed", "Sum", HOUR),
            ("AWS/States ExecutionsTimedOut", "Sum", HOUR),
            ("AWS/States ExecutionsAborted", "Sum", HOUR),
        ],
        "Function errors": [("AWS/Lambda Errors", "Sum", HOUR)] * 3,
        "Files": [
            ("TaxiEtl FilesLoaded", "Sum", HOUR),
            ("TaxiEtl FilesRejected", "Sum", HOUR),
            ("TaxiEtl FilesFailed", "Sum", HOUR),
        ],
        "Rows": [("TaxiEtl RowsWritten", "Sum", HOUR), ("TaxiEtl RowsQuarantined", "Sum", HOUR)],
    },
    "Throughput": {
        "Events in the queue": [("AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", HOUR)],
        "Age of the oldest event (seconds)": [("AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", HOUR)],
        "Execution time, including Glue's queue": [
            ("AWS/States ExecutionTime", "Average", HOUR),
            ("AWS/States ExecutionTime", "Maximum", HOUR),
        ],
        "Hours since the last file": [("TaxiEtl HoursSinceLastFile", "Maximum", HOUR)],
    },
    "Cost": {
        "Total for the time range": [("TaxiEtl JobCostUsd", "Sum", DAY), ("TaxiEtl JobDpuHours", "Sum", DAY)],
        "US dollars per day": [("TaxiEtl JobCostUsd", "Sum", DAY)],
        "DPU-hours per day": [("TaxiEtl JobDpuHours", "Sum", DAY)],
    },
}
DIMENSIONS = {
    "AWS/States": [["StateMachineArn", "${WorkflowStateMachine}"]],
    "AWS/SQS": [["QueueName", "etl-file-events"]],
    "AWS/Lambda": [
        ["FunctionName", "${CloseExecutionFunction}"],
        ["FunctionName", "${OrchestratorFunction}"],
        ["FunctionName", "${ValidateInputFunction}"],
    ],
    "TaxiEtl": [["service", "etl-close-execution"]],
}


@pytest.fixture(scope="module")
def widgets(prod: Stacks) -> list[dict[str, Any]]:
    """The page's widgets in reading order."""
    dashboard = only(prod.pipeline, "AWS::CloudWatch::Dashboard").properties
    assert dashboard["DashboardName"] == "etl-pipeline-workflow"
    found: list[dict[str, Any]] = json.loads(flat(dashboard["DashboardBody"]))["widgets"]
    return sorted(found, key=lambda widget: (widget["y"], widget["x"]))


def lines(widget: dict[str, Any]) -> list[tuple[str, list[str], str, int]]:
    """Metric, dimensions, statistic and period in seconds of each line."""
    found = []
    for namespace, name, *dimensions, options in widget["properties"]["metrics"]:
        found.append((f"{namespace} {name}", dimensions, options.get("stat", "Average"), options["period"]))
    return found


def test_each_section_has_its_graphs(widgets: list[dict[str, Any]]) -> None:
    found: dict[str, dict[str, Any]] = {}
    for widget in widgets:
        if widget["type"] == "text":
            (section,) = re.findall(r"^## (.+)$", widget["properties"]["markdown"], re.MULTILINE)
            found[section] = {}
        elif widget["type"] == "metric":
            shown = [(metric, stat, period) for metric, _, stat, period in lines(widget)]
            found[section][widget["properties"]["title"]] = shown

    assert list(found) == list(SECTIONS)
    assert found == SECTIONS


def test_every_graph_shows_the_resources_of_its_own_environment(widgets: list[dict[str, Any]]) -> None:
    found: dict[str, set[tuple[str, ...]]] = {}
    for widget in widgets:
        for metric, dimensions, _, _ in lines(widget) if widget["type"] == "metric" else []:
            part = [re.sub(r"[0-9A-F]{8}(?=})", "", word) for word in dimensions]
            found.setdefault(metric.split()[0], set()).add(tuple(part))

    parts_of = {namespace: sorted(list(part) for part in parts) for namespace, parts in found.items()}
    assert parts_of == DIMENSIONS


def test_all_alarms_are_on_top(prod: Stacks, widgets: list[dict[str, Any]]) -> None:
    (shown,) = [widget for widget in widgets if widget["type"] == "alarm"]
    alarms = {f"${{{each.id}.Arn}}" for each in resources(prod.pipeline, "AWS::CloudWatch::Alarm")}

    assert set(shown["properties"]["alarms"]) == alarms
    assert widgets.index(shown) == 1  # after the heading of the section


def test_the_cost_section_states_the_price_and_that_it_is_an_estimate(widgets: list[dict[str, Any]]) -> None:
    (text,) = [
        widget["properties"]["markdown"]
        for widget in widgets
        if widget["type"] == "text" and "Cost" in widget["properties"]["markdown"]
    ]

    assert "0.308 US dollars" in text
    assert "An estimate" in text
