"""The scenario type, and the paths, answers and notifications that scenarios share.

Expected values are literals; none is derived from the definition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.workflow.service_answers import (
    BUCKET,
    FILE_KEY,
    Answer,
    crawler,
    crawler_started,
    failed_job_run,
    job_run,
    summary_object,
    validation_result,
)

ON_SCHEMA_CHANGE = "on_schema_change"
GLUE = "glue"
ONE_FILE = {
    "bucket": BUCKET,
    "files": [{"key": FILE_KEY, "size": 47, "etag": "e", "versionId": "v1", "sequencer": "0061"}],
    "trigger": "s3",
}
TWO_FILES = {
    "bucket": BUCKET,
    "files": [{"key": "raw/taxi/a.csv", "versionId": "a1"}, {"key": "raw/taxi/b.csv", "versionId": "b1"}],
    "trigger": "s3",
}

VALIDATION_PATH = ["ValidateInput", "CheckValidation"]
JOB_PATH = ["RunGlueETLJob", "CheckGlueJobStatus", "ReadJobResult", "EvaluateResult"]
LOAD_PATH = [*VALIDATION_PATH, *JOB_PATH]
CATALOG_PATH = [*LOAD_PATH, "IsCatalogUpdateNeeded"]
CRAWL_POLL = ["WaitForCrawler", "CheckCrawlerStatus", "IsCrawlerRunning"]
JOB_FAILURE_PATH = ["NotifyGlueJobFailure", "NotifyFailure", "ExecutionFailed"]
CRAWL_FAILURE_PATH = ["HandleCrawlerFailure", "NotifyPartialSuccess"]
VALIDATION_FAILURE_PATH = ["NotifyValidationFailure", "ValidationFailed"]
ROW_COUNT_FACTS = ("8 rows written", "2 quarantined")
NOT_CRAWLED = "the raw zone was not crawled"


@dataclass(frozen=True)
class ExpectedNotification:
    """A published message: the state that publishes it, its status, and the facts that its text contains.

    With `error`, the message names that error, and the error's cause contains each fact. `engine` is empty
    where the message has no such field; the message and its field `declined` contain `declined`. The golden
    notifications prove the exact words.
    """

    state: str
    status: str
    facts: tuple[str, ...]
    error: str = ""
    crawler_state: str = ""
    engine: str = ""
    declined: str = ""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One execution: its input, the answers of its tasks, and everything that is expected of it.

    `cause` is contained in the cause of a failed execution. `retry_delays` is (state, error, longest delay in
    seconds) for each retry. `policy` and `engine` are the settings of the state machine.
    """

    name: str
    answers: Mapping[str, Sequence[Answer]]
    path: Sequence[str]
    error: str = ""
    cause: str = ""
    notifications: Sequence[ExpectedNotification] = ()
    retry_delays: Sequence[tuple[str, str, float]] = ()
    execution_input: Any = field(default_factory=lambda: ONE_FILE)
    policy: str = ON_SCHEMA_CHANGE
    engine: str = GLUE

    @property
    def status(self) -> str:
        """The expected status of the execution."""
        return "FAILED" if self.error else "SUCCEEDED"


def success(crawler_state: str = "SKIPPED", *facts: str) -> ExpectedNotification:
    """Return the notification of a load without failures."""
    return ExpectedNotification(
        "NotifySuccess", "SUCCESS", (*ROW_COUNT_FACTS, *facts), crawler_state=crawler_state
    )


def partial(*facts: str, crawler_state: str = "SKIPPED") -> ExpectedNotification:
    """Return the notification of a load with failures."""
    return ExpectedNotification(
        "NotifyPartialSuccess", "PARTIAL_SUCCESS", (*ROW_COUNT_FACTS, *facts), crawler_state=crawler_state
    )


def failure(error: str, cause: str) -> ExpectedNotification:
    """Return the notification of a job that loaded nothing."""
    return ExpectedNotification("NotifyFailure", "FAILED", (cause,), error)


def invalid(error: str, cause: str, state: str = "NotifyValidationFailure") -> ExpectedNotification:
    """Return the notification of rejected files or of a failed validation."""
    return ExpectedNotification(state, "VALIDATION_FAILED", (cause,), error)


REJECTION_CAUSE = f"{FILE_KEY}: the magic bytes are missing"
REJECTED_BESIDE_OTHERS = invalid("ValidationFailed", REJECTION_CAUSE, "NotifyRejectedFiles")
ONE_OF_TWO_LOADED = partial("1 of 2 files", "Rejected, as reported before: 1")
OUT_OF_MEMORY = "OutOfMemoryError: Java heap space"
JOB_OUT_OF_MEMORY = failure("States.TaskFailed", OUT_OF_MEMORY)
ONLY_FILE_REJECTED = invalid("ValidationFailed", REJECTION_CAUSE)
FAILED_JOB_RUN = failed_job_run("FAILED", OUT_OF_MEMORY)
FAILURE_CAUSES = {"ValidationFailed": REJECTION_CAUSE, "ExecutionFailed": OUT_OF_MEMORY}
"""The cause with which the executions of `STAGES` fail, by their error."""

