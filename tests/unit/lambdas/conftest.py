"""Fixtures that call the functions as AWS Lambda does, with fakes behind their clients."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.dynamodb import FakeTable
from fakes.glue import JobRuns
from fakes.s3 import Buckets
from fakes.step_functions import EXECUTIONS_ARN, MACHINE, StepFunctions

from lambdas import clients
from lambdas.close_execution import handler as finalizer
from lambdas.etl_orchestrator import dispatch
from lambdas.etl_orchestrator import handler as orchestrator
from lambdas.validate_input import handler as validator
from stores.ledger import Ledger
from taxi_etl.function_settings import FinalizerSettings, OrchestratorSettings, ValidatorSettings
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import ExecutionInput, Trigger
from taxi_etl.ledger import Claim

EVENTS = Path(__file__).resolve().parents[2] / "events"
ORCHESTRATOR = OrchestratorSettings(
    MACHINE, True, "ledger", batch_max_files=99, batch_max_bytes=10**12, engine="glue"
)
VALIDATOR = ValidatorSettings(
    runs_bucket="lake",
    max_file_bytes=10_000_000,
    instants="reject",
    engine="glue",
    small_batch_max_parquet_bytes=1_000_000,
    small_batch_max_csv_bytes=500_000,
    small_batch_max_csv_gz_bytes=100_000,
    small_batch_max_columns=30,
)
FINALIZER = FinalizerSettings(
    state_machine_arn=MACHINE,
    ledger_table="ledger",
    runs_bucket="lake",
    topic_arn="arn:aws:sns:eu-west-1:123456789012:etl-pipeline-notifications",
    sweep_after_seconds=900,
    command="taxi-etl",
    chat_notifications=False,
)
Handler = Callable[[Any], Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Suppress Powertools' "no metrics" warning: pytest resets the filter that the functions install."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore:No application metrics to publish"))


@pytest.fixture(autouse=True)
def aws(
    *,
    monkeypatch: pytest.MonkeyPatch,
    table: FakeTable,
    s3: Buckets,
    step_functions: StepFunctions,
    topic: Any,
    glue: JobRuns,
) -> None:
    """Put fakes behind the clients, and clear the caches of settings and clients."""
    monkeypatch.setattr(clients, "dynamodb", lambda: table)
    monkeypatch.setattr(clients, "s3", lambda: s3)
    monkeypatch.setattr(clients, "step_functions", lambda: step_functions)
    monkeypatch.setattr(clients, "sns", lambda: topic)
    monkeypatch.setattr(clients, "glue", lambda: glue)
    caches = [orchestrator._settings, orchestrator._dispatcher, validator._settings]
    for cached in (*caches, finalizer._settings, finalizer._finalizer, finalizer._executions):
        cached.cache_clear()


def _configure(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each of the orchestrator's pauses, which take no time here."""
    seconds: list[float] = []
    monkeypatch.setattr(dispatch, "sleep", seconds.append)
    return seconds


@pytest.fixture
def orchestrate(monkeypatch: pytest.MonkeyPatch, context: Any, clock: Any) -> Handler:
    """Call etl-orchestrator with an event, at the clock's time."""
    _configure(monkeypatch, ORCHESTRATOR.to_environment())
    timed = replace(orchestrator._dispatcher(), clock=clock)
    monkeypatch.setattr(orchestrator, "_dispatcher", lambda: timed)
    orchestrator._settings.cache_clear()
    return lambda event: orchestrator.handler(event, context)


@pytest.fixture
def validate(monkeypatch: pytest.MonkeyPatch, context: Any) -> Handler:
    """Call etl-orchestrator-validate-input with the input of the execution `nightly`."""
    _configure(monkeypatch, VALIDATOR.to_environment())
    execution = {"name": "nightly", "arn": "arn:nightly"}
    return lambda given: validator.handler({"input": given, "execution": execution}, context)


@pytest.fixture
def close(monkeypatch: pytest.MonkeyPatch, context: Any, clock: Any) -> Handler:
    """Call etl-close-execution with an event, at the clock's time."""
    _configure(monkeypatch, FINALIZER.to_environment())
    timed = replace(finalizer._finalizer(), clock=clock)
    monkeypatch.setattr(finalizer, "_finalizer", lambda: timed)
    return lambda event: finalizer.handler(event, context)


@pytest.fixture
def running(ledger: Ledger, step_functions: StepFunctions) -> Callable[..., str]:
    """Claim files for an execution at 11 o'clock, and start it unless `started` is False."""
    claimed_at = "2024-06-01T11:00:00.000Z"

    def begin(*files: FileVersion, name: str = "nightly", started: bool = True) -> str:
        text = ExecutionInput("lake", files, Trigger.S3).dumps()
        assert ledger.claim(Claim(name, text, "s3", files), claimed_at)
        if started:
            step_functions.start_execution(stateMachineArn=MACHINE, name=name, input=text)
            assert ledger.mark_running(name, f"{EXECUTIONS_ARN}:{name}", files, claimed_at)
        return name

    return begin


@pytest.fixture
def close_claim(ledger: Ledger, step_functions: StepFunctions) -> Callable[..., None]:
    """Close an execution and these files of it as the finalizer does; `outcome` as `Ledger.close_file`'s."""
    now, until = "2024-06-01T12:00:00.000Z", "2024-06-01T12:01:00.000Z"

    def close(name: str, *files: FileVersion, **outcome: Any) -> None:
        if name in step_functions.executions:
            step_functions.end(name, "SUCCEEDED")
        for version in files:
            assert ledger.close_file(version, name, {"status": "failed", **outcome}, now)
        lease = ledger.acquire_lease(name, now, until)
        assert lease
        assert ledger.close_execution(lease, {"redrives": 0}, now)

    return close


@pytest.fixture
def sample() -> Callable[[str], dict[str, Any]]:
    """Read an event from tests/events."""

    def read(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        return event

    return read


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, float]]:
    """Return the metrics sent since the previous call, by name."""

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
