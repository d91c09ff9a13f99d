"""AWS list prices in one region without free tiers, each with its source and date."""

from collections.abc import Mapping
from dataclasses import dataclass

REGION = "us-east-1"


@dataclass(frozen=True)
class Price:
    """The US dollars for one unit; `as_of` is the month in which the price was known to be in effect."""

    usd: float
    unit: str
    source: str
    as_of: str = "2025-12"


PRICES: Mapping[str, Price] = {
    "glue_job": Price(0.308, "DPU-hour", "AWS Glue pricing: Glue 6.0, 30% below 5.x", "2026-11"),
    "glue_crawler": Price(0.44, "DPU-hour", "AWS Glue pricing: crawlers"),
    "glue_optimizer": Price(0.44, "DPU-hour", "AWS Glue pricing: table optimizers"),
    "catalog_request": Price(0.000001, "request", "AWS Glue pricing: Data Catalog, beyond the first million"),
    "function_memory": Price(0.0000133334, "GB-second", "AWS Lambda pricing: arm64"),
    "function_storage": Price(0.0000000309, "GB-second", "AWS Lambda pricing: ephemeral storage"),
    "function_request": Price(0.0000002, "request", "AWS Lambda pricing: requests"),
    "state_transition": Price(0.000025, "transition", "AWS Step Functions pricing: standard workflows"),
    "sns_publish": Price(0.0000005, "request", "Amazon SNS pricing: requests, standard topics"),
    "sns_email": Price(0.00002, "e-mail", "Amazon SNS pricing: 2.00 for 100,000 e-mails"),
    "sqs_request": Price(0.0000004, "request", "Amazon SQS pricing: standard queues"),
    "dynamodb_write": Price(0.000000625, "write unit", "Amazon DynamoDB pricing: on demand"),
    "dynamodb_read": Price(0.000000125, "read unit", "Amazon DynamoDB pricing: on demand"),
    "s3_put": Price(0.000005, "request", "Amazon S3 pricing: PUT, COPY, POST, LIST of S3 Standard"),
    "s3_get": Price(0.0000004, "request", "Amazon S3 pricing: GET and others of S3 Standard"),
    "s3_storage": Price(0.023, "GB-month", "Amazon S3 pricing: S3 Standard, first 50 TB"),
    "xray_trace": Price(0.000005, "trace", "AWS X-Ray pricing: traces recorded"),
    "kms_request": Price(0.000003, "request", "AWS KMS pricing: symmetric keys"),
    "kms_key": Price(1.00, "key and month", "AWS KMS pricing: customer managed keys"),
    "log_ingestion": Price(0.50, "GB", "Amazon CloudWatch pricing: standard log class"),
    "metric": Price(0.30, "metric and month", "Amazon CloudWatch pricing: first 10,000 custom metrics"),
    "alarm": Price(0.10, "alarm and month", "Amazon CloudWatch pricing: standard resolution"),
    "dashboard": Price(3.00, "dashboard and month", "Amazon CloudWatch pricing: beyond the first three"),
}


def usd(name: str, quantity: float) -> float:
    """The cost of a quantity in US dollars, not rounded."""
    return PRICES[name].usd * quantity
