"""Handler of etl-orchestrator-validate-input: the files to load, and the reasons against the others."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import clients
from lambdas.observability import logger
from lambdas.validate_input.validation import validate
from taxi_etl.engines import EngineChoice, SmallBatchLimits, choose_engine
from taxi_etl.file_rules import Limits
from taxi_etl.function_settings import ValidatorSettings
from taxi_etl.inputs import effective_engine, parse_input
from taxi_etl.names import manifest_key
from taxi_etl.s3_uris import s3_uri
from taxi_etl.schema import Instants
from taxi_etl.summaries import validation_summary


@cache
def _settings() -> ValidatorSettings:
    return ValidatorSettings.from_environment(os.environ)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Validate the files of an execution's input, write its manifest and return the summary.

    An invalid file is a result. Raises InvalidInputError for an invalid input, and AWS faults for the state
    machine to retry or to catch.
    """
    settings, s3 = _settings(), clients.s3()
    execution = event["execution"]["name"]
    given = parse_input(event["input"])
    engine = effective_engine(given.engine, EngineChoice(settings.engine))
    manifest = validate(s3, given, execution, Limits(settings.max_file_bytes, Instants(settings.instants)))
    key = manifest_key(execution)
    s3.put_object(
        Bucket=settings.runs_bucket,
        Key=key,
        Body=manifest.dumps().encode(),
        ContentType="application/json",
    )
    decision = choose_engine(manifest.accepted, engine, _small_batch_limits(settings))
    summary = validation_summary(manifest, s3_uri(settings.runs_bucket, key), decision)
    logger.info("validated", execution=execution, counts=summary["counts"], engine=decision.engine)
    return summary


def _small_batch_limits(settings: ValidatorSettings) -> SmallBatchLimits:
    return SmallBatchLimits(
        parquet_bytes=settings.small_batch_max_parquet_bytes,
        csv_bytes=settings.small_batch_max_csv_bytes,
        csv_gz_bytes=settings.small_batch_max_csv_gz_bytes,
        columns=settings.small_batch_max_columns,
    )
