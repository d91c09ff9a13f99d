"""Does one page answer: is it healthy, is it keeping up, what does it cost? Widget by widget."""

import json
import re
from typing import Any

import pytest

from .templates import Stacks, flat, only, resources

HOUR, DAY = 3_600, 86_400
# question: graph: metric, statistic and seconds of each line
QUESTIONS = {
    "Is it healthy?": {
        "Executions by how they ended": [
            ("AWS/States ExecutionsSucceeded", "Sum", HOUR),
            ("AWS/States ExecutionsFailed", "Sum", HOUR),
            ("AWS/States ExecutionsTimedOut", "Sum", HOUR),
            ("AWS/States ExecutionsAborted", "Sum", HOUR),
        ],
        "Errors of functions": [("AWS/Lambda Errors", "Sum", HOUR)] * 3,
        "Files": [
            ("TaxiEtl FilesLoaded", "Sum", HOUR),
            ("TaxiEtl FilesRejected", "Sum", HOUR),
            ("TaxiEtl FilesFailed", "Sum", HOUR),
        ],
        "Rows": [("TaxiEtl RowsWritten", "Sum", HOUR), ("TaxiEtl RowsQuarantined", "Sum", HOUR)],
    },
    "Is it keeping up?": {
        "Events that wait": [("AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", HOUR)],
        "Age of the oldest event, seconds": [("AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", HOUR)],
        "Time of an execution, Glue's queue included": [
            ("AWS/States ExecutionTime", "Average", HOUR),
            ("AWS/States ExecutionTime", "Maximum", HOUR),
        ],
        "Hours since the last file": [("TaxiEtl HoursSinceLastFile", "Maximum", HOUR)],
    },
    "What does it cost?": {
        "In the time shown": [("TaxiEtl JobCostUsd", "Sum", DAY), ("TaxiEtl JobDpuHours", "Sum", DAY)],
        "US dollars a day": [("TaxiEtl JobCostUsd", "Sum", DAY)],
        "DPU-hours a day": [("TaxiEtl JobDpuHours", "Sum", DAY)],
    },
}
DIMENSIONS = {
    "AWS/States": [["StateMachineArn", "${WorkflowStateMachine}"]],
    "AWS/SQS": [["QueueName", "${PublishOutputFnGetAttEventsQueueQueueName}"]],
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


def test_the_page_answers_three_questions_with_these_graphs(widgets: list[dict[str, Any]]) -> None:
    found: dict[str, dict[str, Any]] = {}
    for widget in widgets:
        if widget["type"] == "text":
            (question,) = re.findall(r"^## (.+)$", widget["properties"]["markdown"], re.MULTILINE)
            found[question] = {}
        elif widget["type"] == "metric":
            shown = [(metric, stat, period) for metric, _, stat, period in lines(widget)]
            found[question][widget["properties"]["title"]] = shown

    assert list(found) == list(QUESTIONS)
    assert found == QUESTIONS


def test_every_graph_shows_this_environments_own_parts(widgets: list[dict[str, Any]]) -> None:
    found: dict[str, set[tuple[str, ...]]] = {}
    for widget in widgets:
        for metric, dimensions, _, _ in lines(widget) if widget["type"] == "metric" else []:
            part = [re.sub(r"[0-9A-F]{8}(?=}|QueueName)", "", word) for word in dimensions]
            found.setdefault(metric.split()[0], set()).add(tuple(part))

    parts_of = {namespace: sorted(list(part) for part in parts) for namespace, parts in found.items()}
    assert parts_of == DIMENSIONS


def test_the_alarms_are_on_top_all_of_them(prod: Stacks, widgets: list[dict[str, Any]]) -> None:
    (shown,) = [widget for widget in widgets if widget["type"] == "alarm"]
    alarms = {f"${{{each.id}.Arn}}" for each in resources(prod.pipeline, "AWS::CloudWatch::Alarm")}

    assert set(shown["properties"]["alarms"]) == alarms
    assert widgets.index(shown) == 1  # after the question that they answer


def test_the_cost_says_what_it_is_made_of(widgets: list[dict[str, Any]]) -> None:
    (text,) = [
        widget["properties"]["markdown"]
        for widget in widgets
        if widget["type"] == "text" and "cost" in widget["properties"]["markdown"]
    ]

    assert "0.308 US dollars" in text
    assert "An estimate" in text
