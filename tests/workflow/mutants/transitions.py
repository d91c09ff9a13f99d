"""Faults of the state machine's own fields, of transitions and of choices."""

from tests.workflow.mutants.mutant import (
    Mutant,
    both,
    remove,
    replace_text,
    set_field,
    set_machine_field,
    swap_entries,
)

CONDITION = "Condition"

MACHINE = (
    Mutant("a StartAt that is not a state", "graph", set_machine_field("StartAt", "ValidateInputs")),
    Mutant("a StartAt that skips a state", "graph", set_machine_field("StartAt", "CheckValidation")),
    Mutant("another QueryLanguage", "language", set_machine_field("QueryLanguage", "JSONPath")),
    Mutant("no timeout of the state machine", "error_handling", set_machine_field("TimeoutSeconds", None)),
)

TRANSITIONS = (
    Mutant("no Next", "graph", remove("ReadJobResult", "Next")),
    Mutant(
        "no Next, but an End",
        "one-good-file",
        both(remove("ReadJobResult", "Next"), set_field("ReadJobResult", "End", True)),
    ),
    Mutant("a Next to a missing state", "graph", set_field("ReadJobResult", "Next", "EvaluateResults")),
    Mutant(
        "a Next that skips a state", "one-good-file", set_field("RunGlueETLJob", "Next", "EvaluateResult")
    ),
    Mutant(
        "a Next that skips the check of the job run",
        "job-run-STOPPED",
        set_field("RunGlueETLJob", "Next", "ReadJobResult"),
    ),
    Mutant(
        "a Next that skips the wait",
        "crawl-never-ends",
        set_field("RunCrawlerUpdate", "Next", "CheckCrawlerStatus"),
    ),
    Mutant("an endless loop", "graph", set_field("NotifyFailure", "Next", "NotifyGlueJobFailure")),
    Mutant("an End together with a Next", "asl_validator", set_field("ReadJobResult", "End", True)),
    Mutant("an unreachable state", "graph", set_field("Idle", {"Type": "Succeed"})),
    Mutant(
        "a success after a failure notification",
        "no-file-loads",
        set_field("ExecutionFailed", {"Type": "Succeed"}),
    ),
    Mutant(
        "a success after a validation failure",
        "only-file-rejected",
        set_field("NotifyValidationFailure", "Next", "NothingToDo"),
    ),
    Mutant(
        "a rejected file that stops the valid files",
        "rejected-beside-good",
        set_field("NotifyRejectedFiles", "Next", "ValidationFailed"),
    ),
)

CHOICES = (
    Mutant(
        "a condition that is not a boolean",
        "one-good-file",
        set_field("EvaluateResult", "Choices", 0, CONDITION, "{% $summary.counts.loaded %}"),
    ),
    Mutant("rules in another order", "only-file-rejected", swap_entries(0, 1, "CheckValidation", "Choices")),
    Mutant(
        "the limit of polls after the wait",
        "crawl-never-ends",
        swap_entries(0, 1, "IsCrawlerRunning", "Choices"),
    ),
    Mutant(
        "partial success before success",
        "crawl-runs-then-succeeds",
        swap_entries(3, 4, "IsCrawlerRunning", "Choices"),
    ),
    Mutant("no Default", "graph", remove("EvaluateResult", "Default")),
    Mutant(
        "a wrong Default",
        "all-superseded-during-the-job-run",
        set_field("EvaluateResult", "Default", "NotifyGlueJobFailure"),
    ),
    Mutant("a missing rule", "crawl-has-never-run", remove("IsCrawlerRunning", "Choices", 2)),
    Mutant(
        "a rule with a wrong target",
        "no-file-loads",
        set_field("EvaluateResult", "Choices", 1, "Next", "NothingToDo"),
    ),
    Mutant(
        "success and partial success swapped",
        "one-good-file",
        both(
            set_field("IsCatalogUpdateNeeded", "Choices", 1, "Next", "NotifyPartialSuccess"),
            set_field("IsCatalogUpdateNeeded", "Default", "NotifySuccess"),
        ),
    ),
    Mutant(
        "greater or equal for greater",
        "all-superseded",
        replace_text("rejected > 0", "rejected >= 0", "CheckValidation", "Choices", 0, CONDITION),
    ),
    Mutant(
        "less for greater",
        "one-good-file",
        replace_text("loaded > 0", "loaded < 1", "EvaluateResult", "Choices", 0, CONDITION),
    ),
    Mutant(
        "or for and",
        "one-fails-one-loads",
        replace_text(" and ", " or ", "IsCatalogUpdateNeeded", "Choices", 1, CONDITION),
    ),
    Mutant(
        "not equal for equal",
        "job-run-TIMEOUT",
        replace_text("= 'SUCCEEDED'", "!= 'SUCCEEDED'", "CheckGlueJobStatus", "Choices", 0, CONDITION),
    ),
    Mutant(
        "another state of the job run",
        "job-run-STOPPED",
        replace_text("'SUCCEEDED'", "'STOPPED'", "CheckGlueJobStatus", "Choices", 0, CONDITION),
    ),
    Mutant(
        "one poll too many",
        "crawl-never-ends",
        replace_text(">= 60", "> 60", "IsCrawlerRunning", "Choices", 0, CONDITION),
    ),
    Mutant(
        "one poll too few",
        "crawl-ends-at-the-last-poll",
        replace_text(">= 60", ">= 59", "IsCrawlerRunning", "Choices", 0, CONDITION),
    ),
    Mutant(
        "unlimited polls of a stale crawl",
        "crawl-stays-stale",
        replace_text(
            "($crawl.state = 'RUNNING' or $crawl.state = 'STALE')",
            "$crawl.state = 'RUNNING'",
            "IsCrawlerRunning",
            "Choices",
            0,
            CONDITION,
        ),
    ),
    Mutant(
        "a crawl after every load",
        "one-good-file",
        set_field("IsCatalogUpdateNeeded", "Choices", 0, CONDITION, "{% true %}"),
    ),
    Mutant(
        "a condition without delimiters",
        "asl_validator",
        set_field("EvaluateResult", "Choices", 0, CONDITION, "$summary.counts.loaded > 0"),
    ),
)
