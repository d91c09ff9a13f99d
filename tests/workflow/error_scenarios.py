"""Scenarios of failing tasks: every retried error, other errors, and timeouts.

The retry delays are literals, calculated from the design: the interval, multiplied by the backoff rate for
each further attempt, up to the maximum delay.
"""

import json
from dataclasses import dataclass, replace

from tests.workflow.scenario import (
    CRAWL_POLL,
    NOT_CRAWLED,
    REJECTED_BESIDE_OTHERS,
    STAGES,
    ExpectedNotification,
    Scenario,
    failure,
    invalid,
    partial,
    success,
)
from tests.workflow.service_answers import (
    REQUEST_ID,
    Answer,
    function_error,
    raised,
    service_error,
)

PUBLISHING_STATES = tuple(name for name in STAGES if name.startswith("Notify"))


@dataclass(frozen=True)
class RetryPolicy:
    """Errors of a task that are retried, and the longest delay before each retry in seconds."""

    state: str
    service: str
    errors: tuple[str, ...]
    delays: tuple[float, ...]


SNS_ERRORS = (
    "InternalErrorException",
    "ThrottledException",
    "KMSThrottlingException",
    "AmazonSNSException",
    "SnsException",
    "SdkClientException",
)
RETRY_POLICIES = (
    RetryPolicy(
        "ValidateInput",
        "Lambda",
        (
            "ServiceException",
            "AWSLambdaException",
            "SdkClientException",
            "ClientExecutionTimeoutException",
            "TooManyRequestsException",
        ),
        (2, 4, 8),
    ),
    RetryPolicy(
        "RunGlueETLJob",
        "Glue",
        ("ConcurrentRunsExceededException", "ResourceNumberLimitExceededException"),
        (60, 90, 135, 202.5, 303.75),
    ),
    RetryPolicy(
        "RunGlueETLJob",
        "Glue",
        (
            "InternalServiceException",
            "ThrottlingException",
            "OperationTimeoutException",
            "AWSGlueException",
        ),
        (30, 60),
    ),
    RetryPolicy("ReadJobResult", "S3", ("S3Exception", "SdkClientException"), (2, 4, 8)),
    RetryPolicy("RunCrawlerUpdate", "Glue", ("CrawlerRunningException",), (60, 90, 135)),
    RetryPolicy(
        "RunCrawlerUpdate",
        "Glue",
        (
            "OperationTimeoutException",
            "InternalServiceException",
            "ThrottlingException",
            "GlueException",
            "SdkClientException",
        ),
        (30, 60),
    ),
    RetryPolicy(
        "CheckCrawlerStatus",
        "Glue",
        ("InternalServiceException", "ThrottlingException", "GlueException", "SdkClientException"),
        (5, 10, 20),
    ),
    *(RetryPolicy(state, "SNS", SNS_ERRORS, (2, 4, 8, 16)) for state in PUBLISHING_STATES),
)

TIMEOUTS = {
    "ValidateInput": 75,
    "RunGlueETLJob": 36_000,
    "ReadJobResult": 30,
    "RunCrawlerUpdate": 30,
    "CheckCrawlerStatus": 30,
    **dict.fromkeys(PUBLISHING_STATES, 30),
}
TIMEOUT_CAUSE = "it did not end within its time limit"


def last_retry_succeeds(policy: RetryPolicy) -> Scenario:
    """Return the scenario in which the last retry succeeds."""
    stage = STAGES[policy.state]
    error = policy.errors[0]
    errors = [service_error(policy.service, error, "try again")] * len(policy.delays)
    retry_delays = [(policy.state, f"{policy.service}.{error}", delay) for delay in policy.delays]
    return Scenario(
        name=f"{policy.state}-recovers-from-{error}",
        answers={**stage.answers, policy.state: [*errors, stage.good_answer]},
        path=[*stage.path_before, policy.state, *stage.path_after],
        error=stage.error,
        cause=stage.cause,
        notifications=stage.notifications,
        retry_delays=retry_delays,
    )


def retries_exhausted(policy: RetryPolicy, error: str) -> Scenario:
    """Return the scenario in which every attempt fails."""
    errors = [service_error(policy.service, error, "try again")] * (len(policy.delays) + 1)
    name = f"{policy.service}.{error}"
    retry_delays = [(policy.state, name, delay) for delay in policy.delays]
    if error == "CrawlerRunningException":
        # The execution waits for the crawl that is running.
        stage = STAGES[policy.state]
        return Scenario(
            name="RunCrawlerUpdate-crawler-keeps-running",
            answers={**stage.answers, policy.state: errors},
            path=[*stage.path_before, policy.state, *CRAWL_POLL, "NotifySuccess"],
            notifications=[success("READY")],
            retry_delays=retry_delays,
        )
    found = caught_error(policy.state, errors, name, "try again", f"retries-exhausted-{error}")
    return replace(found, retry_delays=retry_delays)


def caught_error(state: str, answers: list[Answer], error: str, cause: str, suffix: str) -> Scenario:
    """Return the scenario in which a state's Catch handles an error; the notification shows `cause`."""
    stage = STAGES[state]
    match state:
        case "ValidateInput":
            notifications = [invalid(error, cause)]
        case "RunGlueETLJob" | "ReadJobResult":
            notifications = [failure(error, cause)]
        case "RunCrawlerUpdate" | "CheckCrawlerStatus":
            notifications = [partial(NOT_CRAWLED, cause, crawler_state="FAILED")]
        case _:
            # The failed message was attempted; a message before it was published.
            notifications = [
                each for each in stage.notifications if each in (REJECTED_BESIDE_OTHERS, _own(state))
            ]
    return Scenario(
        name=f"{state}-{suffix}",
        answers={**stage.answers, state: answers},
        path=[*stage.path_before, state, *stage.path_on_error],
        error=stage.failure_error,
        cause=cause if stage.failure_error else "",
        notifications=notifications,
    )


