"""Does every path of the state machine end where the design says, with the message it says?

The other proof, on the running emulator, is in tests/workflow; this one takes milliseconds.
"""

import json
from typing import Any

import pytest

from .templates import Stacks, machine_definition
from .workflow_interpreter import Raised, walk

KEY = "raw/taxi/yellow_tripdata_2024-01.parquet"
ONE_FILE = {"bucket": "lake", "files": [{"key": KEY, "versionId": "v1"}], "trigger": "s3"}
TWO_FILES = {
    "bucket": "lake",
    "files": [{"key": "raw/taxi/a.csv"}, {"key": "raw/taxi/b.csv"}],
    "trigger": "s3",
}
MANIFEST = "s3://lake/runs/etl-pipeline-workflow/run-1/manifest.json"
NO_PARQUET = {"key": KEY, "reasons": [{"code": "not_parquet", "message": "the magic bytes are missing"}]}
TO_VALIDATION_FAILED = ["ValidateInput", "NotifyValidationFailure", "ValidationFailed"]
TO_JOB = ["ValidateInput", "CheckValidation", "RunGlueETLJob"]
TO_RESULT = [*TO_JOB, "CheckGlueJobStatus", "ReadJobResult", "EvaluateResult"]
TO_FAILED = ["NotifyGlueJobFailure", "NotifyFailure", "ExecutionFailed"]
SUCCESS_KEYS = [
    "status",
    "message",
    "jobName",
    "jobRunId",
    "executionTimeSeconds",
    "bucket",
    "key",
    "crawlerState",
    "timestamp",
    "workflowExecutionId",
]
FAILURE_KEYS = ["status", "message", "bucket", "key", "error", "timestamp", "workflowExecutionId"]


def validated(
    *, valid: int = 1, rejected: int = 0, superseded: int = 0, key: str | None = KEY, label: str = "a.parquet"
) -> list[Any]:
    files = valid + rejected + superseded
    return [
        {
            "Payload": {
                "valid": valid > 0,
                "bucket": "lake",
                "key": key,
                "label": label,
                "counts": {"files": files, "valid": valid, "rejected": rejected, "superseded": superseded},
                "rejected": [NO_PARQUET] * rejected,
                "rejectedOmitted": 0,
                "manifest": MANIFEST,
            }
        }
    ]


def job_run(state: str = "SUCCEEDED", **more: Any) -> list[Any]:
    return [{"Id": "jr_1", "JobRunState": state, "ExecutionTime": 90, "MaxCapacity": 3.0, **more}]


def summarised(
    *, loaded: int = 1, failed: int = 0, superseded: int = 0, changed: bool = False, error: Any = None
) -> list[Any]:
    files = [{"key": KEY, "status": "loaded", "dataset": "yellow"}] * loaded
    files = [{"key": "raw/taxi/bad.csv", "status": "failed", "dataset": "green"}] * failed + files
    document = {
        "schemaVersion": "1",
        "schemaChanged": changed,
        "counts": {
            "files": loaded + failed + superseded,
            "loaded": loaded,
            "failed": failed,
            "superseded": superseded,
        },
        "rows": {"read": 10, "written": 8, "quarantined": 2},
        "datasets": ["green", "yellow"] if failed else ["yellow"],
        "files": files,
        "filesOmitted": 0,
        "error": error,
    }
    return [{"Body": json.dumps(document)}]


def crawler(state: str = "READY", status: str = "SUCCEEDED", started: str = "2026-01-02T03:04:05Z") -> Any:
    return {"Crawler": {"State": state, "LastCrawl": {"Status": status, "StartTime": started}}}


