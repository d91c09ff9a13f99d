"""What may an execution meet, and what must become of it? The shape of a scenario, and the common pieces.

Expected paths, messages and waits are written by hand; nothing here looks at the definition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.workflow.service_answers import (
    BUCKET,
    KEY,
    Answer,
    crawl_started,
    crawler,
    failed_run,
    job_run,
    summarised,
    validated,
)

ON_SCHEMA_CHANGE = "on_schema_change"
ONE_FILE = {
    "bucket": BUCKET,
    "files": [{"key": KEY, "size": 47, "etag": "e", "versionId": "v1", "sequencer": "0061"}],
    "trigger": "s3",
}
TWO_FILES = {
    "bucket": BUCKET,
    "files": [{"key": "raw/taxi/a.csv", "versionId": "a1"}, {"key": "raw/taxi/b.csv", "versionId": "b1"}],
    "trigger": "s3",
}

VALIDATE = ["ValidateInput", "CheckValidation"]
TO_RESULT = ["RunGlueETLJob", "CheckGlueJobStatus", "ReadJobResult", "EvaluateResult"]
LOAD = [*VALIDATE, *TO_RESULT]
CATALOG = [*LOAD, "IsCatalogUpdateNeeded"]
LOOK = ["WaitForCrawler", "CheckCrawlerStatus", "IsCrawlerRunning"]
JOB_FAILED = ["NotifyGlueJobFailure", "NotifyFailure", "ExecutionFailed"]
CRAWL_FAILED = ["HandleCrawlerFailure", "NotifyPartialSuccess"]
INVALID = ["NotifyValidationFailure", "ValidationFailed"]
LOADED = ("8 rows written", "2 quarantined")
NOT_CRAWLED = "the raw zone was not crawled"


@dataclass(frozen=True)
class GoldenNotification:
    """A published message: by which state, its status, and the facts that its text must hold.

    With `error`, the message names that error, and each fact in its cause. The exact words are proven by the
    golden files of the notifications.
    """

    state: str
    status: str
    facts: tuple[str, ...]
    error: str = ""
    crawler_state: str = ""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One execution: what its tasks answer, and everything that must be seen of it.

    `cause` is what the ending's cause must hold. `waited` is (state, error, longest delay in seconds) for
    each retry. `policy` chooses the machine.
    """

    name: str
    answers: Mapping[str, Sequence[Answer]]
    path: Sequence[str]
    error: str = ""
    cause: str = ""
    told: Sequence[GoldenNotification] = ()
    waited: Sequence[tuple[str, str, float]] = ()
    given: Any = field(default_factory=lambda: ONE_FILE)
    policy: str = ON_SCHEMA_CHANGE

    @property
    def status(self) -> str:
        """How the execution ends."""
        return "FAILED" if self.error else "SUCCEEDED"


def success(crawler_state: str = "SKIPPED", *facts: str) -> GoldenNotification:
    """Everything is loaded."""
    return GoldenNotification("NotifySuccess", "SUCCESS", (*LOADED, *facts), crawler_state=crawler_state)


def partial(*facts: str, crawler_state: str = "SKIPPED") -> GoldenNotification:
    """Something is missing."""
    return GoldenNotification(
        "NotifyPartialSuccess", "PARTIAL_SUCCESS", (*LOADED, *facts), crawler_state=crawler_state
    )


def failure(error: str, cause: str) -> GoldenNotification:
    """The job loaded nothing."""
    return GoldenNotification("NotifyFailure", "FAILED", (cause,), error)


def invalid(error: str, cause: str, state: str = "NotifyValidationFailure") -> GoldenNotification:
    """Some or all files cannot be loaded, or their validation failed."""
    return GoldenNotification(state, "VALIDATION_FAILED", (cause,), error)


REASON = f"{KEY}: the magic bytes are missing"
REJECTED_BESIDE_OTHERS = invalid("ValidationFailed", REASON, "NotifyRejectedFiles")
ONE_OF_TWO_LOADED = partial("1 of 2 files", "Rejected, as reported before: 1")
OUT_OF_MEMORY = "OutOfMemoryError: Java heap space"
NO_JOB = failure("States.TaskFailed", OUT_OF_MEMORY)
NO_FILE = invalid("ValidationFailed", REASON)
BAD_RUN = failed_run("FAILED", OUT_OF_MEMORY)

