"""Scenarios of every path: validation, job runs, results, crawls and crawl policies."""

from tests.workflow.scenario import (
    CATALOG_PATH,
    CRAWL_ANSWERS,
    CRAWL_FAILURE_PATH,
    CRAWL_POLL,
    FAILED_JOB_RUN,
    JOB_FAILURE_PATH,
    JOB_OUT_OF_MEMORY,
    JOB_PATH,
    LOAD_ANSWERS,
    LOAD_PATH,
    NOT_CRAWLED,
    ONE_FILE,
    ONE_OF_TWO_LOADED,
    ONE_REJECTED_ANSWERS,
    ONLY_FILE_REJECTED,
    REJECTED_BESIDE_OTHERS,
    REJECTION_CAUSE,
    TWO_FILES,
    VALIDATION_FAILURE_PATH,
    VALIDATION_PATH,
    Scenario,
    failure,
    invalid,
    partial,
    success,
)
from tests.workflow.service_answers import (
    FILE_KEY,
    JOB_RUN_STATES,
    Answer,
    crawler,
    crawler_started,
    failed_job_run,
    function_error,
    job_run,
    object_text,
    raised,
    service_error,
    summary_object,
    validation_result,
)

FAILED_FILE_CAUSE = "raw/taxi/bad.csv: page 3 is damaged"
ONE_OF_TWO_FAILED = ("1 of 2 files", FAILED_FILE_CAUSE)
POLLS_MAX = 60

VALIDATION_SCENARIOS = (
    Scenario(
        name="one-good-file",
        answers=LOAD_ANSWERS,
        path=[*CATALOG_PATH, "NotifySuccess"],
        notifications=[success()],
        execution_input=ONE_FILE,
    ),
    Scenario(
        name="only-file-rejected",
        answers={"ValidateInput": [validation_result(valid=0, rejected=1)]},
        path=[*VALIDATION_PATH, *VALIDATION_FAILURE_PATH],
        error="ValidationFailed",
        cause=REJECTION_CAUSE,
        notifications=[ONLY_FILE_REJECTED],
    ),
    Scenario(
        name="all-of-many-rejected",
        answers={"ValidateInput": [validation_result(valid=0, rejected=25)]},
        path=[*VALIDATION_PATH, *VALIDATION_FAILURE_PATH],
        error="ValidationFailed",
        cause=f"{REJECTION_CAUSE}; {REJECTION_CAUSE}; {REJECTION_CAUSE}; and 22 more",
        notifications=[
            invalid(
                "ValidationFailed", f"{REJECTION_CAUSE}; {REJECTION_CAUSE}; {REJECTION_CAUSE}; and 22 more"
            )
        ],
    ),
    Scenario(
        name="all-superseded",
        answers={"ValidateInput": [validation_result(valid=0, superseded=2)]},
        path=[*VALIDATION_PATH, "NothingToDo"],
    ),
    Scenario(
        name="rejected-beside-superseded",
        answers={"ValidateInput": [validation_result(valid=0, rejected=1, superseded=1)]},
        path=[*VALIDATION_PATH, *VALIDATION_FAILURE_PATH],
        error="ValidationFailed",
        cause=REJECTION_CAUSE,
        notifications=[invalid("ValidationFailed", REJECTION_CAUSE)],
    ),
    Scenario(
        name="rejected-beside-good",
        answers=ONE_REJECTED_ANSWERS,
        path=[
            *VALIDATION_PATH,
            "NotifyRejectedFiles",
            *JOB_PATH,
            "IsCatalogUpdateNeeded",
            "NotifyPartialSuccess",
        ],
        notifications=[REJECTED_BESIDE_OTHERS, ONE_OF_TWO_LOADED],
        execution_input=TWO_FILES,
    ),
    Scenario(
        name="superseded-beside-good",
        answers={
            **LOAD_ANSWERS,
            "ValidateInput": [validation_result(superseded=1)],
            "ReadJobResult": [summary_object(superseded_before=1)],
        },
        path=[*CATALOG_PATH, "NotifySuccess"],
        notifications=[success("SKIPPED", "1 of 2 files", "Superseded by newer versions: 1")],
        execution_input=TWO_FILES,
    ),
    Scenario(
        name="shorthand-input-validation-error",
        answers={"ValidateInput": [function_error("ClientError", "Access Denied")]},
        path=["ValidateInput", *VALIDATION_FAILURE_PATH],
        error="ValidationFailed",
        cause="Access Denied",
        notifications=[invalid("ClientError", "Access Denied")],
        execution_input={"bucket": "lake", "key": FILE_KEY},
    ),
    Scenario(
        name="input-is-not-an-object",
        answers={"ValidateInput": [function_error("InvalidInputError", "no bucket")]},
        path=["ValidateInput", *VALIDATION_FAILURE_PATH],
        error="ValidationFailed",
        cause="no bucket",
        notifications=[invalid("InvalidInputError", "no bucket")],
        execution_input="nonsense",
    ),
    Scenario(
        name="job-fails-after-rejections",
        answers={**ONE_REJECTED_ANSWERS, "RunGlueETLJob": [FAILED_JOB_RUN]},
        path=[*VALIDATION_PATH, "NotifyRejectedFiles", "RunGlueETLJob", *JOB_FAILURE_PATH],
        error="ExecutionFailed",
        cause="States.TaskFailed: OutOfMemoryError: Java heap space",
        notifications=[REJECTED_BESIDE_OTHERS, JOB_OUT_OF_MEMORY],
    ),
)


