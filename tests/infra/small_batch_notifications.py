"""Outcomes of apps with `engine = auto`, and the answers that lead to them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from taxi_etl.documents import FileResult
from taxi_etl.engines import Engine
from taxi_etl.identity import FileVersion

from .workflow_notifications import FAILED_FHV, LOADED_YELLOW, OUT_OF_DISK, YELLOW, Outcome, died

SMALL_BATCH_USD = 0.000098
DECLINED = "raw/taxi/yellow_tripdata_2024-01.parquet: its pages have checksums"
TIMED_OUT = json.dumps(
    {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: 3f1c Error: Task timed out after 600.00 seconds",
    }
)


def _answered(outcome: Outcome, **answer: Any) -> Outcome:
    outcome.answers["RunSmallBatch"] = [{"Payload": {**answer, "costUsd": SMALL_BATCH_USD}}]
    return outcome


def _loaded(*results: FileResult) -> Outcome:
    """The outcome of a batch that the function loaded; it answers the job's summary."""
    outcome = _batch(*(result.version for result in results)).resulting(*results)
    [summary] = outcome.answers.pop("ReadJobResult")
    return _answered(outcome, summary=json.loads(summary["Body"]))


def _batch(*files: FileVersion) -> Outcome:
    return Outcome(*files, engine=Engine.DUCKDB)


SMALL_BATCH_OUTCOMES: Mapping[str, Callable[[], Outcome]] = {
    "success_small_batch": lambda: _loaded(LOADED_YELLOW),
    "success_small_batch_declined": lambda: _answered(_batch(YELLOW), declined=DECLINED).resulting(
        LOADED_YELLOW
    ),
    "success_small_batch_timed_out": lambda: (
        _batch(YELLOW).raising("RunSmallBatch", "Sandbox.Timedout", TIMED_OUT).resulting(LOADED_YELLOW)
    ),
    "success_large_batch": lambda: Outcome(YELLOW).resulting(LOADED_YELLOW),
    "partial_small_batch": lambda: _loaded(LOADED_YELLOW, FAILED_FHV),
    "failed_small_batch": lambda: _loaded(FAILED_FHV),
    "failed_job_run_after_a_decline": lambda: _answered(_batch(YELLOW), declined=DECLINED).raising(
        "RunGlueETLJob", *died("FAILED", OUT_OF_DISK)
    ),
}
"""The outcomes by name of their golden file."""
