"""Handlers of etl-close-execution, one for each kind of event: status change, schedule, end of a job run."""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import clients
from lambdas.close_execution.cost import count_cost
from lambdas.close_execution.finalizer import Finalizer
from lambdas.close_execution.last_file_age import hours_since_last_file
from lambdas.close_execution.reconciler import Reconciler
from lambdas.executions import Executions
from lambdas.observability import count, gauge, logger, metrics
from stores.execution_documents import ExecutionDocuments
from stores.ledger import Ledger
from taxi_etl.function_settings import FinalizerSettings
from taxi_etl.job_runs import FAILED_STATES
from taxi_etl.metrics import Metric


@cache
def _settings() -> FinalizerSettings:
    return FinalizerSettings.from_environment(os.environ)


@cache
def _finalizer() -> Finalizer:
    settings = _settings()
    return Finalizer(
        ledger=Ledger(clients.dynamodb(), settings.ledger_table),
        documents=ExecutionDocuments(clients.s3(), settings.runs_bucket, _log_unreadable_document),
        sns=clients.sns(),
        topic_arn=settings.topic_arn,
        command=settings.command,
        chat=settings.chat_notifications,
    )


@cache
def _executions() -> Executions:
    return Executions(clients.step_functions(), _settings().state_machine_arn)


def _log_unreadable_document(uri: str) -> None:
    logger.exception("cannot parse an execution's document", uri=uri)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Pass an event to the handler of its kind."""
    if event.get("sweep"):
        return on_schedule(context.get_remaining_time_in_millis)
    if event.get("source") == "aws.glue":
        return on_job_run_ended(event["detail"])
    return on_status_change(event["detail"], context.get_remaining_time_in_millis())


def on_status_change(detail: Mapping[str, Any], lifetime_ms: int) -> dict[str, Any]:
    """Close the execution whose status change EventBridge reports, if it has ended."""
    execution = _executions().describe_ended(detail)
    return {"closed": execution is not None and _finalizer().close(execution, lifetime_ms)}


def on_schedule(remaining_ms: Callable[[], int]) -> dict[str, Any]:
    """Reconcile the ledger with Step Functions, and send the age of the last file."""
    finalizer, min_age = _finalizer(), timedelta(seconds=_settings().sweep_after_seconds)
    repairs = Reconciler(finalizer, _executions(), min_age, remaining_ms).run()
    gauge(Metric.HOURS_SINCE_LAST_FILE, hours_since_last_file(finalizer.ledger, finalizer.clock()))
    return repairs


def on_job_run_ended(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Count the job run whose end EventBridge reports if it failed, and its cost."""
    count(Metric.JOB_RUNS_FAILED, int(detail["state"] in FAILED_STATES))
    return {"costUsd": count_cost(clients.glue(), detail["jobName"], detail["jobRunId"])}