def job_run_scenario(state: str, message: str, *, as_error: bool) -> Scenario:
    """Return the scenario of a job run that does not succeed, reported as a result or as an error."""
    error = "States.TaskFailed" if as_error else f"Glue.JobRun.{state}"
    cause = message or f"The job run ended {state}"
    answer = failed_job_run(state, message) if as_error else job_run(state, message)
    return Scenario(
        name=f"job-run-{state}{'-as-error' if as_error else ''}{'-with-message' if message else ''}",
        answers={**LOAD_ANSWERS, "RunGlueETLJob": [answer]},
        path=[
            *VALIDATION_PATH,
            "RunGlueETLJob",
            *([] if as_error else ["CheckGlueJobStatus"]),
            *JOB_FAILURE_PATH,
        ],
        error="ExecutionFailed",
        cause=f"{error}: {cause}",
        notifications=[failure(error, cause)],
    )


JOB_RUN_SCENARIOS = tuple(
    job_run_scenario(state, message, as_error=as_error)
    for state in JOB_RUN_STATES
    if state != "SUCCEEDED"
    for message in ("", "AnalysisException: [TABLE_OR_VIEW_NOT_FOUND]")
    for as_error in (False, True)
)


def failed_result(
    name: str, answer: Answer, error: str, cause: str, path: list[str] | None = None
) -> Scenario:
    """Return the scenario of a result without loaded files, or of a result that cannot be read."""
    return Scenario(
        name=name,
        answers={**LOAD_ANSWERS, "ReadJobResult": [answer]},
        path=[*(path or LOAD_PATH[:-1]), *JOB_FAILURE_PATH],
        error="ExecutionFailed",
        cause=f"{error}: {cause}",
        notifications=[failure(error, cause)],
    )


RESULT_SCENARIOS = (
    failed_result(
        "no-file-loads", summary_object(loaded=0, failed=1), "unreadable", FAILED_FILE_CAUSE, LOAD_PATH
    ),
    Scenario(
        name="all-superseded-during-the-job-run",
        answers={**LOAD_ANSWERS, "ReadJobResult": [summary_object(loaded=0, superseded=1)]},
        path=[*LOAD_PATH, "NothingToDo"],
    ),
    Scenario(
        name="one-fails-one-loads",
        answers={
            **LOAD_ANSWERS,
            "ValidateInput": [validation_result(valid=2)],
            "ReadJobResult": [summary_object(failed=1)],
        },
        path=[*CATALOG_PATH, "NotifyPartialSuccess"],
        notifications=[partial(*ONE_OF_TWO_FAILED)],
        execution_input=TWO_FILES,
    ),
    Scenario(
        name="one-superseded-one-loads",
        answers={
            **LOAD_ANSWERS,
            "ValidateInput": [validation_result(valid=2)],
            "ReadJobResult": [summary_object(superseded=1)],
        },
        path=[*CATALOG_PATH, "NotifySuccess"],
        notifications=[success("SKIPPED", "1 of 2 files", "Superseded by newer versions: 1")],
        execution_input=TWO_FILES,
    ),
    # No Catch handles these errors; the finalizer publishes the notification.
    Scenario(
        name="result-exceeds-the-size-limit",
        answers={**LOAD_ANSWERS, "ReadJobResult": [object_text('{"a": "' + "x" * 262_144 + '"}')]},
        path=LOAD_PATH[:-1],
        error="States.DataLimitExceeded",
        cause="The state/task 'ReadJobResult' returned a result with a size exceeding the maximum number of "
        "bytes service limit.",
    ),
    Scenario(
        name="service-runtime-error",
        answers={"ValidateInput": [raised("States.Runtime", "an error of the service itself")]},
        path=["ValidateInput"],
        error="States.Runtime",
        cause="an error of the service itself",
    ),
)


def crawl_scenario(
    name: str,
    polls: list[Answer],
    *,
    restarts: tuple[int, ...] = (),
    error: str = "",
    failed: int = 0,
) -> Scenario:
    """Return the scenario of a crawl after changed columns.

    `polls` are the crawler's answers; the crawler is started again after the polls in `restarts`, counted
    from 1.
    """
    path: list[str] = ["RunCrawlerUpdate"]
    for poll in range(1, len(polls) + 1):
        path += CRAWL_POLL
        if poll in restarts:
            path.append("RunCrawlerUpdate")
    rest, notification = ["NotifySuccess"], success("READY")
    if failed:
        rest, notification = ["NotifyPartialSuccess"], partial(*ONE_OF_TWO_FAILED, crawler_state="READY")
    if error:
        rest, notification = CRAWL_FAILURE_PATH, partial(NOT_CRAWLED, error, crawler_state="FAILED")
    validated = validation_result(valid=2) if failed else validation_result()
    return Scenario(
        name=f"crawl-{name}",
        answers={
            "ValidateInput": [validated],
            "RunGlueETLJob": [job_run()],
            "ReadJobResult": [summary_object(changed=True, failed=failed)],
            "RunCrawlerUpdate": [crawler_started()] * (1 + len(restarts)),
            "CheckCrawlerStatus": polls,
        },
        path=[*CATALOG_PATH, *path, *rest],
        notifications=[notification],
    )


