"""Tests that the functions log the messages and fields that the deployed saved queries use."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.glue import JobRuns
from fakes.step_functions import EXECUTIONS_ARN, MACHINE, StepFunctions

from lambdas.observability import logger

Handler = Callable[[Any], Any]
TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "snapshots" / "pipeline.json"


def query(title: str) -> str:
    """Return the text of a saved query."""
    found = {
        body["Properties"]["Name"].split("/")[1]: body["Properties"]["QueryString"]
        for body in json.loads(TEMPLATE.read_text())["Resources"].values()
        if body["Type"] == "AWS::Logs::QueryDefinition"
    }
    return str(found[title])


def displayed_fields(text: str) -> list[str]:
    """Return the fields that a query displays, except the time."""
    (fields,) = re.findall(r"^fields @timestamp, (.+)$", text, re.MULTILINE)
    return str(fields).split(", ")


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the logged lines as CloudWatch receives them."""
    return [json.loads(logger.registered_formatter.format(record)) for record in caplog.records]


def value(line: dict[str, Any], path: str) -> Any:
    """Return a field by its name in Logs Insights, such as `counts.files`."""
    found: Any = line
    for name in path.split("."):
        found = found[name]
    return found


def test_the_query_how_executions_ended(
    *, close: Handler, step_functions: StepFunctions, caplog: pytest.LogCaptureFixture
) -> None:
    text = query("how executions ended")
    given = '{"bucket": "lake", "key": "raw/taxi/a.csv"}'
    step_functions.start_execution(stateMachineArn=MACHINE, name="nightly", input=given)
    step_functions.end("nightly", "ABORTED")

    close({"detail": {"name": "nightly", "status": "ABORTED", "executionArn": f"{EXECUTIONS_ARN}:nightly"}})

    (line,) = [line for line in logged(caplog) if f'message = "{line["message"]}"' in text]
    assert displayed_fields(text) == ["execution", "outcome", "counts.files", "counts.failed"]
    assert [value(line, name) for name in displayed_fields(text)] == ["nightly", "ABORTED", 1, 1]


def test_the_query_what_job_runs_cost_by_day(
    *,
    close: Handler,
    glue: JobRuns,
    sample: Callable[[str], dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = query("what job runs cost by day")
    glue.runs["jr_1"] = {"Id": "jr_1", "JobRunState": "SUCCEEDED", "ExecutionTime": 60, "MaxCapacity": 6.0}

    close(sample("job_run_ended"))

    (line,) = [line for line in logged(caplog) if f'message = "{line["message"]}"' in text]
    assert set(re.findall(r"(?:sum|max)\((\w+)\)", text)) == {"cost_usd"}
    assert line["cost_usd"] == 0.0308


def test_the_query_errors_of_the_functions(caplog: pytest.LogCaptureFixture) -> None:
    text = query("errors of the functions")
    try:
        raise ValueError("no such thing")
    except ValueError:
        logger.exception("cannot reconcile an execution")

    (line,) = logged(caplog)
    assert f'level = "{line["level"]}"' in text
    assert displayed_fields(text) == ["service", "message", "exception_name", "exception"]
    assert line["exception_name"] == "ValueError"
    assert "no such thing" in line["exception"]
