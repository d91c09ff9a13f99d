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
GLUE_JOB_SERVICE = (
    *GLUE_SERVICE,
    # Glue API reference, StartJobRun, errors.
    "Glue.OperationTimeoutException",
    # AWS SDK for Java 1.x, base class of Glue's exceptions: what the API does not name, such as a 503.
    # Public state machines with `glue:startJobRun.sync` retry it.
    "Glue.AWSGlueException",
)
GLUE_SDK_SERVICE = (
    *GLUE_SERVICE,
    # AWS SDK for Java 2.x, base class of Glue's exceptions, and errors of the client itself.
    "Glue.GlueException",
    "Glue.SdkClientException",
)
S3_SERVICE = ("S3.S3Exception", "S3.SdkClientException")
SNS_SERVICE = (
    "SNS.InternalErrorException",
    "SNS.ThrottledException",
    "SNS.KMSThrottlingException",
    # Base class of SNS's exceptions in the AWS SDK for Java 1.x and 2.x. Which one the optimized integration
    # uses is not documented.
    "SNS.AmazonSNSException",
    "SNS.SnsException",
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
    "RunSmallBatch": (
        RetryRow(
            # Any other error may come from a function that still works, or from files that would fail again.
            # The Glue job takes over at once; a second invocation would double the work.
            ("Lambda.TooManyRequestsException",),
            4,
            5,
            2.0,
            60,
            "Lambda started nothing, and the function loads a small batch sooner than a job run does",
        ),
    ),
    "RunGlueETLJob": (
        RetryRow(
            # Glue API reference, StartJobRun: the second one is the account's quota of DPUs.
            ("Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException"),
            5,
            60,
            1.5,
            600,
            "Glue queues most runs; the rest can start when another run ends",
        ),
        RetryRow(
            GLUE_JOB_SERVICE,
            2,
            30,
            2.0,
            120,
            "Glue refused the call or did not answer it; a second run of the same files changes nothing",
        ),
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
        RetryRow(
            # Glue API reference, StartCrawler; the others are errors of every API.
            ("Glue.OperationTimeoutException", *GLUE_SDK_SERVICE),
            2,
            30,
            2.0,
            120,
            "Glue was throttled or did not answer; starting a running crawler again is refused",
        ),
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
