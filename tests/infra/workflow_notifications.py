"""Outcomes of the synthesized state machine and the answers that lead to them.

AWS's answers are as it sends them; those of the validator and the job come from their own code.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from taxi_etl import contents
from taxi_etl.documents import AcceptedFile, FileResult, JobResult, Manifest, RejectedFile, SupersededFile
from taxi_etl.engines import Decision, Engine
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.file_rules import FileFacts, Limits, check_file
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion, execution_name
from taxi_etl.inputs import ExecutionInput, Trigger
from taxi_etl.names import manifest_key
from taxi_etl.recognition import recognize
from taxi_etl.schema import text_columns
from taxi_etl.summaries import job_summary, validation_summary
from taxi_etl.transform.predicates import Reason

from .workflow_interpreter import InterpretedExecution, Raised, interpret

BUCKET = "123456789012-oubt-datalake"
EXECUTIONS = "arn:aws:states:eu-west-1:123456789012:execution:etl-pipeline-workflow"
LIMITS = Limits(max_file_bytes=8 * 1024**3)


def version(name: str, size: int = 49_961_641) -> FileVersion:
    identity = name.encode().hex()[:24]
    return FileVersion(BUCKET, f"raw/taxi/{name}", f"3HL4kqtJ{identity[-8:]}", size, "5f1d", "0065A1B2C3")


YELLOW = version("yellow_tripdata_2024-01.parquet")
GREEN = version("green_tripdata_2024-01.parquet", 1_427_002)
FHV = version("fhv_tripdata_2019-02.csv.gz", 26_330_117)
OLDER = version("yellow_tripdata_2023-12.parquet")
ZIP = version("green_tripdata_2013-08.parquet", 88_214)
EMPTY = version("empty.csv", 0)
STRAY = version("readme.pdf", 12_001)
ODD = version("weather.csv", 5_120)

NO_PARQUET = contents.find_footer(b"PK\x03\x04\x14\x00\x08\x00", b"\x00" * 8, ZIP.size).failures
LACKING = recognize(
    text_columns(["VendorID", "PULocationID", "trip_distance", "fare_amount"]),
    "green_tripdata_2014-02.csv",
).failures
UNKNOWN = recognize(text_columns(["station", "temperature"]), "weather.csv").failures

LOADED_YELLOW = FileResult(
    YELLOW,
    FileStatus.LOADED,
    "yellow",
    read=2_964_624,
    written=2_963_711,
    quarantined=913,
    reasons={Reason.NEGATIVE_DURATION: 870, Reason.PICKUP_OUT_OF_RANGE: 56},
)
LOADED_GREEN = FileResult(
    GREEN,
    FileStatus.LOADED,
    "green",
    read=56_551,
    written=56_548,
    quarantined=3,
    reasons={Reason.NEGATIVE_DURATION: 3},
    new_columns=("cbd_congestion_fee",),
    missing_columns=("ehail_fee",),
)
DAMAGED = "Could not read or convert a column chunk (cause: java.io.IOException: could not decompress page 3)"
FAILED_FHV = FileResult(FHV, FileStatus.FAILED, "fhv", failure=Failure(FailureCode.UNREADABLE, DAMAGED))
FAILED_GREEN = FileResult(
    GREEN,
    FileStatus.FAILED,
    "green",
    failure=Failure(
        FailureCode.TOO_MANY_QUARANTINED,
        "40112 of 56551 rows failed validation (negative_duration 40112), more than the allowed share of 0.5",
    ),
)
RUN_ID = "jr_f6a2c03b7f7e4d0d9d2b0a1c5e8f4b61"


class Outcome:
    """The answers that lead to an outcome with these accepted, rejected and superseded files."""

    def __init__(
        self,
        *accepted: FileVersion,
        rejected: Mapping[FileVersion, tuple[Failure, ...]] | None = None,
        superseded: tuple[FileVersion, ...] = (),
        engine: Engine = Engine.GLUE,
    ) -> None:
        rejected = rejected or {}
        self.given = ExecutionInput(BUCKET, (*accepted, *rejected, *superseded), Trigger.S3)
        self.name = execution_name(self.given.files)
        self.manifest = Manifest(
            self.name,
            BUCKET,
            "s3",
            tuple(
                AcceptedFile(file, _dataset(file), "parquet", text_columns(["VendorID"])) for file in accepted
            ),
            tuple(RejectedFile(file, reasons) for file, reasons in rejected.items()),
            tuple(SupersededFile(file) for file in superseded),
        )
        uri = f"s3://{BUCKET}/{manifest_key(self.name)}"
        validated = validation_summary(self.manifest, uri, Decision(engine))
        self.answers: dict[str, list[Any]] = {
            "ValidateInput": [{"Payload": json.loads(json.dumps(validated))}]
        }

    def raising(self, state: str, error: str, cause: str | None = None) -> "Outcome":
        self.answers[state] = [Raised(error, cause)]
        return self

    def ran(self, state: str = "SUCCEEDED", message: str = "") -> "Outcome":
        self.answers["RunGlueETLJob"] = [job_run(state, message)]
        return self

    def resulting(self, *files: FileResult, changed: bool = False) -> "Outcome":
        self.result = JobResult(self.name, BUCKET, RUN_ID, files, changed, changed)
        self.answers["ReadJobResult"] = [{"Body": job_summary(self.result, self.manifest)}]
        return self.ran()

    def crawled(self, status: str, message: str = "") -> "Outcome":
        crawl = {"Status": status, "StartTime": "2026-01-02T03:04:06Z", "ErrorMessage": message}
        crawl = {name: value for name, value in crawl.items() if value}
        self.answers |= {
            "RunCrawlerUpdate": [{}],
            "CheckCrawlerStatus": [{"Crawler": {"State": "READY", "LastCrawl": crawl}}],
        }
        return self

    def execute(self, definition: Mapping[str, Any]) -> InterpretedExecution:
        given = json.loads(self.given.dumps())
        return interpret(definition, given, self.answers, name=self.name, arn_prefix=EXECUTIONS)


def job_run(state: str, message: str = "") -> dict[str, Any]:
    """A job run as Step Functions reports it, with times in milliseconds."""
    return {
        "AllocatedCapacity": 3,
        "Arguments": {"--manifest": f"s3://{BUCKET}/runs/m/manifest.json"},
        "Attempt": 0,
        "CompletedOn": 1_767_323_332_000,
        **({"ErrorMessage": message} if message else {}),
        "ExecutionTime": 142,
        "GlueVersion": "5.0",
        "Id": RUN_ID,
        "JobName": "job-process-taxi-data",
        "JobRunState": state,
        "MaxCapacity": 3.0,
        "StartedOn": 1_767_323_185_000,
        "Timeout": 120,
        "WorkerType": "G.1X",
    }


def died(state: str, message: str = "") -> tuple[str, str]:
    """The error and cause of a task whose job run ended in this state."""
    return "States.TaskFailed", json.dumps(job_run(state, message), separators=(",", ":"))


def refused(message: str, service: str) -> str:
    """A cause in the SDK's format: the service's message, then details of the request."""
    return (
        f"{message} (Service: {service}, Status Code: 400, Request ID: 9c1f6f0e-5b6e) (SDK Attempt Count: 1)"
    )


def _dataset(file: FileVersion) -> str:
    return file.key.rsplit("/", 1)[-1].split("_")[0]


def _many() -> Outcome:
    files = [version(f"scan-{number:02}.pdf", 4_096) for number in range(1, 24)]
    return Outcome(rejected={file: _refused(file) for file in files})


def _refused(file: FileVersion) -> tuple[Failure, ...]:
    return tuple(check_file(FileFacts(key=file.key, size=file.size), LIMITS))


def _several_reasons() -> Outcome:
    archived = FileFacts(key=STRAY.key, size=STRAY.size, storage_class="DEEP_ARCHIVE")
    return Outcome(
        rejected={
            EMPTY: _refused(EMPTY),
            ZIP: NO_PARQUET,
            STRAY: tuple(check_file(archived, LIMITS)),
            ODD: UNKNOWN,
            version("green_tripdata_2014-02.csv", 9_000): LACKING,
        }
    )


def _function_fault() -> Outcome:
    message = "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"
    fault = {
        "errorMessage": message,
        "errorType": "ClientError",
        "stackTrace": ['  File "/var/task/lambdas/validate_input/handler.py", line 35, in handler\n'],
    }
    return Outcome(YELLOW).raising("ValidateInput", "ClientError", json.dumps(fault))


OUT_OF_DISK = "SystemExit: process_taxi_data: SparkException: No space left on device"
WORKFLOW_OUTCOMES: Mapping[str, Callable[[], Outcome]] = {
    "success_one_file": lambda: Outcome(YELLOW).resulting(LOADED_YELLOW),
    "success_several_files": lambda: (
        Outcome(YELLOW, GREEN, superseded=(OLDER,))
        .resulting(LOADED_YELLOW, LOADED_GREEN, changed=True)
        .crawled("SUCCEEDED")
    ),
    "partial_failed_file": lambda: Outcome(YELLOW, FHV).resulting(LOADED_YELLOW, FAILED_FHV),
    "partial_two_failed_files": lambda: Outcome(YELLOW, GREEN, FHV).resulting(
        LOADED_YELLOW, FAILED_GREEN, FAILED_FHV
    ),
    "partial_rejected_file": lambda: Outcome(YELLOW, rejected={ZIP: NO_PARQUET}).resulting(LOADED_YELLOW),
    "partial_crawl_failed": lambda: (
        Outcome(YELLOW)
        .resulting(LOADED_YELLOW, changed=True)
        .crawled("FAILED", "Insufficient Lake Formation.")
    ),
    "validation_failed_one_file": lambda: Outcome(rejected={ZIP: NO_PARQUET}),
    "validation_failed_several_reasons": _several_reasons,
    "validation_failed_more_than_twenty_files": _many,
    "validation_failed_by_a_fault": _function_fault,
    "failed_job_run": lambda: Outcome(YELLOW).raising("RunGlueETLJob", *died("FAILED", OUT_OF_DISK)),
    "failed_job_run_timeout": lambda: Outcome(YELLOW, GREEN).raising("RunGlueETLJob", *died("TIMEOUT")),
    "failed_job_run_stopped": lambda: Outcome(YELLOW).ran("STOPPED"),
    "failed_job_task_timeout": lambda: Outcome(YELLOW).raising("RunGlueETLJob", "States.Timeout"),
    "failed_concurrent_runs": lambda: Outcome(YELLOW, GREEN).raising(
        "RunGlueETLJob",
        "Glue.ConcurrentRunsExceededException",
        refused("Concurrent runs exceeded for job-process-taxi-data", "Glue"),
    ),
    "failed_result_unreadable": lambda: (
        Outcome(YELLOW)
        .ran()
        .raising("ReadJobResult", "S3.NoSuchKeyException", refused("The specified key does not exist.", "S3"))
    ),
    "failed_no_file_loaded": lambda: Outcome(GREEN, FHV, rejected={ZIP: NO_PARQUET}).resulting(
        FAILED_GREEN, FAILED_FHV
    ),
    "nothing_superseded": lambda: Outcome(superseded=(OLDER,)),
    "nothing_superseded_during_the_run": lambda: Outcome(YELLOW).resulting(
        FileResult(YELLOW, FileStatus.SUPERSEDED, "yellow")
    ),
}
"""The outcomes by name of their golden file."""
