"""How are the functions called in these tests? As Lambda would, with stand-ins behind the clients."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.dynamodb import Table
from fakes.glue import JobRuns
from fakes.s3 import Buckets
from fakes.step_functions import MACHINE, StepFunctions

from lambdas import clients
from lambdas.close_execution import handler as closer
from lambdas.etl_orchestrator import dispatch
from lambdas.etl_orchestrator import handler as orchestrator
from lambdas.validate_input import handler as validator
from taxi_etl.function_settings import FinalizerSettings, OrchestratorSettings, ValidatorSettings

EVENTS = Path(__file__).resolve().parents[2] / "events"
ORCHESTRATOR = OrchestratorSettings(MACHINE, True, "ledger", batch_max_files=99, batch_max_bytes=10**12)
VALIDATOR = ValidatorSettings(runs_bucket="lake", max_file_bytes=10_000_000)
CLOSER = FinalizerSettings(
    state_machine_arn=MACHINE,
    ledger_table="ledger",
    runs_bucket="lake",
    topic_arn="arn:aws:sns:eu-west-1:123456789012:etl-pipeline-notifications",
    sweep_after_seconds=900,
    command="taxi-etl",
)
Handler = Callable[[Any], Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let functions count nothing in silence: they tell Powertools not to warn, and pytest undoes it."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore:No application metrics to publish"))


@pytest.fixture(autouse=True)
def aws(
    *,
    monkeypatch: pytest.MonkeyPatch,
    table: Table,
    s3: Buckets,
    step_functions: StepFunctions,
    topic: Any,
    glue: JobRuns,
) -> None:
    """Put stand-ins behind the clients, and let no function remember another test's settings."""
    monkeypatch.setattr(clients, "dynamodb", lambda: table)
    monkeypatch.setattr(clients, "s3", lambda: s3)
    monkeypatch.setattr(clients, "step_functions", lambda: step_functions)
    monkeypatch.setattr(clients, "sns", lambda: topic)
    monkeypatch.setattr(clients, "glue", lambda: glue)
    remembered = [orchestrator._settings, orchestrator._dispatcher, validator._settings]
    for cached in (*remembered, closer._settings, closer._wiring):
        cached.cache_clear()


def _configure(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the orchestrator paused, in seconds; here no time passes."""
    taken: list[float] = []
    monkeypatch.setattr(dispatch, "sleep", taken.append)
    return taken


@pytest.fixture
def orchestrate(monkeypatch: pytest.MonkeyPatch, context: Any, clock: Any) -> Handler:
    """Call etl-orchestrator with an event, at the time of the clock."""
    _configure(monkeypatch, ORCHESTRATOR.to_environment())
    timed = replace(orchestrator._dispatcher(), clock=clock)
    monkeypatch.setattr(orchestrator, "_dispatcher", lambda: timed)
    orchestrator._settings.cache_clear()
    return lambda event: orchestrator.handler(event, context)


@pytest.fixture
def validate(monkeypatch: pytest.MonkeyPatch, context: Any) -> Handler:
    """Call etl-orchestrator-validate-input with an execution's input; the execution is called `nightly`."""
    _configure(monkeypatch, VALIDATOR.to_environment())
    execution = {"name": "nightly", "arn": "arn:nightly"}
    return lambda given: validator.handler({"input": given, "execution": execution}, context)


@pytest.fixture
def close(monkeypatch: pytest.MonkeyPatch, context: Any, clock: Any) -> Handler:
    """Call etl-close-execution with an event, at the time of the clock."""
    _configure(monkeypatch, CLOSER.to_environment())
    _, executions = closer._wiring()
    timed = replace(closer._wiring()[0], clock=clock)
    monkeypatch.setattr(closer, "_wiring", lambda: (timed, executions))
    return lambda event: closer.handler(event, context)


@pytest.fixture
def sample() -> Callable[[str], dict[str, Any]]:
    """Read an event from tests/events."""

    def read(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        return event

    return read


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, float]]:
    """The metrics sent since the last look, by name."""

    def read() -> dict[str, float]:
        sent: dict[str, float] = {}
        for line in capsys.readouterr().out.splitlines():
            document = json.loads(line) if line.startswith('{"_aws"') else {}
            for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == "TaxiEtl"
                assert directive["Dimensions"] == [["service"]]
                for metric in directive["Metrics"]:
                    sent[metric["Name"]] = sum(document[metric["Name"]])
        return sent

    return read