def test_one_good_file_is_loaded_and_the_message_has_the_promised_keys_in_order(definition) -> None:
    run = walk(
        definition,
        ONE_FILE,
        {"ValidateInput": validated(), "RunGlueETLJob": job_run(), "ReadJobResult": summarised()},
    )

    assert run.path == [*TO_RESULT, "IsCatalogUpdateNeeded", "NotifySuccess"]
    assert run.status == "SUCCEEDED"
    (told,) = run.published
    timestamp = told.message.pop("timestamp")
    assert timestamp[:2] == "20"
    assert timestamp[-1] == "Z"
    assert told.message == {
        "status": "SUCCESS",
        "message": "Loaded a.parquet: 8 rows written, 2 quarantined.",
        "jobName": "job-process-taxi-data",
        "jobRunId": "jr_1",
        "executionTimeSeconds": 90,
        "bucket": "lake",
        "key": KEY,
        "crawlerState": "SKIPPED",
        "workflowExecutionId": "arn:aws:states:us-east-1:1:execution:m:run-1",
        "schemaVersion": "1",
        "files": [{"key": KEY, "status": "loaded", "dataset": "yellow"}],
        "rows": {"read": 10, "written": 8, "quarantined": 2},
        "jobCostUsd": 0.0231,  # 90 s x 3 DPU / 3600 x 0.308 USD
        "filesOmitted": 0,
        "manifest": MANIFEST,
    }
    assert list(json.loads(told.text))[:10] == SUCCESS_KEYS
    assert told.subject == "Taxi ETL SUCCESS: a.parquet"
    assert told.attributes == {
        "status": {"DataType": "String", "StringValue": "SUCCESS"},
        "dataset": {"DataType": "String.Array", "StringValue": '["yellow"]'},
    }


def test_the_function_and_the_job_get_what_their_contracts_say(definition) -> None:
    run = walk(
        definition,
        ONE_FILE,
        {"ValidateInput": validated(), "RunGlueETLJob": job_run(), "ReadJobResult": summarised()},
    )

    assert run.arguments["ValidateInput"][0]["Payload"] == {
        "input": ONE_FILE,
        "execution": {"name": "run-1", "arn": "arn:aws:states:us-east-1:1:execution:m:run-1"},
    }
    assert run.arguments["RunGlueETLJob"][0]["Arguments"] == {"--manifest": MANIFEST}
    assert run.arguments["ReadJobResult"][0]["Key"] == "runs/etl-pipeline-workflow/run-1/summary.json"


@pytest.mark.parametrize(
    ("run_facts", "usd"),
    [
        ({"DPUSeconds": 3600.0}, 0.308),  # one DPU for an hour
        ({"ExecutionTime": 5, "MaxCapacity": 2.0}, 0.0103),  # a minute is the least: 120 DPU seconds
        ({"MaxCapacity": None, "ExecutionTime": 5}, None),
    ],
)
def test_the_cost_comes_from_dpu_seconds_or_else_from_time_and_capacity(definition, run_facts, usd) -> None:
    facts = {"Id": "jr_1", "JobRunState": "SUCCEEDED"} | {
        name: value for name, value in run_facts.items() if value is not None
    }
    run = walk(
        definition,
        ONE_FILE,
        {"ValidateInput": validated(), "RunGlueETLJob": [facts], "ReadJobResult": summarised()},
    )

    assert run.published[0].message["jobCostUsd"] == usd


def test_a_file_that_cannot_load_costs_no_job_run_and_is_told_with_its_reasons(definition) -> None:
    run = walk(definition, ONE_FILE, {"ValidateInput": validated(valid=0, rejected=1)})

    assert run.path == ["ValidateInput", "CheckValidation", "NotifyValidationFailure", "ValidationFailed"]
    assert (run.status, run.error) == ("FAILED", "ValidationFailed")
    assert run.cause == f"{KEY}: the magic bytes are missing"
    (told,) = run.published
    told.message.pop("timestamp")
    assert told.message == {
        "status": "VALIDATION_FAILED",
        "message": f"Cannot load {KEY}: the magic bytes are missing. "
        "Rows from earlier versions of a file that did not load stay in the tables.",
        "bucket": "lake",
        "key": KEY,
        "error": {"Error": "ValidationFailed", "Cause": f"{KEY}: the magic bytes are missing"},
        "workflowExecutionId": "arn:aws:states:us-east-1:1:execution:m:run-1",
        "schemaVersion": "1",
        "files": [NO_PARQUET],
        "filesOmitted": 0,
        "manifest": MANIFEST,
        "nextStep": "Upload a corrected file; it loads by itself. "
        "See more: `taxi-etl --environment prod history run-1`. "
        "When the cause is gone, load the files again: "
        "`taxi-etl --environment prod replay --execution run-1`.",
    }
    assert list(json.loads(told.text))[:7] == FAILURE_KEYS
    assert told.attributes["dataset"]["StringValue"] == '["unknown"]'


