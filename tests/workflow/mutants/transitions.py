"""What if the states followed each other otherwise? Faults of transitions and choices."""

from tests.workflow.mutants.fault import Mutant, both, delete, put, swap, write

CONDITION = "Condition"

TRANSITIONS = (
    Mutant("no Next", "graph", delete("ReadJobResult", "Next")),
    Mutant(
        "no Next, but an End",
        "one-good-file",
        both(delete("ReadJobResult", "Next"), put("ReadJobResult", "End", True)),
    ),
    Mutant("a Next that dangles", "graph", put("ReadJobResult", "Next", "EvaluateResults")),
    Mutant("a wrong Next", "one-good-file", put("RunGlueETLJob", "Next", "EvaluateResult")),
    Mutant("a Next past the status", "run-STOPPED", put("RunGlueETLJob", "Next", "ReadJobResult")),
    Mutant(
        "a Next that skips the wait",
        "crawl-never-ends",
        put("RunCrawlerUpdate", "Next", "CheckCrawlerStatus"),
    ),
    Mutant("an endless loop", "graph", put("NotifyFailure", "Next", "NotifyGlueJobFailure")),
    Mutant("an End beside a Next", "asl_validator", put("ReadJobResult", "End", True)),
    Mutant("a state nobody reaches", "graph", put("Idle", {"Type": "Succeed"})),
    Mutant(
        "a success after an announced failure", "no-file-loads", put("ExecutionFailed", {"Type": "Succeed"})
    ),
    Mutant(
        "rejections without a failed end",
        "only-file-rejected",
        put("NotifyValidationFailure", "Next", "NothingToDo"),
    ),
    Mutant(
        "a rejected file that stops the others",
        "rejected-beside-good",
        put("NotifyRejectedFiles", "Next", "ValidationFailed"),
    ),
)

CHOICES = (
    Mutant(
        "a condition that is no boolean",
        "one-good-file",
        put("EvaluateResult", "Choices", 0, CONDITION, "{% $summary.counts.loaded %}"),
    ),
    Mutant("rules in another order", "only-file-rejected", swap(0, 1, "CheckValidation", "Choices")),
    Mutant("the bound after the wait", "crawl-never-ends", swap(0, 1, "IsCrawlerRunning", "Choices")),
    Mutant(
        "partial before whole success", "crawl-runs-then-succeeds", swap(3, 4, "IsCrawlerRunning", "Choices")
    ),
    Mutant("no Default", "graph", delete("EvaluateResult", "Default")),
    Mutant(
        "a wrong Default",
        "all-overtaken-during-the-run",
        put("EvaluateResult", "Default", "NotifyGlueJobFailure"),
    ),
    Mutant("no rule", "crawl-never-happened-before", delete("IsCrawlerRunning", "Choices", 2)),
    Mutant(
        "a rule with a wrong target",
        "no-file-loads",
        put("EvaluateResult", "Choices", 1, "Next", "NothingToDo"),
    ),
    Mutant(
        "success and partial success swapped",
        "one-good-file",
        both(
            put("IsCatalogUpdateNeeded", "Choices", 1, "Next", "NotifyPartialSuccess"),
            put("IsCatalogUpdateNeeded", "Default", "NotifySuccess"),
        ),
    ),
    Mutant(
        "greater or equal for greater",
        "all-superseded",
        write("rejected > 0", "rejected >= 0", "CheckValidation", "Choices", 0, CONDITION),
    ),
    Mutant(
        "less for greater",
        "one-good-file",
        write("loaded > 0", "loaded < 1", "EvaluateResult", "Choices", 0, CONDITION),
    ),
    Mutant(
        "or for and",
        "one-fails-one-loads",
        write(" and ", " or ", "IsCatalogUpdateNeeded", "Choices", 1, CONDITION),
    ),
    Mutant(
        "not equal for equal",
        "run-TIMEOUT",
        write("= 'SUCCEEDED'", "!= 'SUCCEEDED'", "CheckGlueJobStatus", "Choices", 0, CONDITION),
    ),
    Mutant(
        "another state of the run",
        "run-STOPPED",
        write("'SUCCEEDED'", "'STOPPED'", "CheckGlueJobStatus", "Choices", 0, CONDITION),
    ),
    Mutant(
        "one look too many",
        "crawl-never-ends",
        write(">= 60", "> 60", "IsCrawlerRunning", "Choices", 0, CONDITION),
    ),
    Mutant(
        "one look too few",
        "crawl-ends-at-the-last-look",
        write(">= 60", ">= 59", "IsCrawlerRunning", "Choices", 0, CONDITION),
    ),
    Mutant(
        "stale looks without bound",
        "crawl-stays-stale",
        write(
            "($crawl.state = 'RUNNING' or $crawl.state = 'STALE')",
            "$crawl.state = 'RUNNING'",
            "IsCrawlerRunning",
            "Choices",
            0,
            CONDITION,
        ),
    ),
    Mutant(
        "always a crawl", "one-good-file", put("IsCatalogUpdateNeeded", "Choices", 0, CONDITION, "{% true %}")
    ),
    Mutant(
        "a condition without delimiters",
        "asl_validator",
        put("EvaluateResult", "Choices", 0, CONDITION, "$summary.counts.loaded > 0"),
    ),
)