def _own(state: str) -> ExpectedNotification:
    return next(each for each in STAGES[state].notifications if each.state == state)


def task_times_out(state: str) -> Scenario:
    """Return the scenario in which the answer comes a second after the task's timeout."""
    answer = {**STAGES[state].good_answer, "AfterSeconds": TIMEOUTS[state] + 1}
    return caught_error(state, [answer], "States.Timeout", TIMEOUT_CAUSE, "task-timeout")


def answer_at_timeout(state: str) -> Scenario:
    """Return the scenario in which the answer comes at the task's timeout, which is early enough."""
    stage = STAGES[state]
    return Scenario(
        name=f"{state}-answers-at-the-timeout",
        answers={**stage.answers, state: [{**stage.good_answer, "AfterSeconds": TIMEOUTS[state]}]},
        path=[*stage.path_before, state, *stage.path_after],
        error=stage.error,
        cause=stage.cause,
        notifications=stage.notifications,
    )


def sandbox(kind: str, message: str) -> Answer:
    """Return the error of a function whose process ended."""
    return raised(kind, json.dumps({"errorType": kind, "errorMessage": message}))


FUNCTION_TIMED_OUT = f"RequestId: {REQUEST_ID} Error: Task timed out after 60.00 seconds"
FUNCTION_KILLED = f"RequestId: {REQUEST_ID} Error: Runtime exited with error: signal: killed"
UNKNOWN_FUNCTION_ERROR = (
    "The cause could not be determined because Lambda did not return an error type. Returned payload: {}"
)
# state, suffix of the name, answer, error, cause in the message
UNRETRIED_ERRORS = (
    (
        "ValidateInput",
        "client-error",
        function_error("ClientError", "Access Denied"),
        "ClientError",
        "Access Denied",
    ),
    (
        "ValidateInput",
        "invalid-input",
        function_error("InvalidInputError", "no bucket"),
        "InvalidInputError",
        "no bucket",
    ),
    (
        "ValidateInput",
        "function-timeout",
        sandbox("Sandbox.Timedout", FUNCTION_TIMED_OUT),
        "Sandbox.Timedout",
        FUNCTION_TIMED_OUT,
    ),
    (
        "ValidateInput",
        "function-out-of-memory",
        sandbox("Runtime.ExitError", FUNCTION_KILLED),
        "Runtime.ExitError",
        FUNCTION_KILLED,
    ),
    (
        "ValidateInput",
        "unknown-error",
        raised("Lambda.Unknown", UNKNOWN_FUNCTION_ERROR),
        "Lambda.Unknown",
        UNKNOWN_FUNCTION_ERROR,
    ),
    (
        "ValidateInput",
        "not-found",
        service_error("Lambda", "ResourceNotFoundException", "Function not found", 404),
        "Lambda.ResourceNotFoundException",
        "Function not found",
    ),
    ("ValidateInput", "error-without-cause", raised("Lambda.Odd"), "Lambda.Odd", "AWS named no cause"),
    (
        "RunGlueETLJob",
        "job-not-found",
        service_error("Glue", "EntityNotFoundException", "Failed to start job run: not found"),
        "Glue.EntityNotFoundException",
        "Failed to start job run: not found",
    ),
    (
        "RunGlueETLJob",
        "access-denied",
        service_error("Glue", "AccessDeniedException", "User is not authorized", 403),
        "Glue.AccessDeniedException",
        "User is not authorized",
    ),
    (
        "RunGlueETLJob",
        "cause-is-invalid-json",
        raised("Glue.Odd", '{"JobRunState": "FAI'),
        "Glue.Odd",
        '{"JobRunState": "FAI',
    ),
    ("RunGlueETLJob", "long-cause", raised("Glue.Odd", "x" * 5000), "Glue.Odd", "x" * 900),
    (
        "ReadJobResult",
        "no-such-key",
        service_error("S3", "NoSuchKeyException", "The specified key does not exist.", 404),
        "S3.NoSuchKeyException",
        "The specified key does not exist.",
    ),
    (
        "RunCrawlerUpdate",
        "not-found",
        service_error("Glue", "EntityNotFoundException", "Crawler entry not found"),
        "Glue.EntityNotFoundException",
        "Crawler entry not found",
    ),
    (
        "CheckCrawlerStatus",
        "not-found",
        service_error("Glue", "EntityNotFoundException", "Crawler entry not found"),
        "Glue.EntityNotFoundException",
        "Crawler entry not found",
    ),
    *(
        (
            state,
            "access-denied",
            service_error(
                "SNS", "AuthorizationErrorException", "not authorized to perform: SNS:Publish", 403
            ),
            "SNS.AuthorizationErrorException",
            "not authorized to perform: SNS:Publish",
        )
        for state in PUBLISHING_STATES
    ),
)

ERROR_SCENARIOS = (
    *(retries_exhausted(policy, error) for policy in RETRY_POLICIES for error in policy.errors),
    *(last_retry_succeeds(policy) for policy in RETRY_POLICIES),
    *(
        caught_error(state, [answer], error, cause, suffix)
        for state, suffix, answer, error, cause in UNRETRIED_ERRORS
    ),
    *(task_times_out(state) for state in TIMEOUTS),
    *(answer_at_timeout(state) for state in TIMEOUTS),
)
