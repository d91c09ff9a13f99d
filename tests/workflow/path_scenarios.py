"""Which ways lead through the workflow? Validation, job runs and results in all their endings, crawls."""

from tests.workflow.scenarios import (
    BAD_RUN,
    CATALOG,
    CRAWL_FAILED,
    CRAWLED,
    GOOD,
    INVALID,
    JOB_FAILED,
    LOAD,
    LOOK,
    NO_FILE,
    NO_JOB,
    NOT_CRAWLED,
    ONE_FILE,
    ONE_OF_TWO_LOADED,
    ONE_REJECTED,
    REASON,
    REJECTED_BESIDE_OTHERS,
    TO_RESULT,
    TWO_FILES,
    VALIDATE,
    Scenario,
    failure,
    invalid,
    partial,
    success,
)
from tests.workflow.service_answers import (
    KEY,
    RUN_STATES,
    Answer,
    body,
    crawl_started,
    crawler,
    failed_run,
    function_error,
    job_run,
    service_error,
    summarised,
    thrown,
    validated,
)

DAMAGED_CAUSE = "raw/taxi/bad.csv: page 3 is damaged"
ONE_FAILED = ("1 of 2 files", DAMAGED_CAUSE)
POLLS_MAX = 60

VALIDATION = (
    Scenario(
        name="one-good-file", answers=GOOD, path=[*CATALOG, "NotifySuccess"], told=[success()], given=ONE_FILE
    ),
    Scenario(
        name="only-file-rejected",
        answers={"ValidateInput": [validated(valid=0, rejected=1)]},
        path=[*VALIDATE, *INVALID],
        error="ValidationFailed",
        cause=REASON,
        told=[NO_FILE],
    ),
    Scenario(
        name="all-of-many-rejected",
        answers={"ValidateInput": [validated(valid=0, rejected=25, key=None, label="25 files")]},
        path=[*VALIDATE, *INVALID],
        error="ValidationFailed",
        cause=f"{REASON}; {REASON}; {REASON}; and 22 more",
        told=[invalid("ValidationFailed", f"{REASON}; {REASON}; {REASON}; and 22 more")],
    ),
    Scenario(
        name="all-superseded",
        answers={"ValidateInput": [validated(valid=0, superseded=2)]},
        path=[*VALIDATE, "NothingToDo"],
    ),
    Scenario(
        name="rejected-beside-superseded",
        answers={"ValidateInput": [validated(valid=0, rejected=1, superseded=1, key=None, label="2 files")]},
        path=[*VALIDATE, *INVALID],
        error="ValidationFailed",
        cause=REASON,
        told=[invalid("ValidationFailed", REASON)],
    ),
    Scenario(
        name="rejected-beside-good",
        answers=ONE_REJECTED,
        path=[*VALIDATE, "NotifyRejectedFiles", *TO_RESULT, "IsCatalogUpdateNeeded", "NotifyPartialSuccess"],
        told=[REJECTED_BESIDE_OTHERS, ONE_OF_TWO_LOADED],
        given=TWO_FILES,
    ),
    Scenario(
        name="superseded-beside-good",
        answers={**GOOD, "ValidateInput": [validated(superseded=1, key=None, label="2 files")]},
        path=[*CATALOG, "NotifySuccess"],
        told=[success("SKIPPED", "1 of 2 files", "Left to newer versions: 1")],
        given=TWO_FILES,
    ),
    Scenario(
        name="shorthand-input-that-fails",
        answers={"ValidateInput": [function_error("ClientError", "Access Denied")]},
        path=["ValidateInput", *INVALID],
        error="ValidationFailed",
        cause="Access Denied",
        told=[invalid("ClientError", "Access Denied")],
        given={"bucket": "lake", "key": KEY},
    ),
    Scenario(
        name="nonsense-input-that-fails",
        answers={"ValidateInput": [function_error("InvalidInputError", "no bucket")]},
        path=["ValidateInput", *INVALID],
        error="ValidationFailed",
        cause="no bucket",
        told=[invalid("InvalidInputError", "no bucket")],
        given="nonsense",
    ),
    Scenario(
        name="job-fails-after-rejections",
        answers={**ONE_REJECTED, "RunGlueETLJob": [BAD_RUN]},
        path=[*VALIDATE, "NotifyRejectedFiles", "RunGlueETLJob", *JOB_FAILED],
        error="ExecutionFailed",
        cause="States.TaskFailed: OutOfMemoryError: Java heap space",
        told=[REJECTED_BESIDE_OTHERS, NO_JOB],
    ),
)


