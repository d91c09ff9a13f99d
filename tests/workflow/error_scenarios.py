"""What if a task fails? Every error of every retry row, every other error, and answers that come too late.

The table of waits is section 5 of the design, worked out by hand: interval, then times the backoff, bounded.
"""

import json
from dataclasses import dataclass, replace

from tests.workflow.scenarios import (
    LOOK,
    NOT_CRAWLED,
    OUT_OF_MEMORY,
    REASON,
    REJECTED_BESIDE_OTHERS,
    STAGES,
    GoldenNotification,
    Scenario,
    failure,
    invalid,
    partial,
    success,
)
from tests.workflow.service_answers import (
    REQUEST,
    Answer,
    function_error,
    service_error,
    thrown,
)

PUBLISHES = tuple(name for name in STAGES if name.startswith("Notify"))


@dataclass(frozen=True)
class Row:
    """Errors of a task that are tried again, and what each further attempt waits at most, in seconds."""

    state: str
    service: str
    errors: tuple[str, ...]
    waits: tuple[float, ...]


SNS_ERRORS = (
    "InternalErrorException",
    "ThrottledException",
    "KMSThrottlingException",
    "AmazonSNSException",
    "SdkClientException",
)
ROWS = (
    Row(
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
    Row("RunGlueETLJob", "Glue", ("ConcurrentRunsExceededException",), (60, 90, 135, 202.5, 303.75)),
    Row("RunGlueETLJob", "Glue", ("InternalServiceException", "ThrottlingException"), (30, 60)),
    Row("ReadJobResult", "S3", ("S3Exception", "SdkClientException"), (2, 4, 8)),
    Row("RunCrawlerUpdate", "Glue", ("CrawlerRunningException",), (60, 90, 135)),
    Row("RunCrawlerUpdate", "Glue", ("OperationTimeoutException",), (30, 60)),
    Row(
        "CheckCrawlerStatus",
        "Glue",
        ("InternalServiceException", "ThrottlingException", "GlueException", "SdkClientException"),
        (5, 10, 20),
    ),
    *(Row(state, "SNS", SNS_ERRORS, (2, 4, 8, 16)) for state in PUBLISHES),
)

TIMEOUTS = {
    "ValidateInput": 75,
    "RunGlueETLJob": 36_000,
    "ReadJobResult": 30,
    "RunCrawlerUpdate": 30,
    "CheckCrawlerStatus": 30,
    **dict.fromkeys(PUBLISHES, 30),
}
TOO_LATE = "it did not end within its time limit"


def recovered(row: Row) -> Scenario:
    """The last attempt that the row allows succeeds."""
    stage = STAGES[row.state]
    error = row.errors[0]
    wrong = [service_error(row.service, error, "try again")] * len(row.waits)
    waited = [(row.state, f"{row.service}.{error}", wait) for wait in row.waits]
    return Scenario(
        name=f"{row.state}-recovers-from-{error}",
        answers={**stage.answers, row.state: [*wrong, stage.good]},
        path=[*stage.before, row.state, *stage.after],
        error=stage.after[-1] if stage.after and stage.after[-1] in ENDINGS else "",
        cause=ENDINGS.get(stage.after[-1], "") if stage.after else "",
        told=stage.told,
        waited=waited,
    )


ENDINGS = {"ValidationFailed": REASON, "ExecutionFailed": OUT_OF_MEMORY}
"""With which cause the good ways of the stages end, where they end in a failure."""


def exhausted(row: Row, error: str) -> Scenario:
    """Every attempt fails."""
    wrong = [service_error(row.service, error, "try again")] * (len(row.waits) + 1)
    name = f"{row.service}.{error}"
    waited = [(row.state, name, wait) for wait in row.waits]
    if error == "CrawlerRunningException":
        # The other crawl is waited for, as if it were ours.
        stage = STAGES[row.state]
        return Scenario(
            name="RunCrawlerUpdate-finds-it-running",
            answers={**stage.answers, row.state: wrong},
            path=[*stage.before, row.state, *LOOK, "NotifySuccess"],
            told=[success("READY")],
            waited=waited,
        )
    found = caught(row.state, wrong, name, "try again", f"gives-up-{error}")
    return replace(found, waited=waited)


def caught(state: str, answers: list[Answer], error: str, cause: str, how: str) -> Scenario:
    """An error that is not, or no longer, tried again; `cause` is what people read of it."""
    stage = STAGES[state]
    match state:
        case "ValidateInput":
            told = [invalid(error, cause)]
        case "RunGlueETLJob" | "ReadJobResult":
            told = [failure(error, cause)]
        case "RunCrawlerUpdate" | "CheckCrawlerStatus":
            told = [partial(NOT_CRAWLED, cause, crawler_state="FAILED")]
        case _:
            # The message itself was tried, and so was the one before it, if there is one.
            told = [each for each in stage.told if each in (REJECTED_BESIDE_OTHERS, _own(state))]
    return Scenario(
        name=f"{state}-{how}",
        answers={**stage.answers, state: answers},
        path=[*stage.before, state, *stage.caught],
        error=stage.caught_error,
        cause=cause if stage.caught_error else "",
        told=told,
    )


def _own(state: str) -> GoldenNotification:
    return next(told for told in STAGES[state].told if told.state == state)


def too_late(state: str) -> Scenario:
    """The answer comes a second after the task's timeout."""
    answer = {**STAGES[state].good, "AfterSeconds": TIMEOUTS[state] + 1}
    return caught(state, [answer], "States.Timeout", TOO_LATE, "answers-too-late")


def just_in_time(state: str) -> Scenario:
    """The answer comes with the task's timeout."""
    stage = STAGES[state]
    ending = stage.after[-1] if stage.after else ""
    return Scenario(
        name=f"{state}-answers-just-in-time",
        answers={**stage.answers, state: [{**stage.good, "AfterSeconds": TIMEOUTS[state]}]},
        path=[*stage.before, state, *stage.after],
        error=ending if ending in ENDINGS else "",
        cause=ENDINGS.get(ending, ""),
        told=stage.told,
    )


def _sandbox(kind: str, message: str) -> Answer:
    return thrown(kind, json.dumps({"errorType": kind, "errorMessage": message}))


TIMED_OUT = f"RequestId: {REQUEST} Error: Task timed out after 60.00 seconds"
KILLED = f"RequestId: {REQUEST} Error: Runtime exited with error: signal: killed"
UNKNOWN = (
    "The cause could not be determined because Lambda did not return an error type. Returned payload: {}"
)
# state, how, answer, error, what people read of it
OTHER_ERRORS = (
    (
        "ValidateInput",
        "raises",
        function_error("ClientError", "Access Denied"),
        "ClientError",
        "Access Denied",
    ),
    (
        "ValidateInput",
        "refuses",
        function_error("InvalidInputError", "no bucket"),
        "InvalidInputError",
        "no bucket",
    ),
    ("ValidateInput", "times-out", _sandbox("Sandbox.Timedout", TIMED_OUT), "Sandbox.Timedout", TIMED_OUT),
    ("ValidateInput", "out-of-memory", _sandbox("Runtime.ExitError", KILLED), "Runtime.ExitError", KILLED),
    ("ValidateInput", "unknown", thrown("Lambda.Unknown", UNKNOWN), "Lambda.Unknown", UNKNOWN),
    (
        "ValidateInput",
        "is-gone",
        service_error("Lambda", "ResourceNotFoundException", "Function not found", 404),
        "Lambda.ResourceNotFoundException",
        "Function not found",
    ),
    ("ValidateInput", "silent", thrown("Lambda.Odd"), "Lambda.Odd", "AWS named no cause"),
    (
        "RunGlueETLJob",
        "job-is-gone",
        service_error("Glue", "EntityNotFoundException", "Failed to start job run: not found"),
        "Glue.EntityNotFoundException",
        "Failed to start job run: not found",
    ),
    (
        "RunGlueETLJob",
        "is-denied",
        service_error("Glue", "AccessDeniedException", "User is not authorized", 403),
        "Glue.AccessDeniedException",
        "User is not authorized",
    ),
    (
        "RunGlueETLJob",
        "half-json",
        thrown("Glue.Odd", '{"JobRunState": "FAI'),
        "Glue.Odd",
        '{"JobRunState": "FAI',
    ),
    ("RunGlueETLJob", "long-cause", thrown("Glue.Odd", "x" * 5000), "Glue.Odd", "x" * 1900),
    (
        "ReadJobResult",
        "is-missing",
        service_error("S3", "NoSuchKeyException", "The specified key does not exist.", 404),
        "S3.NoSuchKeyException",
        "The specified key does not exist.",
    ),
    (
        "RunCrawlerUpdate",
        "is-gone",
        service_error("Glue", "EntityNotFoundException", "Crawler entry not found"),
        "Glue.EntityNotFoundException",
        "Crawler entry not found",
    ),
    (
        "CheckCrawlerStatus",
        "is-gone",
        service_error("Glue", "EntityNotFoundException", "Crawler entry not found"),
        "Glue.EntityNotFoundException",
        "Crawler entry not found",
    ),
    *(
        (
            state,
            "is-denied",
            service_error(
                "SNS", "AuthorizationErrorException", "not authorized to perform: SNS:Publish", 403
            ),
            "SNS.AuthorizationErrorException",
            "not authorized to perform: SNS:Publish",
        )
        for state in PUBLISHES
    ),
)

SETBACKS = (
    *(exhausted(row, error) for row in ROWS for error in row.errors),
    *(recovered(row) for row in ROWS),
    *(caught(state, [answer], error, cause, how) for state, how, answer, error, cause in OTHER_ERRORS),
    *(too_late(state) for state in TIMEOUTS),
    *(just_in_time(state) for state in TIMEOUTS),
)
