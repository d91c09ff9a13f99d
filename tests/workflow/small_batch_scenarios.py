"""Scenarios of apps with `engine = auto`: small batches that load, are declined, or meet an error."""

from dataclasses import replace

from tests.workflow.error_scenarios import (
    FUNCTION_KILLED,
    FUNCTION_TIMED_OUT,
    TIMEOUT_CAUSE,
    UNKNOWN_FUNCTION_ERROR,
    sandbox,
)
from tests.workflow.path_scenarios import FAILED_FILE_CAUSE, ONE_OF_TWO_FAILED
from tests.workflow.scenario import (
    CRAWL_POLL,
    FAILED_JOB_RUN,
    JOB_FAILURE_PATH,
    JOB_OUT_OF_MEMORY,
    JOB_PATH,
    ONE_OF_TWO_LOADED,
    ONE_REJECTED_ANSWERS,
    REJECTED_BESIDE_OTHERS,
    TWO_FILES,
    VALIDATION_PATH,
    ExpectedNotification,
    Scenario,
    failure,
    partial,
    success,
)
from tests.workflow.service_answers import (
    Answer,
    crawler,
    crawler_started,
    function_error,
    job_run,
    raised,
    service_error,
    small_batch_declined,
    small_batch_loaded,
    small_batch_without_result,
    summary_object,
    validation_result,
)

AUTO = "auto"
SMALL = {"engine": "duckdb"}
SMALL_PATH = [*VALIDATION_PATH, "RunSmallBatch"]
LOADED_PATH = [*SMALL_PATH, "CheckSmallBatch"]
SMALL_ANSWERS: dict[str, list[Answer]] = {
    "ValidateInput": [validation_result(**SMALL)],
    "RunSmallBatch": [small_batch_loaded()],
    "ReadJobResult": [summary_object()],
}
WHY = "raw/taxi/a.csv has a quote inside a field"
TASK_TIMEOUT_SECONDS = 615
"""The function's 600 seconds, and the margin that lets its own timeout come first."""
THROTTLED = service_error("Lambda", "TooManyRequestsException", "Rate Exceeded.", 429)
THROTTLE_DELAYS = [("RunSmallBatch", "Lambda.TooManyRequestsException", delay) for delay in (5, 10, 20, 40)]


def by(engine: str, notification: ExpectedNotification, declined: str = "") -> ExpectedNotification:
    """Return the notification of a batch that an engine loaded, with the reason why the other did not."""
    return replace(notification, engine=engine, declined=declined)


def loaded_by_the_job(name: str, answer: Answer, declined: str, *, decided: bool = False) -> Scenario:
    """Return the scenario of a small batch that the function does not load, and the Glue job does.

    `decided` is whether the function answered, and did not fail.
    """
    return Scenario(
        name=name,
        engine=AUTO,
        answers={**SMALL_ANSWERS, "RunSmallBatch": [answer], "RunGlueETLJob": [job_run()]},
        path=[
            *SMALL_PATH,
            *(["CheckSmallBatch"] if decided else []),
            *JOB_PATH,
            "IsCatalogUpdateNeeded",
            "NotifySuccess",
        ],
        notifications=[by("glue", success(), declined)],
    )


CHOICES = (
    Scenario(
        name="small-batch-loads",
        engine=AUTO,
        answers=SMALL_ANSWERS,
        path=[*LOADED_PATH, "NotifySuccess"],
        notifications=[by("duckdb", success())],
    ),
    Scenario(
        name="large-batch-goes-to-the-job",
        engine=AUTO,
        answers={
            "ValidateInput": [validation_result()],
            "RunGlueETLJob": [job_run()],
            "ReadJobResult": [summary_object()],
        },
        path=[*VALIDATION_PATH, *JOB_PATH, "IsCatalogUpdateNeeded", "NotifySuccess"],
        notifications=[by("glue", success())],
    ),
    Scenario(
        name="small-batch-beside-a-rejected-file",
        engine=AUTO,
        answers={
            **SMALL_ANSWERS,
            "ValidateInput": [validation_result(rejected=1, **SMALL)],
            "RunSmallBatch": [small_batch_loaded(rejected=1)],
        },
        path=[
            *VALIDATION_PATH,
            "NotifyRejectedFiles",
            "ChooseEngine",
            "RunSmallBatch",
            "CheckSmallBatch",
            "NotifyPartialSuccess",
        ],
        notifications=[REJECTED_BESIDE_OTHERS, by("duckdb", ONE_OF_TWO_LOADED)],
        execution_input=TWO_FILES,
    ),
    Scenario(
        name="large-batch-beside-a-rejected-file",
        engine=AUTO,
        answers=ONE_REJECTED_ANSWERS,
        path=[
            *VALIDATION_PATH,
            "NotifyRejectedFiles",
            "ChooseEngine",
            *JOB_PATH,
            "IsCatalogUpdateNeeded",
            "NotifyPartialSuccess",
        ],
        notifications=[REJECTED_BESIDE_OTHERS, by("glue", ONE_OF_TWO_LOADED)],
        execution_input=TWO_FILES,
    ),
    Scenario(
        name="small-batch-loads-one-of-two-files-and-is-crawled",
        engine=AUTO,
        answers={
            **SMALL_ANSWERS,
            "ValidateInput": [validation_result(valid=2, **SMALL)],
            "RunSmallBatch": [small_batch_loaded(failed=1, changed=True)],
            "RunCrawlerUpdate": [crawler_started()],
            "CheckCrawlerStatus": [crawler()],
        },
        path=[*LOADED_PATH, "RunCrawlerUpdate", *CRAWL_POLL, "NotifyPartialSuccess"],
        notifications=[by("duckdb", partial(*ONE_OF_TWO_FAILED, crawler_state="READY"))],
        execution_input=TWO_FILES,
    ),
    Scenario(
        name="small-batch-loads-no-file",
        engine=AUTO,
        answers={**SMALL_ANSWERS, "RunSmallBatch": [small_batch_loaded(loaded=0, failed=1)]},
        path=[*LOADED_PATH, *JOB_FAILURE_PATH],
        error="ExecutionFailed",
        cause=f"unreadable: {FAILED_FILE_CAUSE}",
        notifications=[by("duckdb", failure("unreadable", FAILED_FILE_CAUSE))],
    ),
    Scenario(
        name="small-batch-was-replaced-meanwhile",
        engine=AUTO,
        answers={**SMALL_ANSWERS, "RunSmallBatch": [small_batch_loaded(loaded=0, superseded=1)]},
        path=[*LOADED_PATH, "NothingToDo"],
    ),
)

