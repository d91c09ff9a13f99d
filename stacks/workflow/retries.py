"""Which errors are worth another try, how often, and why? One row for each state and kind of error.

A failed *job run* stands nowhere here: each repetition is paid, and the same file fails the same way.
Jitter is FULL everywhere, so that executions that failed together do not come back together.
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
    """Errors of one state that are tried again: after `interval` seconds, then `backoff` times as many."""

    errors: tuple[str, ...]
    attempts: int
    interval: int
    backoff: float
    max_delay: int
    reason: str


RETRIES: dict[str, tuple[RetryRow, ...]] = {
    "ValidateInput": (
        RetryRow(LAMBDA_SERVICE, 3, 2, 2.0, 30, "Lambda was busy or unwell; the function has not answered"),
    ),
    "RunGlueETLJob": (
        RetryRow(
            ("Glue.ConcurrentRunsExceededException",),
            5,
            60,
            1.5,
            600,
            "queuing absorbs most of it; what remains is over when another run ends",
        ),
        RetryRow(GLUE_SERVICE, 2, 30, 2.0, 120, "Glue refused the call: no run was started, none is paid"),
    ),
    "ReadJobResult": (RetryRow(S3_SERVICE, 3, 2, 2.0, 30, "S3 asked to slow down or was unreachable"),),
    "RunCrawlerUpdate": (
        RetryRow(
            ("Glue.CrawlerRunningException",),
            3,
            60,
            1.5,
            300,
            "another execution's crawl is about to end, and began too early to see our files",
        ),
        RetryRow(("Glue.OperationTimeoutException",), 2, 30, 2.0, 120, "Glue did not answer in time"),
    ),
    "CheckCrawlerStatus": (
        RetryRow(GLUE_SDK_SERVICE, 3, 5, 2.0, 60, "asking again is free and changes nothing"),
    ),
    **{
        state: (
            RetryRow(
                SNS_SERVICE, 4, 2, 2.0, 60, "people must hear of the outcome; sending twice is harmless"
            ),
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
    """Give a task the retries of its row; a task without one is a mistake (KeyError)."""
    for row in RETRIES[state.node.id]:
        state.add_retry(
            errors=list(row.errors),
            max_attempts=row.attempts,
            interval=Duration.seconds(row.interval),
            backoff_rate=row.backoff,
            max_delay=Duration.seconds(row.max_delay),
            jitter_strategy=sfn.JitterType.FULL,
        )
