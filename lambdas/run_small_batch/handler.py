"""Handler of etl-run-small-batch: loads a batch with DuckDB, or declines it for the Glue job."""

import os
import time
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from duckdb_engine import job
from lambdas.observability import logger, metrics
from lambdas.run_small_batch.reporting import report
from loading.engine import Declined
from taxi_etl.anomalies import AnomalyPolicy
from taxi_etl.function_settings import SmallBatchSettings
from taxi_etl.table_maintenance import TableMaintenance


@cache
def _settings() -> SmallBatchSettings:
    return SmallBatchSettings.from_environment(os.environ)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Load the files of `event["manifest"]`, and write `result.json` next to it as the Glue job does.

    Returns the answer of `reporting.report`. Raises any fault; the state machine then starts the Glue job.
    """
    settings, started = _settings(), time.monotonic()
    summary, declined = "", ""
    try:
        _, summary = job.load(
            event["manifest"],
            database=settings.database,
            warehouse=settings.warehouse,
            max_quarantine_share=settings.max_quarantine_share,
            anomaly_policy=AnomalyPolicy(settings.anomaly_policy),
            command=settings.command,
            run_id=f"lambda_{context.aws_request_id}",
            maintenance=TableMaintenance(settings.optimizer_role, settings.retention_days),
        )
    except Declined as error:
        declined = error.reason
    return report(
        summary,
        declined,
        seconds=time.monotonic() - started,
        memory_mb=int(context.memory_limit_in_mb),
        storage_mb=settings.storage_mb,
    )