GOOD: dict[str, list[Answer]] = {
    "ValidateInput": [validated()],
    "RunGlueETLJob": [job_run()],
    "ReadJobResult": [summarised()],
}
CRAWLED: dict[str, list[Answer]] = {
    **GOOD,
    "ReadJobResult": [summarised(changed=True)],
    "RunCrawlerUpdate": [crawl_started()],
    "CheckCrawlerStatus": [crawler()],
}
ONE_REJECTED: dict[str, list[Answer]] = {
    **GOOD,
    "ValidateInput": [validated(rejected=1, key=None, label="2 files")],
}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A task on a good way: how to come there, what it answers, what follows, and where its errors lead."""

    before: Sequence[str]
    answers: Mapping[str, Sequence[Answer]]
    good: Answer
    after: Sequence[str]
    told: Sequence[GoldenNotification]
    caught: Sequence[str]
    caught_error: str = ""


REAL: Answer = {"Call": True}
PUBLISH_CAUGHT = {"caught": ["NotificationFailed"], "caught_error": "NotificationFailed", "good": REAL}

STAGES: dict[str, Stage] = {
    "ValidateInput": Stage(
        before=[],
        answers=GOOD,
        good=validated(),
        after=["CheckValidation", *TO_RESULT, "IsCatalogUpdateNeeded", "NotifySuccess"],
        told=[success()],
        caught=INVALID,
        caught_error="ValidationFailed",
    ),
    "RunGlueETLJob": Stage(
        before=VALIDATE,
        answers=GOOD,
        good=job_run(),
        after=[*TO_RESULT[1:], "IsCatalogUpdateNeeded", "NotifySuccess"],
        told=[success()],
        caught=JOB_FAILED,
        caught_error="ExecutionFailed",
    ),
    "ReadJobResult": Stage(
        before=[*VALIDATE, *TO_RESULT[:2]],
        answers=GOOD,
        good=summarised(),
        after=["EvaluateResult", "IsCatalogUpdateNeeded", "NotifySuccess"],
        told=[success()],
        caught=JOB_FAILED,
        caught_error="ExecutionFailed",
    ),
    "RunCrawlerUpdate": Stage(
        before=CATALOG,
        answers=CRAWLED,
        good=crawl_started(),
        after=[*LOOK, "NotifySuccess"],
        told=[success("READY")],
        caught=CRAWL_FAILED,
    ),
    "CheckCrawlerStatus": Stage(
        before=[*CATALOG, "RunCrawlerUpdate", "WaitForCrawler"],
        answers=CRAWLED,
        good=crawler(),
        after=["IsCrawlerRunning", "NotifySuccess"],
        told=[success("READY")],
        caught=CRAWL_FAILED,
    ),
    "NotifyValidationFailure": Stage(
        before=VALIDATE,
        answers={"ValidateInput": [validated(valid=0, rejected=1)]},
        after=["ValidationFailed"],
        told=[NO_FILE],
        **PUBLISH_CAUGHT,
    ),
    "NotifyRejectedFiles": Stage(
        before=VALIDATE,
        answers=ONE_REJECTED,
        after=[*TO_RESULT, "IsCatalogUpdateNeeded", "NotifyPartialSuccess"],
        told=[REJECTED_BESIDE_OTHERS, ONE_OF_TWO_LOADED],
        **PUBLISH_CAUGHT,
    ),
    "NotifyFailure": Stage(
        before=[*VALIDATE, "RunGlueETLJob", "NotifyGlueJobFailure"],
        answers={**GOOD, "RunGlueETLJob": [BAD_RUN]},
        after=["ExecutionFailed"],
        told=[NO_JOB],
        **PUBLISH_CAUGHT,
    ),
    "NotifySuccess": Stage(before=CATALOG, answers=GOOD, after=[], told=[success()], **PUBLISH_CAUGHT),
    "NotifyPartialSuccess": Stage(
        before=[*VALIDATE, "NotifyRejectedFiles", *TO_RESULT, "IsCatalogUpdateNeeded"],
        answers=ONE_REJECTED,
        after=[],
        told=[REJECTED_BESIDE_OTHERS, ONE_OF_TWO_LOADED],
        **PUBLISH_CAUGHT,
    ),
}
