"""AWS clients of the functions: one per container, with time limits that fit a function's timeout."""

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
    """Return the DynamoDB client that takes and returns plain Python values; threads may share it."""
    return boto3.resource("dynamodb", config=_CONFIG).meta.client


@cache
def s3() -> Any:
    """Return the Amazon S3 client."""
    return boto3.client("s3", config=_CONFIG)


@cache
def sns() -> Any:
    """Return the Amazon SNS client."""
    return boto3.client("sns", config=_CONFIG)


@cache
def glue() -> Any:
    """Return the AWS Glue client."""
    return boto3.client("glue", config=_CONFIG)


@cache
def step_functions() -> Any:
    """Return the AWS Step Functions client."""
    return boto3.client("stepfunctions", config=_CONFIG)