def test_of_many_rejected_files_three_are_named_in_the_cause(definition) -> None:
    run = walk(definition, ONE_FILE, {"ValidateInput": validated(valid=0, rejected=5, key=None)})

    assert run.cause == "; ".join([f"{KEY}: the magic bytes are missing"] * 3) + "; and 2 more"
    assert run.published[0].message["key"] is None


def test_superseded_files_end_quietly(definition) -> None:
    run = walk(definition, ONE_FILE, {"ValidateInput": validated(valid=0, superseded=1)})

    assert run.path == ["ValidateInput", "CheckValidation", "NothingToDo"]
    assert run.status == "SUCCEEDED"
    assert run.published == []


def test_rejected_files_beside_good_ones_are_told_first_and_make_the_success_partial(definition) -> None:
    run = walk(
        definition,
        TWO_FILES,
        {
            "ValidateInput": validated(rejected=1, key=None, label="2 files"),
            "RunGlueETLJob": job_run(),
            "ReadJobResult": summarised(),
        },
    )

    assert run.path[1:4] == ["CheckValidation", "NotifyRejectedFiles", "RunGlueETLJob"]
    assert run.path[-1] == "NotifyPartialSuccess"
    assert run.status == "SUCCEEDED"
    rejected, partial = run.published
    assert rejected.subject == "Taxi ETL VALIDATION_FAILED: 1 of 2 files"
    assert rejected.message["message"].startswith("Cannot load 1 of 2 files: ")
    assert partial.message["status"] == "PARTIAL_SUCCESS"
    assert partial.message["message"] == (
        "Loaded 1 of 2 files: 8 rows written, 2 quarantined. Rejected, as reported before: 1."
    )


def test_a_function_that_raises_is_a_validation_failure_with_a_readable_cause(definition) -> None:
    cause = json.dumps({"errorMessage": "Access Denied", "errorType": "ClientError", "stackTrace": []})
    run = walk(definition, ONE_FILE, {"ValidateInput": [Raised("ClientError", cause)]})

    assert run.path == TO_VALIDATION_FAILED
    (told,) = run.published
    assert told.message["error"] == {"Error": "ClientError", "Cause": "Access Denied"}
    assert told.message["message"].startswith(
        "Could not check yellow_tripdata_2024-01.parquet: Access Denied. Nothing was loaded."
    )
    assert told.message["files"] == [{"key": KEY}]
    assert told.message["key"] == KEY
    assert told.subject == "Taxi ETL VALIDATION_FAILED: yellow_tripdata_2024-01.parquet"


@pytest.mark.parametrize(
    ("given", "label", "key", "files"),
    [
        ({"bucket": "lake", "key": "raw/taxi/a.csv"}, "a.csv", "raw/taxi/a.csv", [{"key": "raw/taxi/a.csv"}]),
        (TWO_FILES, "2 files", None, [{"key": "raw/taxi/a.csv"}, {"key": "raw/taxi/b.csv"}]),
        ({}, "0 files", None, []),
        ("nonsense", "0 files", None, []),
        ({"bucket": "lake", "files": []}, "0 files", None, []),
        ({"key": 7}, "7", "7", [{"key": "7"}]),
        ({"key": "raw/taxi/größe.csv"}, "gr??e.csv", "raw/taxi/größe.csv", [{"key": "raw/taxi/größe.csv"}]),
    ],
)
def test_whatever_the_input_is_its_failure_can_be_told(definition, given, label, key, files) -> None:
    run = walk(definition, given, {"ValidateInput": [Raised("InvalidInputError", "no")]})

    assert run.path == TO_VALIDATION_FAILED
    (told,) = run.published
    assert told.subject == f"Taxi ETL VALIDATION_FAILED: {label}"
    assert told.message["key"] == key
    assert told.message["files"] == files


