"""Faults of retries and catches."""

from tests.workflow.mutants.mutant import Mutant, remove, replace_text, set_field, swap_entries

RETRIES = (
    Mutant(
        "an error in two retry policies",
        "error_handling",
        set_field("RunGlueETLJob", "Retry", 1, "ErrorEquals", ["Glue.ConcurrentRunsExceededException"]),
    ),
    Mutant(
        "a missing retry policy",
        "RunGlueETLJob-retries-exhausted-ThrottlingException",
        remove("RunGlueETLJob", "Retry", 1),
    ),
    Mutant("no Retry", "error_handling", remove("NotifySuccess", "Retry")),
    Mutant(
        "one attempt too few",
        "ReadJobResult-retries-exhausted-S3Exception",
        set_field("ReadJobResult", "Retry", 0, "MaxAttempts", 2),
    ),
    Mutant(
        "one attempt too many",
        "ReadJobResult-retries-exhausted-S3Exception",
        set_field("ReadJobResult", "Retry", 0, "MaxAttempts", 4),
    ),
    Mutant(
        "another interval",
        "RunCrawlerUpdate-crawler-keeps-running",
        set_field("RunCrawlerUpdate", "Retry", 0, "IntervalSeconds", 6),
    ),
    Mutant(
        "another backoff",
        "RunGlueETLJob-retries-exhausted-ConcurrentRunsExceededException",
        set_field("RunGlueETLJob", "Retry", 0, "BackoffRate", 2),
    ),
    Mutant(
        "a maximum delay that is too short",
        "RunGlueETLJob-retries-exhausted-ConcurrentRunsExceededException",
        set_field("RunGlueETLJob", "Retry", 0, "MaxDelaySeconds", 300),
    ),
    Mutant("no jitter", "error_handling", remove("CheckCrawlerStatus", "Retry", 0, "JitterStrategy")),
    Mutant("no backoff", "error_handling", set_field("CheckCrawlerStatus", "Retry", 0, "BackoffRate", 1)),
    Mutant(
        "an error that is not retried",
        "NotifyFailure-retries-exhausted-KMSThrottlingException",
        remove("NotifyFailure", "Retry", 0, "ErrorEquals", 2),
    ),
    Mutant(
        "a misspelled error",
        "error_handling",
        set_field("RunGlueETLJob", "Retry", 0, "ErrorEquals", ["Glue.ConcurrentRunExceededException"]),
    ),
    Mutant(
        "another service's error",
        "error_handling",
        set_field("ReadJobResult", "Retry", 0, "ErrorEquals", ["SNS.SdkClientException"]),
    ),
    Mutant(
        "a failed job run retried",
        "job-run-FAILED-as-error",
        set_field("RunGlueETLJob", "Retry", 1, "ErrorEquals", ["States.TaskFailed"]),
    ),
    Mutant(
        "every error retried",
        "ReadJobResult-no-such-key",
        set_field("ReadJobResult", "Retry", 0, "ErrorEquals", ["States.ALL"]),
    ),
    Mutant(
        "States.ALL before a specific error",
        "error_handling",
        set_field("RunGlueETLJob", "Retry", 0, "ErrorEquals", ["States.ALL"]),
    ),
)

CATCHES = (
    Mutant(
        "States.ALL together with another error",
        "error_handling",
        set_field("ReadJobResult", "Catch", 0, "ErrorEquals", ["S3.NoSuchKeyException", "States.ALL"]),
    ),
    Mutant("no Catch", "error_handling", remove("ReadJobResult", "Catch")),
    Mutant(
        "no Catch of a running crawler",
        "RunCrawlerUpdate-crawler-keeps-running",
        remove("RunCrawlerUpdate", "Catch", 0),
    ),
    Mutant(
        "States.ALL in the first Catch", "error_handling", swap_entries(0, 1, "RunCrawlerUpdate", "Catch")
    ),
    Mutant(
        "a Catch that skips a state",
        "CheckCrawlerStatus-not-found",
        set_field("CheckCrawlerStatus", "Catch", 0, "Next", "NotifyPartialSuccess"),
    ),
    Mutant(
        "a crawl error that fails the load",
        "RunCrawlerUpdate-not-found",
        set_field("RunCrawlerUpdate", "Catch", 1, "Next", "NotifyGlueJobFailure"),
    ),
    Mutant(
        "a success after a failed notification",
        "NotifySuccess-access-denied",
        set_field("NotifySuccess", "Catch", 0, "Next", "NothingToDo"),
    ),
    Mutant(
        "a Catch of some errors only",
        "error_handling",
        set_field("ValidateInput", "Catch", 0, "ErrorEquals", ["States.TaskFailed"]),
    ),
    Mutant("a Catch without Assign", "references", remove("ValidateInput", "Catch", 0, "Assign")),
    Mutant(
        "a Catch that does not assign the failure",
        "job-run-FAILED-as-error",
        remove("RunGlueETLJob", "Catch", 0, "Assign", "failure"),
    ),
    Mutant(
        "a Catch that reads the result",
        "references",
        replace_text("errorOutput", "result", "ReadJobResult", "Catch", 0, "Assign", "failure"),
    ),
)
