"""Who talks to AWS? Each client once per container, with limits that fit a function's timeout."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

CONNECTIONS = 32
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    max_pool_connections=CONNECTIONS,
    retries={"mode": "standard", "total_max_attempts": 4},
)


@cache
def dynamodb() -> Any:
    """DynamoDB's client that takes and gives plain Python values; safe to share between threads."""
    return boto3.resource("dynamodb", config=_CONFIG).meta.client


@cache
def s3() -> Any:
    """Amazon S3's client."""
    return boto3.client("s3", config=_CONFIG)


@cache
def sns() -> Any:
    """Amazon SNS's client."""
    return boto3.client("sns", config=_CONFIG)


@cache
def glue() -> Any:
    """AWS Glue's client."""
    return boto3.client("glue", config=_CONFIG)


@cache
def step_functions() -> Any:
    """AWS Step Functions' client."""
    return boto3.client("stepfunctions", config=_CONFIG)


def error_code(error: Exception) -> str:
    """The code of botocore's ClientError, empty for another exception."""
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