def test_a_long_file_name_keeps_the_subject_within_a_hundred_ascii_characters(definition) -> None:
    key = f"raw/taxi/{'x' * 150}.csv"
    run = walk(definition, {"bucket": "lake", "key": key}, {"ValidateInput": [Raised("Boom")]})

    expected = f"Taxi ETL VALIDATION_FAILED: {'x' * 28}...{'x' * 25}.csv"
    assert run.published[0].subject == expected
    assert len(expected) <= 100


def test_ninety_nine_files_are_listed_twenty_at_most(definition) -> None:
    many = {"bucket": "lake", "files": [{"key": f"raw/taxi/{number}.csv"} for number in range(99)]}
    run = walk(definition, many, {"ValidateInput": [Raised("Boom")]})

    assert len(run.published[0].message["files"]) == 20
    assert run.published[0].message["filesOmitted"] == 79


def test_a_failed_job_run_tells_the_jobs_own_error_line(definition) -> None:
    cause = json.dumps(
        {"Id": "jr_1", "JobRunState": "FAILED", "ErrorMessage": "OutOfMemoryError", "Arguments": {}}
    )
    run = walk(
        definition,
        ONE_FILE,
        {"ValidateInput": validated(), "RunGlueETLJob": [Raised("States.TaskFailed", cause)]},
    )

    assert run.path == [*TO_JOB, *TO_FAILED]
    assert (run.error, run.cause) == ("ExecutionFailed", "States.TaskFailed: OutOfMemoryError")
    (told,) = run.published
    assert told.message["status"] == "FAILED"
    assert told.message["error"] == {"Error": "States.TaskFailed", "Cause": "OutOfMemoryError"}
    assert told.message["files"] == [{"key": KEY}]
    assert run.variables["jobRun"] == {
        "Id": "jr_1",
        "JobRunState": "FAILED",
        "ErrorMessage": "OutOfMemoryError",
    }


@pytest.mark.parametrize(
    ("raised", "cause"),
    [
        (Raised("States.TaskFailed", '{"JobRunState": "TIMEOUT"}'), "The job run ended TIMEOUT"),
        (Raised("States.Timeout"), "it did not end within its time limit"),
        (Raised("Glue.EntityNotFoundException", "Job not found"), "Job not found"),
        (Raised("Glue.Odd"), "AWS named no cause"),
        (Raised("Glue.Odd", "{half a document"), "{half a document"),
        (Raised("Glue.Odd", "{braces} around {no JSON}"), "{braces} around {no JSON}"),
        (Raised("Glue.Odd", "x" * 5000), "x" * 2000),
    ],
)
def test_a_cause_is_always_one_short_readable_text(definition, raised, cause) -> None:
    run = walk(definition, ONE_FILE, {"ValidateInput": validated(), "RunGlueETLJob": [raised]})

    assert run.path == [*TO_JOB, *TO_FAILED]
    assert run.published[0].message["error"] == {"Error": raised.error, "Cause": cause}
    assert run.variables["jobRun"].get("Id") is None


def test_a_stopped_run_that_raises_nothing_is_a_failure_all_the_same(definition) -> None:
    run = walk(definition, ONE_FILE, {"ValidateInput": validated(), "RunGlueETLJob": job_run("STOPPED")})

    assert run.path == [*TO_JOB, "CheckGlueJobStatus", *TO_FAILED]
    assert run.published[0].message["error"] == {
        "Error": "Glue.JobRun.STOPPED",
        "Cause": "The job run ended STOPPED",
    }


def test_a_missing_result_is_a_failure_that_says_so(definition) -> None:
    run = walk(
        definition,
        ONE_FILE,
        {
            "ValidateInput": validated(),
            "RunGlueETLJob": job_run(),
            "ReadJobResult": [Raised("S3.NoSuchKeyException", "The specified key does not exist.")],
        },
    )

    assert run.path == [*TO_RESULT[:-1], *TO_FAILED]
    assert run.published[0].message["error"]["Cause"] == (
        "the job ended, but its result cannot be read: The specified key does not exist."
    )


