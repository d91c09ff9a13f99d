"""Results and errors as Lambda, Glue, S3 and SNS send them to a state machine.

Sources: Step Functions developer guide, "Handling errors", "Start an AWS Glue job"; Lambda developer guide,
"Function errors"; AWS Glue web API reference, JobRun, Crawler, LastCrawlInfo. test_service_answers.py checks
names and enumerations against botocore's models.
"""

import json
from typing import Any

from taxi_etl.documents import AcceptedFile, FileResult, JobResult, Manifest, RejectedFile, SupersededFile
from taxi_etl.engines import Decision, Engine
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.summaries import job_summary, validation_summary

Answer = dict[str, Any]

FILE_KEY = "raw/taxi/yellow_tripdata_2024-01.parquet"
FILE_NAME = "yellow_tripdata_2024-01.parquet"
BUCKET = "000000000000-oubt-datalake"
MANIFEST = f"s3://{BUCKET}/runs/etl-pipeline-workflow/run/manifest.json"
REJECTION = Failure(FailureCode.NOT_PARQUET, "the magic bytes are missing")

JOB_RUN_STATES = (
    "STARTING",
    "RUNNING",
    "STOPPING",
    "STOPPED",
    "SUCCEEDED",
    "FAILED",
    "TIMEOUT",
    "ERROR",
    "WAITING",
    "EXPIRED",
)
CRAWLER_STATES = ("READY", "RUNNING", "STOPPING")
CRAWL_STATUSES = ("SUCCEEDED", "CANCELLED", "FAILED")
SMALL_BATCH_USD = 0.000098
REQUEST_ID = "6a1b2c3d-0000-1111-2222-333344445555"


def returned(result: Any, after_seconds: float = 0) -> Answer:
    """Return the answer of a task that succeeds."""
    return {"Return": result, "AfterSeconds": after_seconds}


def raised(error: str, cause: str = "") -> Answer:
    """Return the answer of a task that fails."""
    return {"Throw": {"Error": error, "Cause": cause}}


def validation_result(
    *, valid: int = 1, rejected: int = 0, superseded: int = 0, engine: str = "glue", after_seconds: float = 0
) -> Answer:
    """Return the result of `lambda:invoke` with the validator's summary as its payload."""
    decision = Decision(Engine(engine))
    return _invoked(
        validation_summary(_manifest(valid, rejected, superseded), MANIFEST, decision), after_seconds
    )


def small_batch_loaded(after_seconds: float = 0, **summary: Any) -> Answer:
    """Return the result of `lambda:invoke` of the function that loaded a small batch.

    `summary` is that of `job_summary_text`.
    """
    payload = {"summary": json.loads(job_summary_text(**summary)), "costUsd": SMALL_BATCH_USD}
    return _invoked(payload, after_seconds)


def small_batch_without_result() -> Answer:
    """Return the answer of an older release of the function, which left the summary to its file."""
    return _invoked({"costUsd": SMALL_BATCH_USD})


def small_batch_declined(reason: str) -> Answer:
    """Return the result of `lambda:invoke` of the function that declined a small batch."""
    return _invoked({"declined": reason, "costUsd": SMALL_BATCH_USD})


def _invoked(payload: Any, after_seconds: float = 0) -> Answer:
    metadata = {"RequestId": REQUEST_ID}
    http = {"HttpHeaders": {"Content-Type": "application/json"}, "HttpStatusCode": 200}
    return returned(
        {
            "ExecutedVersion": "$LATEST",
            "Payload": payload,
            "SdkHttpMetadata": http,
            "SdkResponseMetadata": metadata,
            "StatusCode": 200,
        },
        after_seconds,
    )


def function_error(kind: str, message: str) -> Answer:
    """Return the error of a function that raises: its class, with Lambda's JSON document as the cause."""
    document = {
        "errorMessage": message,
        "errorType": kind,
        "requestId": REQUEST_ID,
        "stackTrace": ['  File "/var/task/lambdas/validate_input/handler.py", line 33, in handler\n'],
    }
    return raised(kind, json.dumps(document))


def service_error(service: str, error: str, message: str, status: int = 400) -> Answer:
    """Return the error of an AWS service, with the message in the SDK's format."""
    return raised(f"{service}.{error}", service_cause(service, error, message, status))


def service_cause(service: str, error: str, message: str, status: int = 400) -> str:
    """Return the cause of `service_error`."""
    code = error.removesuffix("Exception")
    return (
        f"{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: {REQUEST_ID})"
    )