LOAD_ANSWERS: dict[str, list[Answer]] = {
    "ValidateInput": [validation_result()],
    "RunGlueETLJob": [job_run()],
    "ReadJobResult": [summary_object()],
}
CRAWL_ANSWERS: dict[str, list[Answer]] = {
    **LOAD_ANSWERS,
    "ReadJobResult": [summary_object(changed=True)],
    "RunCrawlerUpdate": [crawler_started()],
    "CheckCrawlerStatus": [crawler()],
}
ONE_REJECTED_ANSWERS: dict[str, list[Answer]] = {
    **LOAD_ANSWERS,
    "ValidateInput": [validation_result(rejected=1)],
    "ReadJobResult": [summary_object(rejected=1)],
}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A task within an execution in which it succeeds, and the path after an error of the task.

    `answers` are those of all tasks in that execution. `failure_error` is the error of the execution after an
    error of the task; empty when the execution succeeds anyway.
    """

    path_before: Sequence[str]
    answers: Mapping[str, Sequence[Answer]]
    good_answer: Answer
    path_after: Sequence[str]
    notifications: Sequence[ExpectedNotification]
    path_on_error: Sequence[str]
    failure_error: str = ""

    @property
    def error(self) -> str:
        """The error of the execution in which the task succeeds; empty when that execution succeeds."""
        return self.path_after[-1] if self.path_after and self.path_after[-1] in FAILURE_CAUSES else ""

    @property
    def cause(self) -> str:
        """The cause of the execution in which the task succeeds."""
        return FAILURE_CAUSES.get(self.error, "")


REAL_CALL: Answer = {"Call": True}
PUBLISH_STAGE = {
    "path_on_error": ["NotificationFailed"],
    "failure_error": "NotificationFailed",
    "good_answer": REAL_CALL,
}

STAGES: dict[str, Stage] = {
    "ValidateInput": Stage(
        path_before=[],
        answers=LOAD_ANSWERS,
        good_answer=validation_result(),
        path_after=["CheckValidation", *JOB_PATH, "IsCatalogUpdateNeeded", "NotifySuccess"],
        notifications=[success()],
        path_on_error=VALIDATION_FAILURE_PATH,
        failure_error="ValidationFailed",
    ),
    "RunGlueETLJob": Stage(
        path_before=VALIDATION_PATH,
        answers=LOAD_ANSWERS,
        good_answer=job_run(),
        path_after=[*JOB_PATH[1:], "IsCatalogUpdateNeeded", "NotifySuccess"],
        notifications=[success()],
        path_on_error=JOB_FAILURE_PATH,
        failure_error="ExecutionFailed",
    ),
    "ReadJobResult": Stage(
        path_before=[*VALIDATION_PATH, *JOB_PATH[:2]],
        answers=LOAD_ANSWERS,
        good_answer=summary_object(),
        path_after=["EvaluateResult", "IsCatalogUpdateNeeded", "NotifySuccess"],
        notifications=[success()],
        path_on_error=JOB_FAILURE_PATH,
        failure_error="ExecutionFailed",
    ),
    "RunCrawlerUpdate": Stage(
        path_before=CATALOG_PATH,
        answers=CRAWL_ANSWERS,
        good_answer=crawler_started(),
        path_after=[*CRAWL_POLL, "NotifySuccess"],
        notifications=[success("READY")],
        path_on_error=CRAWL_FAILURE_PATH,
    ),
    "CheckCrawlerStatus": Stage(
        path_before=[*CATALOG_PATH, "RunCrawlerUpdate", "WaitForCrawler"],
        answers=CRAWL_ANSWERS,
        good_answer=crawler(),
        path_after=["IsCrawlerRunning", "NotifySuccess"],
        notifications=[success("READY")],
        path_on_error=CRAWL_FAILURE_PATH,
    ),
    "NotifyValidationFailure": Stage(
        path_before=VALIDATION_PATH,
        answers={"ValidateInput": [validation_result(valid=0, rejected=1)]},
        path_after=["ValidationFailed"],
        notifications=[ONLY_FILE_REJECTED],
        **PUBLISH_STAGE,
    ),
    "NotifyRejectedFiles": Stage(
        path_before=VALIDATION_PATH,
        answers=ONE_REJECTED_ANSWERS,
        path_after=[*JOB_PATH, "IsCatalogUpdateNeeded", "NotifyPartialSuccess"],
        notifications=[REJECTED_BESIDE_OTHERS, ONE_OF_TWO_LOADED],
        **PUBLISH_STAGE,
    ),
    "NotifyFailure": Stage(
        path_before=[*VALIDATION_PATH, "RunGlueETLJob", "NotifyGlueJobFailure"],
        answers={**LOAD_ANSWERS, "RunGlueETLJob": [FAILED_JOB_RUN]},
        path_after=["ExecutionFailed"],
        notifications=[JOB_OUT_OF_MEMORY],
        **PUBLISH_STAGE,
    ),
    "NotifySuccess": Stage(
        path_before=CATALOG_PATH,
        answers=LOAD_ANSWERS,
        path_after=[],
        notifications=[success()],
        **PUBLISH_STAGE,
    ),
    "NotifyPartialSuccess": Stage(
        path_before=[*VALIDATION_PATH, "NotifyRejectedFiles", *JOB_PATH, "IsCatalogUpdateNeeded"],
        answers=ONE_REJECTED_ANSWERS,
        path_after=[],
        notifications=[REJECTED_BESIDE_OTHERS, ONE_OF_TWO_LOADED],
        **PUBLISH_STAGE,
    ),
}