RUNNING, FRESH, STALE = crawler("RUNNING", started=-3600), crawler(), crawler(started=-3600)
TOO_MANY_POLLS = f"no crawl finished after {POLLS_MAX} polls"
CRAWLER_RUNNING = service_error(
    "Glue", "CrawlerRunningException", "Crawler with name crawler-taxi-raw has already started"
)

CRAWL_SCENARIOS = (
    crawl_scenario("runs-then-succeeds", [RUNNING, crawler("STOPPING", started=-3600), FRESH]),
    crawl_scenario("after-a-partial-load", [FRESH], failed=1),
    crawl_scenario("fails", [crawler(status="FAILED", message="no permission")], error="no permission"),
    crawl_scenario("fails-without-message", [crawler(status="FAILED")], error="the last crawl ended FAILED"),
    crawl_scenario(
        "is-cancelled", [RUNNING, crawler(status="CANCELLED")], error="the last crawl ended CANCELLED"
    ),
    crawl_scenario("is-in-an-unknown-state", [crawler("SLEEPING")], error="the last crawl ended SUCCEEDED"),
    crawl_scenario("has-never-run", [crawler(status=None), FRESH], restarts=(1,)),
    crawl_scenario(
        "stale-and-failed-is-repeated", [crawler(status="FAILED", started=-5), FRESH], restarts=(1,)
    ),
    crawl_scenario(
        "stale-and-cancelled-is-repeated",
        [crawler(status="CANCELLED", started=-5), FRESH],
        restarts=(1,),
    ),
    crawl_scenario("never-ends", [RUNNING] * POLLS_MAX, error=TOO_MANY_POLLS),
    crawl_scenario("ends-at-the-last-poll", [*[RUNNING] * (POLLS_MAX - 1), FRESH]),
    crawl_scenario(
        "stays-stale", [STALE] * POLLS_MAX, restarts=tuple(range(1, POLLS_MAX)), error=TOO_MANY_POLLS
    ),
    crawl_scenario(
        "fresh-at-the-last-poll", [*[STALE] * (POLLS_MAX - 1), FRESH], restarts=tuple(range(1, POLLS_MAX))
    ),
    crawl_scenario(
        "running-and-stale-polls-share-the-limit",
        [RUNNING, STALE, *[RUNNING] * 58],
        restarts=(2,),
        error=TOO_MANY_POLLS,
    ),
    # A crawl counts from the second in which RunCrawlerUpdate was entered; AWS sends text or numbers.
    *(
        crawl_scenario(
            f"started-{started}-as-{time_format}", [crawler(started=started, time_format=time_format)]
        )
        for time_format in ("text", "number")
        for started in (0, 0.25, 1)
    ),
    *(
        crawl_scenario(
            f"started-{started}-as-{time_format}",
            [crawler(started=started, time_format=time_format), FRESH],
            restarts=(1,),
        )
        for time_format in ("text", "number")
        for started in (-0.25, -1)
    ),
    Scenario(
        name="crawl-of-another-execution-is-stale-and-repeated",
        answers={
            **CRAWL_ANSWERS,
            "RunCrawlerUpdate": [
                *[CRAWLER_RUNNING] * 4,
                crawler_started(),
            ],
            "CheckCrawlerStatus": [RUNNING, crawler(started=-60), FRESH],
        },
        path=[
            *CATALOG_PATH,
            "RunCrawlerUpdate",
            *CRAWL_POLL,
            *CRAWL_POLL,
            "RunCrawlerUpdate",
            *CRAWL_POLL,
            "NotifySuccess",
        ],
        notifications=[success("READY")],
        retry_delays=[("RunCrawlerUpdate", "Glue.CrawlerRunningException", delay) for delay in (60, 90, 135)],
    ),
)

POLICY_SCENARIOS = (
    Scenario(
        name="policy-always",
        answers={**CRAWL_ANSWERS, "ReadJobResult": [summary_object()]},
        policy="always",
        path=[*CATALOG_PATH, "RunCrawlerUpdate", *CRAWL_POLL, "NotifySuccess"],
        notifications=[success("READY")],
    ),
    Scenario(
        name="policy-never",
        answers={**LOAD_ANSWERS, "ReadJobResult": [summary_object(changed=True)]},
        policy="never",
        path=[*CATALOG_PATH, "NotifySuccess"],
        notifications=[success()],
    ),
)

PATH_SCENARIOS = (
    *VALIDATION_SCENARIOS,
    *JOB_RUN_SCENARIOS,
    *RESULT_SCENARIOS,
    *CRAWL_SCENARIOS,
    *POLICY_SCENARIOS,
)
