"""The workflow's retries: one row for each state and kind of error, with the reason.

Failed job runs are not retried: each is paid for, and the same file fails again in the same way. Jitter is
FULL everywhere, so that executions that failed together do not retry together.
"""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

LAMBDA_SERVICE = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
)
GLUE_SERVICE = ("Glue.InternalServiceException", "Glue.ThrottlingException")
GLUE_SDK_SERVICE = (*GLUE_SERVICE, "Glue.GlueException", "Glue.SdkClientException")
S3_SERVICE = ("S3.S3Exception", "S3.SdkClientException")
SNS_SERVICE = (
    "SNS.InternalErrorException",
    "SNS.ThrottledException",
    "SNS.KMSThrottlingException",
    "SNS.AmazonSNSException",
    "SNS.SdkClientException",
)


@dataclass(frozen=True)
class RetryRow:
    """Errors of one state that are retried: after `interval` seconds, then `backoff` times as long."""

    errors: tuple[str, ...]
    attempts: int
    interval: int
    backoff: float
    max_delay: int
    reason: str


RETRIES: dict[str, tuple[RetryRow, ...]] = {
    "ValidateInput": (
        RetryRow(
            LAMBDA_SERVICE, 3, 2, 2.0, 30, "Lambda was throttled or failed before the function answered"
        ),
    ),
    "RunGlueETLJob": (
        RetryRow(
            ("Glue.ConcurrentRunsExceededException",),
            5,
            60,
            1.5,
            600,
            "Glue queues most runs; the rest can start when another run ends",
        ),
        RetryRow(GLUE_SERVICE, 2, 30, 2.0, 120, "Glue refused the call, so no run was started or paid for"),
    ),
    "ReadJobResult": (RetryRow(S3_SERVICE, 3, 2, 2.0, 30, "S3 was throttled or unreachable"),),
    "RunCrawlerUpdate": (
        RetryRow(
            ("Glue.CrawlerRunningException",),
            3,
            60,
            1.5,
            300,
            "another execution's crawl started too early to see this execution's files",
        ),
        RetryRow(("Glue.OperationTimeoutException",), 2, 30, 2.0, 120, "Glue did not answer in time"),
    ),
    "CheckCrawlerStatus": (
        RetryRow(GLUE_SDK_SERVICE, 3, 5, 2.0, 60, "polling again is free and changes nothing"),
    ),
    **{
        state: (
            RetryRow(SNS_SERVICE, 4, 2, 2.0, 60, "the outcome must be published; a duplicate is harmless"),
        )
        for state in (
            "NotifyValidationFailure",
            "NotifyRejectedFiles",
            "NotifyFailure",
            "NotifySuccess",
            "NotifyPartialSuccess",
        )
    },
}


def add_retries(state: sfn.TaskStateBase) -> None:
    """Add the task's retries. Raises KeyError for a task that has none."""
    for row in RETRIES[state.node.id]:
        state.add_retry(
            errors=list(row.errors),
            max_attempts=row.attempts,
            interval=Duration.seconds(row.interval),
            backoff_rate=row.backoff,
            max_delay=Duration.seconds(row.max_delay),
            jitter_strategy=sfn.JitterType.FULL,
        )
