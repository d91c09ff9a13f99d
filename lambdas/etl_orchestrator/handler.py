"""Handler of etl-orchestrator: batches of SQS messages, and the commands of `taxi-etl`."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import clients
from lambdas.etl_orchestrator import commands, sqs_batch
from lambdas.etl_orchestrator.dispatch import Dispatcher
from lambdas.executions import Executions
from lambdas.observability import logger, metrics
from stores.ledger import Ledger
from taxi_etl.batches import BatchLimits
from taxi_etl.engines import EngineChoice
from taxi_etl.function_settings import OrchestratorSettings


@cache
def _settings() -> OrchestratorSettings:
    return OrchestratorSettings.from_environment(os.environ)


@cache
def _dispatcher() -> Dispatcher:
    settings = _settings()
    return Dispatcher(
        ledger=Ledger(clients.dynamodb(), settings.ledger_table),
        executions=Executions(clients.step_functions(), settings.state_machine_arn),
        limits=BatchLimits(settings.batch_max_files, settings.batch_max_bytes),
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Process a batch of SQS messages and return its failures, or run a command and return its result."""
    if "Records" in event:
        return sqs_batch.process(event["Records"], _dispatcher(), enabled=_settings().enable_orchestration)
    engine = EngineChoice(_settings().engine)
    return commands.run(event, _dispatcher(), context.get_remaining_time_in_millis, engine)
