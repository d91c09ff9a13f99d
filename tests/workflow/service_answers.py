"""What do Lambda, Glue, S3 and SNS really send to a state machine? Results and errors in their shapes.

Sources: Step Functions developer guide, "Handling errors", "Start an AWS Glue job"; Lambda developer guide,
"Function errors"; AWS Glue web API reference, JobRun, Crawler, LastCrawlInfo. Names and enumerations are held
to botocore's models in test_answers.py.
"""

import json
from collections.abc import Mapping
from typing import Any

Answer = dict[str, Any]

KEY = "raw/taxi/yellow_tripdata_2024-01.parquet"
NAME = "yellow_tripdata_2024-01.parquet"
BUCKET = "000000000000-oubt-datalake"
MANIFEST = f"s3://{BUCKET}/runs/etl-pipeline-workflow/run/manifest.json"
DAMAGED = {"Error": "unreadable", "Cause": "raw/taxi/bad.csv: page 3 is damaged"}
NO_PARQUET = {"key": KEY, "reasons": [{"code": "not_parquet", "message": "the magic bytes are missing"}]}

RUN_STATES = (
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
LAST_CRAWLS = ("SUCCEEDED", "CANCELLED", "FAILED")
REQUEST = "6a1b2c3d-0000-1111-2222-333344445555"


def returned(result: Any, after_seconds: float = 0) -> Answer:
    """A task that answers."""
    return {"Return": result, "AfterSeconds": after_seconds}


def thrown(error: str, cause: str = "") -> Answer:
    """A task that fails."""
    return {"Throw": {"Error": error, "Cause": cause}}


def validated(
    *,
    valid: int = 1,
    rejected: int = 0,
    superseded: int = 0,
    key: str | None = KEY,
    label: str = NAME,
    after_seconds: float = 0,
) -> Answer:
    """What `lambda:invoke` gives around the function's own answer."""
    payload = {
        "valid": valid > 0,
        "bucket": BUCKET,
        "key": key,
        "label": label,
        "counts": {
            "files": valid + rejected + superseded,
            "valid": valid,
            "rejected": rejected,
            "superseded": superseded,
        },
        "rejected": [NO_PARQUET] * min(rejected, 20),
        "rejectedOmitted": max(0, rejected - 20),
        "manifest": MANIFEST,
    }
    metadata = {"RequestId": REQUEST}
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
    """An exception of the function: its class is the error, the document Lambda sends the cause."""
    document = {
        "errorMessage": message,
        "errorType": kind,
        "requestId": REQUEST,
        "stackTrace": ['  File "/var/task/lambdas/validate_input/handler.py", line 33, in handler\n'],
    }
    return thrown(kind, json.dumps(document))


def service_error(service: str, error: str, message: str, status: int = 400) -> Answer:
    """An error of AWS itself, with the SDK's words around the message."""
    return thrown(f"{service}.{error}", service_cause(service, error, message, status))


def service_cause(service: str, error: str, message: str, status: int = 400) -> str:
    """The cause of `service_error`."""
    code = error.removesuffix("Exception")
    return f"{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: {REQUEST})"


def job_run_document(state: str, message: str = "", **more: Any) -> dict[str, Any]:
    """A job run as `glue:startJobRun.sync` shows it: names of the API, times in milliseconds."""
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
    """A run that ended without raising."""
    return returned(job_run_document(state, message, **more), after_seconds)


def failed_run(state: str, message: str = "") -> Answer:
    """A run whose end raises: the run is the cause, as text."""
    return thrown("States.TaskFailed", json.dumps(job_run_document(state, message)))


def summarised(
    *,
    loaded: int = 1,
    failed: int = 0,
    superseded: int = 0,
    changed: bool = False,
    error: Mapping[str, str] | None = None,
    after_seconds: float = 0,
) -> Answer:
    """What `aws-sdk:s3:getObject` gives for the job's summary.json."""
    files = [{"key": "raw/taxi/bad.csv", "status": "failed", "dataset": "green"}] * failed
    files += [{"key": KEY, "status": "loaded", "dataset": "yellow"}] * loaded
    document = {
        "schemaVersion": "1",
        "execution": "run",
        "bucket": BUCKET,
        "jobRunId": "jr_0123456789abcdef",
        "schemaChanged": changed,
        "counts": {
            "files": loaded + failed + superseded,
            "loaded": loaded,
            "failed": failed,
            "superseded": superseded,
        },
        "rows": {"read": 10, "written": 8, "quarantined": 2} if loaded else dict.fromkeys(ROWS, 0),
        "datasets": (["green"] if failed else []) + (["yellow"] if loaded else []),
        "files": files,
        "filesOmitted": 0,
        "error": (error or DAMAGED) if failed else None,
    }
    return body(json.dumps(document), after_seconds)


ROWS = ("read", "written", "quarantined")


def body(text: str, after_seconds: float = 0) -> Answer:
    """An object's text."""
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


def crawl_started() -> Answer:
    """`aws-sdk:glue:startCrawler` answers with nothing."""
    return returned({})


def crawler(
    state: str = "READY",
    status: str | None = "SUCCEEDED",
    *,
    begun: float = 1,
    kind: str = "text",
    message: str = "",
    after_seconds: float = 0,
) -> Answer:
    """What `aws-sdk:glue:getCrawler` gives; `begun` is seconds after RunCrawlerUpdate was entered.

    `status` None is a crawler that never crawled; `kind` is how the time is spelled, "text" or "number".
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
            "MessagePrefix": REQUEST,
            "StartTime": {"$entered": "RunCrawlerUpdate", "plus": begun, "as": kind},
            "Status": status,
            **({"ErrorMessage": message} if message else {}),
        }
    return returned({"Crawler": found}, after_seconds)