DECLINES = (
    loaded_by_the_job("small-batch-declined", small_batch_declined(WHY), WHY, decided=True),
    loaded_by_the_job("small-batch-without-a-result", small_batch_without_result(), "", decided=True),
    Scenario(
        name="small-batch-declined-and-the-job-fails",
        engine=AUTO,
        answers={
            **SMALL_ANSWERS,
            "RunSmallBatch": [small_batch_declined(WHY)],
            "RunGlueETLJob": [FAILED_JOB_RUN],
        },
        path=[*LOADED_PATH, "RunGlueETLJob", *JOB_FAILURE_PATH],
        error="ExecutionFailed",
        cause="States.TaskFailed: OutOfMemoryError: Java heap space",
        notifications=[by("glue", JOB_OUT_OF_MEMORY, WHY)],
    ),
)

# Errors of which none is retried: the function may still work, or would fail again.
_ERRORS = (
    ("fails", function_error("ClientError", "Access Denied"), "ClientError: Access Denied"),
    (
        "runs-out-of-time",
        sandbox("Sandbox.Timedout", FUNCTION_TIMED_OUT),
        f"Sandbox.Timedout: {FUNCTION_TIMED_OUT}",
    ),
    (
        "runs-out-of-memory",
        sandbox("Runtime.ExitError", FUNCTION_KILLED),
        f"Runtime.ExitError: {FUNCTION_KILLED}",
    ),
    (
        "ends-without-an-error-type",
        raised("Lambda.Unknown", UNKNOWN_FUNCTION_ERROR),
        f"Lambda.Unknown: {UNKNOWN_FUNCTION_ERROR}",
    ),
    (
        "was-deleted",
        service_error("Lambda", "ResourceNotFoundException", "Function not found", 404),
        "Lambda.ResourceNotFoundException: Function not found",
    ),
    *(
        (f"meets-{error}", service_error("Lambda", error, "try again", 500), f"Lambda.{error}: try again")
        for error in (
            "ServiceException",
            "AWSLambdaException",
            "SdkClientException",
            "ClientExecutionTimeoutException",
        )
    ),
    (
        "answers-after-the-task-timeout",
        small_batch_loaded(after_seconds=TASK_TIMEOUT_SECONDS + 1),
        f"States.Timeout: {TIMEOUT_CAUSE}",
    ),
)
ERRORS = (
    *(loaded_by_the_job(f"small-batch-{name}", answer, why) for name, answer, why in _ERRORS),
    replace(
        loaded_by_the_job(
            "small-batch-throttled", THROTTLED, "Lambda.TooManyRequestsException: Rate Exceeded."
        ),
        answers={**SMALL_ANSWERS, "RunSmallBatch": [THROTTLED] * 5, "RunGlueETLJob": [job_run()]},
        retry_delays=THROTTLE_DELAYS,
    ),
    Scenario(
        name="small-batch-recovers-from-throttling",
        engine=AUTO,
        answers={**SMALL_ANSWERS, "RunSmallBatch": [*[THROTTLED] * 4, small_batch_loaded()]},
        path=[*LOADED_PATH, "NotifySuccess"],
        notifications=[by("duckdb", success())],
        retry_delays=THROTTLE_DELAYS,
    ),
    Scenario(
        name="small-batch-answers-at-the-task-timeout",
        engine=AUTO,
        answers={**SMALL_ANSWERS, "RunSmallBatch": [small_batch_loaded(after_seconds=TASK_TIMEOUT_SECONDS)]},
        path=[*LOADED_PATH, "NotifySuccess"],
        notifications=[by("duckdb", success())],
    ),
)

SMALL_BATCH_SCENARIOS = (*CHOICES, *DECLINES, *ERRORS)
