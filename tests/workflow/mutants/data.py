"""What if the states read, asked or assigned otherwise? Faults of variables, fields and calls."""

from tests.workflow.mutants.fault import Mutant, delete, put, rename, write

CONDITION = "Condition"
CRAWL = ("CheckCrawlerStatus", "Assign", "crawl")

VARIABLES = (
    Mutant("no Assign", "reads", delete("ReadJobResult", "Assign")),
    Mutant("a variable less", "reads", delete("ValidateInput", "Assign", "summary")),
    Mutant("a renamed variable", "reads", rename("summary", "result", "ReadJobResult", "Assign")),
    Mutant(
        "an undefined variable",
        "reads",
        write("$failure.Cause", "$problem.Cause", "ValidationFailed", "Cause"),
    ),
    Mutant(
        "a variable not set on every way",
        "reads",
        write("$failure.Cause", "$jobRun.ErrorMessage", "ValidationFailed", "Cause"),
    ),
    Mutant(
        "a mistyped field",
        "reads",
        write("counts.loaded", "counts.laoded", "EvaluateResult", "Choices", 0, CONDITION),
    ),
    Mutant(
        "a field of something else",
        "reads",
        write("$crawl.polls", "$crawl.looks", "IsCrawlerRunning", "Choices", 0, CONDITION),
    ),
    Mutant(
        "a mistyped field of a result",
        "reads",
        write("result.JobRunState", "result.State", "RunGlueETLJob", "Assign", "jobRun"),
    ),
    Mutant("a field of JSONPath", "language", put("ReadJobResult", "ResultPath", "$.summary")),
    Mutant(
        "a key of JSONPath",
        "language",
        rename("--manifest", "--manifest.$", "RunGlueETLJob", "Arguments", "Arguments"),
    ),
    Mutant(
        "a syntax error",
        "reads",
        write("= 'SUCCEEDED'", "= 'SUCCEEDED", "CheckGlueJobStatus", "Choices", 0, CONDITION),
    ),
    Mutant(
        "a function that is not there",
        "reads",
        write("$parse", "$eval", "ReadJobResult", "Assign", "summary"),
    ),
    Mutant("looks not counted", "crawl-never-ends", write("$crawl.polls + 1", "$crawl.polls", *CRAWL)),
    Mutant(
        "looks counted anew",
        "crawl-stays-stale",
        write("$crawl.polls", "0", "RunCrawlerUpdate", "Assign", "crawl"),
    ),
    Mutant(
        "a crawl of the same second refused", "crawl-begun-0-as-text", write(">= $floor", "> $floor", *CRAWL)
    ),
    Mutant(
        "milliseconds compared",
        "crawl-begun-0-as-number",
        write("$floor($toMillis($crawl.since) / 1000) * 1000", "$toMillis($crawl.since)", *CRAWL),
    ),
    Mutant(
        "seconds taken for milliseconds",
        "crawl-begun-1-as-number",
        write("StartTime * 1000", "StartTime", *CRAWL),
    ),
    Mutant("times only as text", "crawl-begun-1-as-number", write("'number'", "'none'", *CRAWL)),
    Mutant(
        "only crawls of the very second count",
        "crawl-begun-1-as-text",
        write(">= $floor", "= $floor", *CRAWL),
    ),
    Mutant("older crawls count", "crawl-begun--1-as-text", write(">= $floor", "!= $floor", *CRAWL)),
    Mutant(
        "a stale crawl is waited for", "crawl-never-happened-before", write("'STALE'", "'RUNNING'", *CRAWL)
    ),
    Mutant("STOPPING means failed", "crawl-runs-then-succeeds", write("'STOPPING'", "'STARTING'", *CRAWL)),
    Mutant("a cancelled crawl counts", "crawl-is-cancelled", write("= 'SUCCEEDED'", "!= 'FAILED'", *CRAWL)),
)

TASKS = (
    Mutant("a path of JSONPath", "language", put("ReadJobResult", "Arguments", "Key", "$.key")),
    Mutant(
        "an argument that reads the result",
        "reads",
        put("NotifyFailure", "Arguments", "Subject", "{% $states.result.Id %}"),
    ),
    Mutant(
        "a wrong action",
        "apis",
        put("RunCrawlerUpdate", "Resource", "arn:${Partition}:states:::aws-sdk:glue:beginCrawler"),
    ),
    Mutant(
        "another action that exists",
        "reads",
        put("RunGlueETLJob", "Resource", "arn:${Partition}:states:::glue:startJobRun"),
    ),
    Mutant("a misspelt argument", "apis", rename("JobName", "Jobname", "RunGlueETLJob", "Arguments")),
    Mutant(
        "a misspelt argument inside",
        "apis",
        rename("NotifyDelayAfter", "NotifyDelay", "RunGlueETLJob", "Arguments", "NotificationProperty"),
    ),
    Mutant("a required argument less", "apis", delete("ReadJobResult", "Arguments", "Bucket")),
    Mutant("the manifest less", "one-good-file", delete("RunGlueETLJob", "Arguments", "Arguments")),
    Mutant("no timeout", "recovery", delete("RunGlueETLJob", "TimeoutSeconds")),
    Mutant("a longer timeout", "ValidateInput-answers-too-late", put("ValidateInput", "TimeoutSeconds", 90)),
    Mutant(
        "a shorter timeout",
        "RunGlueETLJob-answers-just-in-time",
        put("RunGlueETLJob", "TimeoutSeconds", 7200),
    ),
    Mutant(
        "a typed ARN",
        "literals",
        put("NotifyFailure", "Arguments", "TopicArn", "arn:aws:sns:us-east-1:111122223333:other"),
    ),
    Mutant(
        "a typed account",
        "literals",
        put("ReadJobResult", "Arguments", "Bucket", "111122223333-oubt-datalake"),
    ),
    Mutant("a null argument", "language", put("RunGlueETLJob", "Arguments", "NotificationProperty", None)),
    Mutant("no Output", "one-good-file", delete("RunGlueETLJob", "Output")),
    Mutant(
        "a wrong status in a message",
        "one-good-file",
        write('"SUCCESS"', '"SUCCEEDED"', "NotifySuccess", "Arguments", "Message"),
    ),
    Mutant(
        "another summary",
        "one-good-file",
        write("summary.json", "result.json", "ReadJobResult", "Arguments", "Key"),
    ),
    Mutant("a shorter wait", "crawl-runs-then-succeeds", put("WaitForCrawler", "Seconds", 3)),
    Mutant(
        "a wrong error of a failed end",
        "only-file-rejected",
        put("ValidationFailed", "Error", "ExecutionFailed"),
    ),
    Mutant(
        "a cause that gives nothing",
        "reads",
        write("$failure.Cause", "$failure.Casue", "ValidationFailed", "Cause"),
    ),
    Mutant("a wrong type of state", "asl_validator", put("NotifyGlueJobFailure", "Type", "Pas")),
)
