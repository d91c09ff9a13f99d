"""Faults of the states for small batches."""

from functools import partial

from tests.workflow.mutants.mutant import (
    Mutant,
    remove,
    replace_text,
    set_field,
)

_Mutant = partial(Mutant, engine="auto")

SMALL_BATCHES = (
    _Mutant(
        "every batch is small",
        "large-batch-goes-to-the-job",
        set_field("CheckValidation", "Choices", 3, "Condition", "{% true %}"),
    ),
    _Mutant(
        "every batch beside a rejected file is small",
        "large-batch-beside-a-rejected-file",
        set_field("ChooseEngine", "Choices", 0, "Condition", "{% true %}"),
    ),
    _Mutant(
        "every batch is large",
        "small-batch-loads",
        set_field("CheckValidation", "Choices", 3, "Condition", "{% false %}"),
    ),
    _Mutant(
        "rejected files that bypass the choice of the engine",
        "small-batch-beside-a-rejected-file",
        set_field("NotifyRejectedFiles", "Next", "RunGlueETLJob"),
    ),
    _Mutant(
        "a declined batch that counts as loaded",
        "small-batch-declined",
        set_field("CheckSmallBatch", "Choices", 0, "Condition", "{% false %}"),
    ),
    _Mutant(
        "a loaded batch that is loaded again",
        "small-batch-loads",
        set_field("CheckSmallBatch", "Choices", 0, "Condition", "{% true %}"),
    ),
    _Mutant(
        "a load without loaded files that is crawled",
        "small-batch-was-replaced-meanwhile",
        set_field("CheckSmallBatch", "Choices", 1, "Condition", "{% true %}"),
    ),
    _Mutant(
        "an error of the files that is lost",
        "small-batch-loads-no-file",
        set_field("RunSmallBatch", "Assign", "failure", "{% $failure %}"),
    ),
    _Mutant("a large batch without an engine", "references", remove("ValidateInput", "Assign", "load")),
    _Mutant(
        "a small batch without a crawl's state", "references", remove("RunSmallBatch", "Assign", "crawl")
    ),
    _Mutant("an error that is lost", "small-batch-fails", remove("RunSmallBatch", "Catch", 0, "Assign")),
    _Mutant("a small batch without a job run", "references", remove("RunSmallBatch", "Assign", "jobRun")),
    _Mutant(
        "the reason of a decline is lost",
        "small-batch-declined",
        replace_text(
            "'declined': $answer.declined", "'declined': 'unknown'", "RunSmallBatch", "Assign", "load"
        ),
    ),
    _Mutant(
        "an error that fails the execution",
        "small-batch-runs-out-of-time",
        set_field("RunSmallBatch", "Catch", 0, "Next", "NotifyGlueJobFailure"),
    ),
    _Mutant(
        "a second invocation after a lost answer",
        "small-batch-meets-ClientExecutionTimeoutException",
        set_field(
            "RunSmallBatch",
            "Retry",
            0,
            "ErrorEquals",
            ["Lambda.TooManyRequestsException", "Lambda.ClientExecutionTimeoutException"],
        ),
    ),
    _Mutant(
        "one throttled attempt too few",
        "small-batch-recovers-from-throttling",
        set_field("RunSmallBatch", "Retry", 0, "MaxAttempts", 3),
    ),
    _Mutant(
        "a task that ends before its function",
        "small-batch-answers-at-the-task-timeout",
        set_field("RunSmallBatch", "TimeoutSeconds", 600),
    ),
    _Mutant(
        "no manifest for the function", "small-batch-loads", remove("RunSmallBatch", "Arguments", "Payload")
    ),
    _Mutant(
        "a fallback that the message hides",
        "small-batch-declined",
        replace_text(
            " & ($exists($load.declined)",
            " & (false and $exists($load.declined)",
            "NotifySuccess",
            "Arguments",
            "Message",
            "default",
        ),
    ),
)
