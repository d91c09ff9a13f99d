"""Tests of the function for small batches: what it passes to the engine, and what it answers."""

from collections.abc import Callable
from typing import Any

import pytest

from duckdb_engine import job
from lambdas.run_small_batch import handler as small_batch
from loading.engine import Declined
from taxi_etl.anomalies import AnomalyPolicy
from taxi_etl.documents import FileResult, JobResult
from taxi_etl.file_status import FileStatus
from taxi_etl.function_settings import SmallBatchSettings
from taxi_etl.identity import FileVersion
from taxi_etl.table_maintenance import TableMaintenance

MANIFEST = "s3://lake/runs/etl-pipeline-workflow/nightly/manifest.json"
ROLE = "arn:aws:iam::123456789012:role/taxi-table-optimizer"
SETTINGS = SmallBatchSettings("taxi", "s3://lake/warehouse/", 0.25, "fail", "taxi-etl", ROLE, 7, 4096)
SUMMARY = '{"counts": {"loaded": 1}, "error": null}'
LOADED = FileResult(FileVersion("lake", "raw/taxi/a.csv", "v1"), FileStatus.LOADED, "yellow")


class Engine:
    """A fake engine that records its arguments and takes some seconds; it loads, declines or fails."""

    def __init__(self, clock: Callable[..., None]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.error: Exception | None = None
        self._pass_time = clock

    def load(self, manifest_uri: str, **options: Any) -> tuple[JobResult, str]:
        """Record the call."""
        self.calls.append((manifest_uri, options))
        self._pass_time()
        if self.error:
            raise self.error
        return JobResult("nightly", "lake", options["run_id"], (LOADED,), schema_changed=False), SUMMARY


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine, whose loads take two seconds."""
    now = [100.0]
    monkeypatch.setattr(small_batch.time, "monotonic", lambda: now[0])
    fake = Engine(lambda: now.__setitem__(0, now[0] + 2.0))
    monkeypatch.setattr(job, "load", fake.load)
    return fake


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, context: Any, engine: Engine) -> Callable[[], Any]:
    """Call etl-run-small-batch for a manifest, in a function of 3008 MB."""
    for name, value in SETTINGS.to_environment().items():
        monkeypatch.setenv(name, value)
    small_batch._settings.cache_clear()
    context.memory_limit_in_mb = 3008
    return lambda: small_batch.handler({"manifest": MANIFEST}, context)


def test_the_engine_gets_the_manifest_and_the_settings(
    run: Callable[[], Any], engine: Engine, context: Any
) -> None:
    run()

    assert engine.calls == [
        (
            MANIFEST,
            {
                "database": "taxi",
                "warehouse": "s3://lake/warehouse/",
                "max_quarantine_share": 0.25,
                "anomaly_policy": AnomalyPolicy.FAIL,
                "command": "taxi-etl",
                "run_id": f"lambda_{context.aws_request_id}",
                "maintenance": TableMaintenance(ROLE, 7),
            },
        )
    ]


# 2 s * (3008 / 1024 GB * 0.0000133334 + 3.5 GB of storage * 0.0000000309) + 0.0000002
USD = 0.000079


def test_a_loaded_batch_answers_its_summary_and_cost_and_counts_as_not_declined(
    run: Callable[[], Any], metrics: Callable[[], Any]
) -> None:
    assert run() == {"summary": {"counts": {"loaded": 1}, "error": None}, "costUsd": USD}
    assert metrics() == {"SmallBatchDeclinedPercent": 0, "SmallBatchCostUsd": USD}


def test_a_declined_batch_answers_the_reason_and_counts_as_declined(
    run: Callable[[], Any], engine: Engine, metrics: Callable[[], Any]
) -> None:
    engine.error = Declined("raw/taxi/a.csv has a quote inside a field")

    assert run() == {"declined": "raw/taxi/a.csv has a quote inside a field", "costUsd": USD}
    assert metrics() == {"SmallBatchDeclinedPercent": 100, "SmallBatchCostUsd": USD}


def test_a_long_reason_is_shortened_so_that_the_state_machine_can_carry_it(
    run: Callable[[], Any], engine: Engine
) -> None:
    engine.error = Declined("x" * 300_000)

    assert len(run()["declined"]) == 2000


def test_any_other_error_is_raised_for_the_state_machine_to_catch(
    run: Callable[[], Any], engine: Engine
) -> None:
    engine.error = MemoryError("cannot allocate")

    with pytest.raises(MemoryError, match="cannot allocate"):
        run()