def job_run_document(state: str, message: str = "", **more: Any) -> dict[str, Any]:
    """Return a job run as `glue:startJobRun.sync` reports it, with times in milliseconds."""
    document = {
        "AllocatedCapacity": 3,
        "Arguments": {"--manifest": MANIFEST},
        "Attempt": 0,
        "CompletedOn": 1767323135000,
        "ExecutionTime": 90,
        "GlueVersion": "6.0",
        "Id": "jr_0123456789abcdef",
        "JobMode": "SCRIPT",
        "JobName": "job-process-taxi-data",
        "JobRunState": state,
        "LastModifiedOn": 1767323135000,
        "LogGroupName": "/aws-glue/jobs",
        "MaxCapacity": 3.0,
        "NumberOfWorkers": 3,
        "PredecessorRuns": [],
        "StartedOn": 1767323045000,
        "Timeout": 120,
        "WorkerType": "G.1X",
    }
    return {**document, **({"ErrorMessage": message} if message else {}), **more}


def job_run(state: str = "SUCCEEDED", message: str = "", after_seconds: float = 0, **more: Any) -> Answer:
    """Return the answer of an ended job run that the task reports as a result."""
    return returned(job_run_document(state, message, **more), after_seconds)


def failed_job_run(state: str, message: str = "") -> Answer:
    """Return the answer of a job run that the task reports as an error: the cause is the run as JSON."""
    return raised("States.TaskFailed", json.dumps(job_run_document(state, message)))


def summary_object(*, after_seconds: float = 0, **summary: Any) -> Answer:
    """Return the result of `aws-sdk:s3:getObject` for the job's summary.json."""
    return object_text(job_summary_text(**summary), after_seconds)


def job_summary_text(
    *,
    loaded: int = 1,
    failed: int = 0,
    superseded: int = 0,
    rejected: int = 0,
    superseded_before: int = 0,
    changed: bool = False,
) -> str:
    """Return the text of a summary.

    `rejected` and `superseded_before` are the files that validation did not accept.
    """
    files = (
        *[FileResult(_version("raw/taxi/bad.csv"), FileStatus.FAILED, "green", failure=_UNREADABLE)] * failed,
        *[FileResult(_version(), FileStatus.LOADED, "yellow", read=10, written=8, quarantined=2)] * loaded,
        *[FileResult(_version(), FileStatus.SUPERSEDED, "yellow")] * superseded,
    )
    result = JobResult("run", BUCKET, "jr_0123456789abcdef", files, changed, changed)
    manifest = _manifest(len(files), rejected, superseded_before)
    return job_summary(result, manifest)


_UNREADABLE = Failure(FailureCode.UNREADABLE, "page 3 is damaged")


def _manifest(accepted: int, rejected: int, superseded: int) -> Manifest:
    return Manifest(
        "run",
        BUCKET,
        "s3",
        (AcceptedFile(_version(), "yellow", "parquet", ()),) * accepted,
        (RejectedFile(_version(), (REJECTION,)),) * rejected,
        (SupersededFile(_version()),) * superseded,
    )


def _version(key: str = FILE_KEY) -> FileVersion:
    return FileVersion(BUCKET, key, "v1", 47, "e", "0061")


def object_text(text: str, after_seconds: float = 0) -> Answer:
    """Return the result of `aws-sdk:s3:getObject` for an object with this text."""
    result = {
        "AcceptRanges": "bytes",
        "Body": text,
        "ContentLength": len(text.encode()),
        "ContentType": "application/json",
        "ETag": '"0123456789abcdef0123456789abcdef"',
        "LastModified": "2026-01-02T03:05:35Z",
        "Metadata": {},
        "ServerSideEncryption": "AES256",
        "VersionId": "null",
    }
    return returned(result, after_seconds)


def crawler_started() -> Answer:
    """Return the empty result of `aws-sdk:glue:startCrawler`."""
    return returned({})


def crawler(
    state: str = "READY",
    status: str | None = "SUCCEEDED",
    *,
    started: float = 1,
    time_format: str = "text",
    message: str = "",
    after_seconds: float = 0,
) -> Answer:
    """Return the result of `aws-sdk:glue:getCrawler`.

    `started` is the start of the last crawl, in seconds after RunCrawlerUpdate was entered, written in
    `time_format`, "text" or "number". A `status` of None is a crawler that has never run.
    """
    found: dict[str, Any] = {
        "Classifiers": [],
        "CrawlElapsedTime": 0,
        "DatabaseName": "taxi_raw",
        "LakeFormationConfiguration": {"AccountId": "", "UseLakeFormationCredentials": False},
        "Name": "crawler-taxi-raw",
        "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
        "Role": "crawler",
        "State": state,
        "Version": 1,
    }
    if status is not None:
        found["LastCrawl"] = {
            "LogGroup": "/aws-glue/crawlers",
            "LogStream": "crawler-taxi-raw",
            "MessagePrefix": REQUEST_ID,
            "StartTime": {"$entered": "RunCrawlerUpdate", "plus": started, "as": time_format},
            "Status": status,
            **({"ErrorMessage": message} if message else {}),
        }
    return returned({"Crawler": found}, after_seconds)
