"""Faults of variables and of task states."""

from tests.workflow.mutants.mutant import Mutant, remove, rename_field, replace_text, set_field

CONDITION = "Condition"
CRAWL = ("CheckCrawlerStatus", "Assign", "crawl")

VARIABLES = (
    Mutant("no Assign", "references", remove("ReadJobResult", "Assign")),
    Mutant("a variable that is not assigned", "references", remove("ValidateInput", "Assign", "summary")),
    Mutant("a renamed variable", "references", rename_field("summary", "result", "ReadJobResult", "Assign")),
    Mutant(
        "an undefined variable",
        "references",
        replace_text("$failure.Cause", "$problem.Cause", "ValidationFailed", "Cause"),
    ),
    Mutant(
        "a variable that is not set on every path",
        "references",
        replace_text("$failure.Cause", "$jobRun.ErrorMessage", "ValidationFailed", "Cause"),
    ),
    Mutant(
        "a mistyped field",
        "references",
        replace_text("counts.loaded", "counts.laoded", "EvaluateResult", "Choices", 0, CONDITION),
    ),
    Mutant(
        "a field that the variable does not have",
        "references",
        replace_text("$crawl.polls", "$crawl.looks", "IsCrawlerRunning", "Choices", 0, CONDITION),
    ),
    Mutant(
        "a mistyped field of a result",
        "references",
        replace_text("result.JobRunState", "result.State", "RunGlueETLJob", "Assign", "jobRun"),
    ),
    Mutant("a JSONPath field", "language", set_field("ReadJobResult", "ResultPath", "$.summary")),
    Mutant(
        "a JSONPath key",
        "language",
        rename_field("--manifest", "--manifest.$", "RunGlueETLJob", "Arguments", "Arguments"),
    ),
    Mutant(
        "a syntax error",
        "references",
        replace_text("= 'SUCCEEDED'", "= 'SUCCEEDED", "CheckGlueJobStatus", "Choices", 0, CONDITION),
    ),
    Mutant(
        "a function that does not exist",
        "references",
        replace_text("$parse", "$eval", "ReadJobResult", "Assign", "summary"),
    ),
    Mutant(
        "polls that are not counted",
        "crawl-never-ends",
        replace_text("$crawl.polls + 1", "$crawl.polls", *CRAWL),
    ),
    Mutant(
        "a count of polls that restarts",
        "crawl-stays-stale",
        replace_text("$crawl.polls", "0", "RunCrawlerUpdate", "Assign", "crawl"),
    ),
    Mutant(
        "a crawl of the same second rejected",
        "crawl-started-0-as-text",
        replace_text(">= $floor", "> $floor", *CRAWL),
    ),
    Mutant(
        "times compared in milliseconds",
        "crawl-started-0-as-number",
        replace_text("$floor($toMillis($crawl.since) / 1000) * 1000", "$toMillis($crawl.since)", *CRAWL),
    ),
    Mutant(
        "seconds treated as milliseconds",
        "crawl-started-1-as-number",
        replace_text("StartTime * 1000", "StartTime", *CRAWL),
    ),
    Mutant(
        "times parsed only from text", "crawl-started-1-as-number", replace_text("'number'", "'none'", *CRAWL)
    ),
    Mutant(
        "only crawls of the same second accepted",
        "crawl-started-1-as-text",
        replace_text(">= $floor", "= $floor", *CRAWL),
    ),
    Mutant(
        "older crawls accepted", "crawl-started--1-as-text", replace_text(">= $floor", "!= $floor", *CRAWL)
    ),
    Mutant(
        "a stale crawl that is not repeated",
        "crawl-has-never-run",
        replace_text("'STALE'", "'RUNNING'", *CRAWL),
    ),
    Mutant(
        "STOPPING treated as failed",
        "crawl-runs-then-succeeds",
        replace_text("'STOPPING'", "'STARTING'", *CRAWL),
    ),
    Mutant(
        "a cancelled crawl accepted",
        "crawl-is-cancelled",
        replace_text("= 'SUCCEEDED'", "!= 'FAILED'", *CRAWL),
    ),
)

TASKS = (
    Mutant("a JSONPath expression", "language", set_field("ReadJobResult", "Arguments", "Key", "$.key")),
    Mutant(
        "an argument that reads its own result",
        "references",
        set_field("NotifyFailure", "Arguments", "Subject", "{% $states.result.Id %}"),
    ),
    Mutant(
        "an API that does not exist",
        "apis",
        set_field("RunCrawlerUpdate", "Resource", "arn:${Partition}:states:::aws-sdk:glue:beginCrawler"),
    ),
    Mutant(
        "a call that does not wait for the job run",
        "references",
        set_field("RunGlueETLJob", "Resource", "arn:${Partition}:states:::glue:startJobRun"),
    ),
    Mutant("a misspelled argument", "apis", rename_field("JobName", "Jobname", "RunGlueETLJob", "Arguments")),
    Mutant(
        "a misspelled nested argument",
        "apis",
        rename_field("NotifyDelayAfter", "NotifyDelay", "RunGlueETLJob", "Arguments", "NotificationProperty"),
    ),
    Mutant("a missing required argument", "apis", remove("ReadJobResult", "Arguments", "Bucket")),
    Mutant("a missing manifest", "one-good-file", remove("RunGlueETLJob", "Arguments", "Arguments")),
    Mutant("no timeout of a task", "error_handling", remove("RunGlueETLJob", "TimeoutSeconds")),
    Mutant(
        "a longer timeout", "ValidateInput-task-timeout", set_field("ValidateInput", "TimeoutSeconds", 90)
    ),
    Mutant(
        "a shorter timeout",
        "RunGlueETLJob-answers-at-the-timeout",
        set_field("RunGlueETLJob", "TimeoutSeconds", 7200),
    ),
    Mutant(
        "a literal ARN",
        "literals",
        set_field("NotifyFailure", "Arguments", "TopicArn", "arn:aws:sns:us-east-1:111122223333:other"),
    ),
    Mutant(
        "a literal account number",
        "literals",
        set_field("ReadJobResult", "Arguments", "Bucket", "111122223333-oubt-datalake"),
    ),
    Mutant(
        "a null argument", "language", set_field("RunGlueETLJob", "Arguments", "NotificationProperty", None)
    ),
    Mutant("no Output", "one-good-file", remove("RunGlueETLJob", "Output")),
    Mutant(
        "a wrong status in a notification",
        "one-good-file",
        replace_text('"SUCCESS"', '"SUCCEEDED"', "NotifySuccess", "Arguments", "Message", "default"),
    ),
    Mutant(
        "another summary key",
        "one-good-file",
        replace_text("summary.json", "result.json", "ReadJobResult", "Arguments", "Key"),
    ),
    Mutant("a shorter wait", "crawl-runs-then-succeeds", set_field("WaitForCrawler", "Seconds", 3)),
    Mutant(
        "a wrong error of a Fail state",
        "only-file-rejected",
        set_field("ValidationFailed", "Error", "ExecutionFailed"),
    ),
    Mutant(
        "a cause that evaluates to nothing",
        "references",
        replace_text("$failure.Cause", "$failure.Casue", "ValidationFailed", "Cause"),
    ),
    Mutant("an unknown state type", "asl_validator", set_field("NotifyGlueJobFailure", "Type", "Pas")),
)