def run_ended(state: str, message: str, *, raises: bool) -> Scenario:
    """A job run that ends otherwise than SUCCEEDED, with an error line or without."""
    error = "States.TaskFailed" if raises else f"Glue.JobRun.{state}"
    cause = message or f"The job run ended {state}"
    answer = failed_run(state, message) if raises else job_run(state, message)
    return Scenario(
        name=f"run-{state}{'-raises' if raises else ''}{'-says-why' if message else ''}",
        answers={**GOOD, "RunGlueETLJob": [answer]},
        path=[*VALIDATE, "RunGlueETLJob", *([] if raises else ["CheckGlueJobStatus"]), *JOB_FAILED],
        error="ExecutionFailed",
        cause=f"{error}: {cause}",
        told=[failure(error, cause)],
    )


RUNS = tuple(
    run_ended(state, message, raises=raises)
    for state in RUN_STATES
    if state != "SUCCEEDED"
    for message in ("", "AnalysisException: [TABLE_OR_VIEW_NOT_FOUND]")
    for raises in (False, True)
)


def read(name: str, answer: Answer, error: str, cause: str, path: list[str] | None = None) -> Scenario:
    """A result that means that nothing was loaded, or cannot be read."""
    return Scenario(
        name=name,
        answers={**GOOD, "ReadJobResult": [answer]},
        path=[*(path or LOAD[:-1]), *JOB_FAILED],
        error="ExecutionFailed",
        cause=f"{error}: {cause}",
        told=[failure(error, cause)],
    )


RESULTS = (
    read("no-file-loads", summarised(loaded=0, failed=1), "unreadable", DAMAGED_CAUSE, LOAD),
    Scenario(
        name="all-overtaken-during-the-run",
        answers={**GOOD, "ReadJobResult": [summarised(loaded=0, superseded=1)]},
        path=[*LOAD, "NothingToDo"],
    ),
    Scenario(
        name="one-fails-one-loads",
        answers={
            **GOOD,
            "ValidateInput": [validated(valid=2, key=None, label="2 files")],
            "ReadJobResult": [summarised(failed=1)],
        },
        path=[*CATALOG, "NotifyPartialSuccess"],
        told=[partial(*ONE_FAILED)],
        given=TWO_FILES,
    ),
    Scenario(
        name="one-overtaken-one-loads",
        answers={
            **GOOD,
            "ValidateInput": [validated(valid=2, key=None, label="2 files")],
            "ReadJobResult": [summarised(superseded=1)],
        },
        path=[*CATALOG, "NotifySuccess"],
        told=[success("SKIPPED", "1 of 2 files", "Left to newer versions: 1")],
        given=TWO_FILES,
    ),
    # What no catch matches: the closer tells people.
    Scenario(
        name="a-result-beyond-the-size-limit",
        answers={**GOOD, "ReadJobResult": [body('{"a": "' + "x" * 262_144 + '"}')]},
        path=LOAD[:-1],
        error="States.DataLimitExceeded",
        cause="The state/task 'ReadJobResult' returned a result with a size exceeding the maximum number of "
        "bytes service limit.",
    ),
    Scenario(
        name="a-broken-runtime",
        answers={"ValidateInput": [thrown("States.Runtime", "an error of the service itself")]},
        path=["ValidateInput"],
        error="States.Runtime",
        cause="an error of the service itself",
    ),
)


def crawl(
    name: str,
    looks: list[Answer],
    *,
    starts: int = 1,
    restarts: tuple[int, ...] = (),
    error: str = "",
    failed: int = 0,
    rejected: int = 0,
) -> Scenario:
    """A crawl after changed columns; after the looks in `restarts` (from 1) the crawler is started again."""
    path: list[str] = ["RunCrawlerUpdate"]
    for look in range(1, len(looks) + 1):
        path += LOOK
        if look in restarts:
            path.append("RunCrawlerUpdate")
    rest, told = ["NotifySuccess"], success("READY")
    if failed:
        rest, told = ["NotifyPartialSuccess"], partial(*ONE_FAILED, crawler_state="READY")
    if error:
        rest, told = CRAWL_FAILED, partial(NOT_CRAWLED, error, crawler_state="FAILED")
    files = 1 + failed + rejected
    validation = validated() if files == 1 else validated(valid=files, key=None, label=f"{files} files")
    return Scenario(
        name=f"crawl-{name}",
        answers={
            "ValidateInput": [validation],
            "RunGlueETLJob": [job_run()],
            "ReadJobResult": [summarised(changed=True, failed=failed)],
            "RunCrawlerUpdate": [crawl_started()] * (1 + len(restarts)),
            "CheckCrawlerStatus": looks,
        },
        path=[*CATALOG, *path, *rest],
        told=[told],
    )