def test_when_no_file_loads_the_job_has_failed_with_the_first_files_error(definition) -> None:
    error = {"Error": "unreadable", "Cause": "raw/taxi/bad.csv: page 3 is damaged"}
    run = walk(
        definition,
        ONE_FILE,
        {
            "ValidateInput": validated(),
            "RunGlueETLJob": job_run(),
            "ReadJobResult": summarised(loaded=0, failed=1, error=error),
        },
    )

    assert run.path == [*TO_RESULT, *TO_FAILED]
    (told,) = run.published
    assert told.message["error"] == error
    assert told.message["files"][0]["key"] == "raw/taxi/bad.csv"
    assert told.attributes["dataset"]["StringValue"] == '["green","yellow"]'


def test_when_newer_versions_took_over_during_the_run_there_is_nothing_to_tell(definition) -> None:
    run = walk(
        definition,
        ONE_FILE,
        {
            "ValidateInput": validated(),
            "RunGlueETLJob": job_run(),
            "ReadJobResult": summarised(loaded=0, superseded=1),
        },
    )

    assert run.path == [*TO_RESULT, "NothingToDo"]
    assert run.published == []


def test_a_file_that_failed_beside_loaded_ones_makes_the_success_partial(definition) -> None:
    error = {"Error": "unreadable", "Cause": "raw/taxi/bad.csv: page 3 is damaged"}
    run = walk(
        definition,
        TWO_FILES,
        {
            "ValidateInput": validated(valid=2, key=None, label="2 files"),
            "RunGlueETLJob": job_run(),
            "ReadJobResult": summarised(loaded=1, failed=1, error=error),
        },
    )

    assert run.path == [*TO_RESULT, "IsCatalogUpdateNeeded", "NotifyPartialSuccess"]
    assert run.published[0].message["message"] == (
        "Loaded 1 of 2 files: 8 rows written, 2 quarantined. 1 failed: raw/taxi/bad.csv: page 3 is damaged."
    )


def crawled(definition: Any, crawls: list[Any], starts: list[Any] | None = None, **options: Any) -> Any:
    return walk(
        definition,
        ONE_FILE,
        {
            "ValidateInput": validated(),
            "RunGlueETLJob": job_run(),
            "ReadJobResult": summarised(changed=True, **options),
            "RunCrawlerUpdate": starts or [{}] * 100,
            "CheckCrawlerStatus": crawls,
        },
    )


def test_changed_columns_are_crawled_before_success_is_told(definition) -> None:
    run = crawled(definition, [crawler("RUNNING"), crawler("STOPPING"), crawler()])

    look = ["WaitForCrawler", "CheckCrawlerStatus", "IsCrawlerRunning"]
    assert run.path == [*TO_RESULT, "IsCatalogUpdateNeeded", "RunCrawlerUpdate", *look * 3, "NotifySuccess"]
    assert run.published[0].message["crawlerState"] == "READY"


@pytest.mark.parametrize(
    ("started", "counts"),
    [
        ("2026-01-02T03:04:05Z", True),  # the second in which RunCrawlerUpdate was entered
        ("2026-01-02T03:04:06Z", True),
        ("2026-01-02T03:04:04Z", False),
    ],
)
def test_a_crawl_counts_from_the_second_in_which_it_was_asked_for(definition, started, counts) -> None:
    run = crawled(definition, [crawler(started=started), crawler(started="2026-01-02T09:00:00Z")])

    assert run.path.count("RunCrawlerUpdate") == (1 if counts else 2)
    assert run.path[-1] == "NotifySuccess"


def test_a_crawler_that_never_ran_is_started_again(definition) -> None:
    run = crawled(definition, [{"Crawler": {"State": "READY"}}, crawler()])

    assert run.path.count("RunCrawlerUpdate") == 2
    assert run.path[-1] == "NotifySuccess"


def test_when_another_crawl_runs_it_is_waited_for(definition) -> None:
    run = crawled(
        definition, [crawler("RUNNING"), crawler()], [Raised("Glue.CrawlerRunningException", "running")]
    )

    assert run.path[len(TO_RESULT) + 1 : len(TO_RESULT) + 3] == ["RunCrawlerUpdate", "WaitForCrawler"]
    assert run.path[-1] == "NotifySuccess"


