"""What if errors were met otherwise? Faults of retries and catches."""

from tests.workflow.mutants.fault import Mutant, delete, put, swap, write

RETRIES = (
    Mutant(
        "an error in two rows",
        "recovery",
        put("RunGlueETLJob", "Retry", 1, "ErrorEquals", ["Glue.ConcurrentRunsExceededException"]),
    ),
    Mutant("no row", "RunGlueETLJob-gives-up-ThrottlingException", delete("RunGlueETLJob", "Retry", 1)),
    Mutant("no retries", "recovery", delete("NotifySuccess", "Retry")),
    Mutant(
        "an attempt less",
        "ReadJobResult-gives-up-S3Exception",
        put("ReadJobResult", "Retry", 0, "MaxAttempts", 2),
    ),
    Mutant(
        "an attempt more",
        "ReadJobResult-gives-up-S3Exception",
        put("ReadJobResult", "Retry", 0, "MaxAttempts", 4),
    ),
    Mutant(
        "another interval",
        "RunCrawlerUpdate-finds-it-running",
        put("RunCrawlerUpdate", "Retry", 0, "IntervalSeconds", 6),
    ),
    Mutant(
        "another backoff",
        "RunGlueETLJob-gives-up-ConcurrentRunsExceededException",
        put("RunGlueETLJob", "Retry", 0, "BackoffRate", 2),
    ),
    Mutant(
        "a delay that cuts short",
        "RunGlueETLJob-gives-up-ConcurrentRunsExceededException",
        put("RunGlueETLJob", "Retry", 0, "MaxDelaySeconds", 300),
    ),
    Mutant("no jitter", "recovery", delete("CheckCrawlerStatus", "Retry", 0, "JitterStrategy")),
    Mutant("no backoff", "recovery", put("CheckCrawlerStatus", "Retry", 0, "BackoffRate", 1)),
    Mutant(
        "an error less",
        "NotifyFailure-gives-up-KMSThrottlingException",
        delete("NotifyFailure", "Retry", 0, "ErrorEquals", 2),
    ),
    Mutant(
        "a misspelt error",
        "recovery",
        put("RunGlueETLJob", "Retry", 0, "ErrorEquals", ["Glue.ConcurrentRunExceededException"]),
    ),
    Mutant(
        "another service's error",
        "recovery",
        put("ReadJobResult", "Retry", 0, "ErrorEquals", ["SNS.SdkClientException"]),
    ),
    Mutant(
        "a failed run tried again",
        "run-FAILED-raises",
        put("RunGlueETLJob", "Retry", 1, "ErrorEquals", ["States.TaskFailed"]),
    ),
    Mutant(
        "everything tried again",
        "ReadJobResult-is-missing",
        put("ReadJobResult", "Retry", 0, "ErrorEquals", ["States.ALL"]),
    ),
    Mutant(
        "everything before what is specific",
        "recovery",
        put("RunGlueETLJob", "Retry", 0, "ErrorEquals", ["States.ALL"]),
    ),
)

CATCHES = (
    Mutant(
        "a catch that comes too late to be asked",
        "recovery",
        put("ReadJobResult", "Catch", 0, "ErrorEquals", ["S3.NoSuchKeyException", "States.ALL"]),
    ),
    Mutant("no catch", "recovery", delete("ReadJobResult", "Catch")),
    Mutant(
        "no catch of what runs already",
        "RunCrawlerUpdate-finds-it-running",
        delete("RunCrawlerUpdate", "Catch", 0),
    ),
    Mutant("catches in another order", "recovery", swap(0, 1, "RunCrawlerUpdate", "Catch")),
    Mutant(
        "a catch that goes elsewhere",
        "CheckCrawlerStatus-is-gone",
        put("CheckCrawlerStatus", "Catch", 0, "Next", "NotifyPartialSuccess"),
    ),
    Mutant(
        "a crawl's error that fails the load",
        "RunCrawlerUpdate-is-gone",
        put("RunCrawlerUpdate", "Catch", 1, "Next", "NotifyGlueJobFailure"),
    ),
    Mutant(
        "a lost message that succeeds",
        "NotifySuccess-is-denied",
        put("NotifySuccess", "Catch", 0, "Next", "NothingToDo"),
    ),
    Mutant(
        "a catch of less", "recovery", put("ValidateInput", "Catch", 0, "ErrorEquals", ["States.TaskFailed"])
    ),
    Mutant("a catch that forgets the variables", "reads", delete("ValidateInput", "Catch", 0, "Assign")),
    Mutant(
        "a catch that keeps an old failure",
        "run-FAILED-raises",
        delete("RunGlueETLJob", "Catch", 0, "Assign", "failure"),
    ),
    Mutant(
        "a catch that reads a result",
        "reads",
        write("errorOutput", "result", "ReadJobResult", "Catch", 0, "Assign", "failure"),
    ),
)