RUNNING, FRESH, STALE = crawler("RUNNING", begun=-3600), crawler(), crawler(begun=-3600)
NEVER_ENDED = f"no crawl was finished after {POLLS_MAX} looks"
BUSY = service_error(
    "Glue", "CrawlerRunningException", "Crawler with name crawler-taxi-raw has already started"
)

CRAWLS = (
    crawl("runs-then-succeeds", [RUNNING, crawler("STOPPING", begun=-3600), FRESH]),
    crawl("after-a-partial-load", [FRESH], failed=1),
    crawl("fails", [crawler(status="FAILED", message="no permission")], error="no permission"),
    crawl("fails-and-says-nothing", [crawler(status="FAILED")], error="the last crawl ended FAILED"),
    crawl("is-cancelled", [RUNNING, crawler(status="CANCELLED")], error="the last crawl ended CANCELLED"),
    crawl("is-in-an-unknown-state", [crawler("SLEEPING")], error="the last crawl ended SUCCEEDED"),
    crawl("never-happened-before", [crawler(status=None), FRESH], restarts=(1,)),
    crawl("stale-and-failed-is-started-again", [crawler(status="FAILED", begun=-5), FRESH], restarts=(1,)),
    crawl(
        "stale-and-cancelled-is-started-again", [crawler(status="CANCELLED", begun=-5), FRESH], restarts=(1,)
    ),
    crawl("never-ends", [RUNNING] * POLLS_MAX, error=NEVER_ENDED),
    crawl("ends-at-the-last-look", [*[RUNNING] * (POLLS_MAX - 1), FRESH]),
    crawl("stays-stale", [STALE] * POLLS_MAX, restarts=tuple(range(1, POLLS_MAX)), error=NEVER_ENDED),
    crawl("fresh-at-the-last-look", [*[STALE] * (POLLS_MAX - 1), FRESH], restarts=tuple(range(1, POLLS_MAX))),
    crawl(
        "of-others-and-stale-share-the-looks",
        [RUNNING, STALE, *[RUNNING] * 58],
        restarts=(2,),
        error=NEVER_ENDED,
    ),
    # The second in which RunCrawlerUpdate was entered counts; times are text or numbers.
    *(
        crawl(f"begun-{begun}-as-{kind}", [crawler(begun=begun, kind=kind)])
        for kind in ("text", "number")
        for begun in (0, 0.25, 1)
    ),
    *(
        crawl(f"begun-{begun}-as-{kind}", [crawler(begun=begun, kind=kind), FRESH], restarts=(1,))
        for kind in ("text", "number")
        for begun in (-0.25, -1)
    ),
    Scenario(
        name="crawl-of-another-is-too-old-and-ours-follows",
        answers={
            **CRAWLED,
            "RunCrawlerUpdate": [BUSY, BUSY, BUSY, BUSY, crawl_started()],
            "CheckCrawlerStatus": [RUNNING, crawler(begun=-60), FRESH],
        },
        path=[*CATALOG, "RunCrawlerUpdate", *LOOK, *LOOK, "RunCrawlerUpdate", *LOOK, "NotifySuccess"],
        told=[success("READY")],
        waited=[("RunCrawlerUpdate", "Glue.CrawlerRunningException", wait) for wait in (60, 90, 135)],
    ),
)

POLICIES = (
    Scenario(
        name="policy-always", answers={**CRAWLED, "ReadJobResult": [summarised()]}, policy="always",
        path=[*CATALOG, "RunCrawlerUpdate", *LOOK, "NotifySuccess"], told=[success("READY")],
    ),
    Scenario(
        name="policy-never", answers={**GOOD, "ReadJobResult": [summarised(changed=True)]}, policy="never",
        path=[*CATALOG, "NotifySuccess"], told=[success()],
    ),
)  # fmt: skip

JOURNEYS = (*VALIDATION, *RUNS, *RESULTS, *CRAWLS, *POLICIES)