@pytest.mark.parametrize(
    ("starts", "crawls", "error"),
    [
        ([Raised("Glue.EntityNotFoundException", "no such crawler")], [], "no such crawler"),
        (None, [Raised("Glue.GlueException", "denied")], "denied"),
        (None, [crawler(status="FAILED")], "the last crawl ended FAILED"),
        (None, [crawler("SLEEPING")], "the last crawl ended SUCCEEDED"),
        (None, [crawler("RUNNING")] * 60, "no crawl was finished after 60 looks"),
        (None, [crawler(started="2020-01-01T00:00:00Z")] * 60, "no crawl was finished after 60 looks"),
    ],
)
def test_a_failed_crawl_makes_the_success_partial_and_no_more(definition, starts, crawls, error) -> None:
    run = crawled(definition, crawls, starts)

    assert run.path[-2:] == ["HandleCrawlerFailure", "NotifyPartialSuccess"]
    assert run.status == "SUCCEEDED"
    (told,) = run.published
    assert told.message["crawlerState"] == "FAILED"
    assert told.message["message"].endswith(f"the raw zone was not crawled: {error}.")


def test_a_crawl_after_a_partial_load_ends_in_partial_success(definition) -> None:
    error = {"Error": "unreadable", "Cause": "damaged"}
    run = crawled(definition, [crawler()], failed=1, error=error)

    assert run.path[-1] == "NotifyPartialSuccess"
    assert run.published[0].message["crawlerState"] == "READY"


@pytest.mark.parametrize("policy", ["always", "never"])
def test_the_crawl_policy_overrules_the_schema(environments: dict[str, Stacks], policy: str) -> None:
    from dataclasses import replace

    from stacks.settings import PRODUCTION, CrawlPolicy
    from stacks.workflow.conditions import CRAWL_NEEDED

    settings = replace(PRODUCTION, crawl_policy=CrawlPolicy(policy))
    definition = machine_definition(environments["prod"])
    rule = definition["States"]["IsCatalogUpdateNeeded"]["Choices"][0]
    rule["Condition"] = CRAWL_NEEDED[settings.crawl_policy]
    run = walk(
        definition,
        ONE_FILE,
        {
            "ValidateInput": validated(),
            "RunGlueETLJob": job_run(),
            "ReadJobResult": summarised(changed=policy == "never"),
            "RunCrawlerUpdate": [{}],
            "CheckCrawlerStatus": [crawler()],
        },
    )

    assert ("RunCrawlerUpdate" in run.path) is (policy == "always")
    assert run.path[-1] == "NotifySuccess"


@pytest.mark.parametrize(
    ("state", "answers"),
    [
        ("NotifyValidationFailure", {"ValidateInput": validated(valid=0, rejected=1)}),
        ("NotifyRejectedFiles", {"ValidateInput": validated(rejected=1)}),
        ("NotifyFailure", {"ValidateInput": validated(), "RunGlueETLJob": [Raised("States.TaskFailed")]}),
        (
            "NotifySuccess",
            {"ValidateInput": validated(), "RunGlueETLJob": job_run(), "ReadJobResult": summarised()},
        ),
        (
            "NotifyPartialSuccess",
            {"ValidateInput": validated(), "RunGlueETLJob": job_run(), "ReadJobResult": summarised(failed=1)},
        ),
    ],
)
@pytest.mark.parametrize("cause", ["Invalid parameter: Subject", None])
def test_a_message_that_cannot_be_sent_fails_the_execution_for_the_closer_to_tell(
    definition, state, answers, cause
) -> None:
    run = walk(definition, ONE_FILE, {**answers, state: [Raised("SNS.InvalidParameterException", cause)]})

    assert run.path[-2:] == [state, "NotificationFailed"]
    assert (run.status, run.error) == ("FAILED", "NotificationFailed")
    untold = {
        "NotifyValidationFailure": f"; it was to say: {KEY}: the magic bytes are missing",
        "NotifyRejectedFiles": f"; it was to say: {KEY}: the magic bytes are missing",
        "NotifyFailure": "; it was to say: AWS named no cause",
    }
    assert run.cause == (cause or "AWS named no cause") + untold.get(state, "")


def test_the_state_data_stays_the_executions_input(definition) -> None:
    run = walk(
        definition,
        ONE_FILE,
        {"ValidateInput": validated(), "RunGlueETLJob": job_run(), "ReadJobResult": summarised()},
    )

    assert run.output == ONE_FILE
