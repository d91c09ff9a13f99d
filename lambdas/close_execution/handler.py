"""What does etl-close-execution do? Closes the execution an event tells of, sweeps, counts costs of runs."""

import os
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import clients
from lambdas.close_execution.cost import count_cost
from lambdas.close_execution.finalizer import Finalizer
from lambdas.close_execution.last_file_age import hours_since_last_file
from lambdas.close_execution.reconciler import sweep
from lambdas.execution_documents import ExecutionDocuments
from lambdas.executions import RUNNING, Executions
from lambdas.ledger_table import LedgerTable
from lambdas.observability import gauge, logger, metrics, tracer
from taxi_etl.function_settings import FinalizerSettings
from taxi_etl.metrics import Metric


@cache
def _settings() -> FinalizerSettings:
    return FinalizerSettings.from_environment(os.environ)


@cache
def _wiring() -> tuple[Finalizer, Executions]:
    settings = _settings()
    closer = Finalizer(
        table=LedgerTable(clients.dynamodb(), settings.ledger_table),
        documents=ExecutionDocuments(clients.s3(), settings.runs_bucket),
        sns=clients.sns(),
        topic_arn=settings.topic_arn,
        command=settings.command,
    )
    return closer, Executions(clients.step_functions(), settings.state_machine_arn)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close an execution on its status change, count the cost of a job run on its, or sweep on `sweep`."""
    closer, executions = _wiring()
    remaining = context.get_remaining_time_in_millis
    if event.get("sweep"):
        done = sweep(closer, executions, timedelta(seconds=_settings().sweep_after_seconds), remaining)
        gauge(Metric.HOURS_SINCE_LAST_FILE, hours_since_last_file(closer.table, closer.clock()))
        return done
    detail = event["detail"]
    if event.get("source") == "aws.glue":
        return {"costUsd": count_cost(clients.glue(), detail["jobName"], detail["jobRunId"])}
    if detail["status"] in RUNNING:
        return {"closed": False}
    described = executions.describe(detail["name"])
    if described is None:
        raise LookupError(f"Step Functions does not know execution {detail['name']}, of which it told")
    if not described.ended:
        if described.redrives > detail.get("redriveCount", 0):
            # It was sent on its way again since: what comes of that will be told, and is what counts.
            return {"closed": False}
        # A description may lag behind the event that made us ask.
        error, cause = detail.get("error") or "", detail.get("cause") or ""
        described = replace(described, status=detail["status"], error=error, cause=cause)
    return {"closed": closer.close(described, remaining())}
