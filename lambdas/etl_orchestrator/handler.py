"""What does etl-orchestrator do with an event? Queue messages announce files; anything else is a command."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import clients
from lambdas.etl_orchestrator import commands, sqs_batch
from lambdas.etl_orchestrator.dispatch import Dispatcher
from lambdas.executions import Executions
from lambdas.ledger_table import LedgerTable
from lambdas.observability import logger, metrics, tracer
from taxi_etl.batches import BatchLimits
from taxi_etl.function_settings import OrchestratorSettings


@cache
def _settings() -> OrchestratorSettings:
    return OrchestratorSettings.from_environment(os.environ)


@cache
def _dispatcher() -> Dispatcher:
    settings = _settings()
    return Dispatcher(
        table=LedgerTable(clients.dynamodb(), settings.ledger_table),
        executions=Executions(clients.step_functions(), settings.state_machine_arn),
        limits=BatchLimits(settings.batch_max_files, settings.batch_max_bytes),
    )


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take queue messages (answering which shall come again) or run a command (answering its executions)."""
    if "Records" in event:
        return sqs_batch.take(event["Records"], _dispatcher(), enabled=_settings().enable_orchestration)
    return commands.run(event, _dispatcher(), context.get_remaining_time_in_millis)
