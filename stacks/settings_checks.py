"""Checks of the settings, which return a reason for each invalid value."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from taxi_etl.forecast import WORKER_DPUS
from taxi_etl.inputs import EXECUTION_MAX_FILES
from taxi_etl.stall_timeout import longest_stall_minutes

if TYPE_CHECKING:
    from stacks.settings import Settings

LOG_RETENTION_DAYS = (1, 3, 7, 14, 30, 60, 90, 180, 365, 731)
"""The supported retention periods, a subset of those of CloudWatch Logs."""
WORKER_TYPES = tuple(WORKER_DPUS)
BATCH_WITHOUT_WINDOW_MAX = 10
"""Lambda requires a batching window of at least one second for larger batches."""

_AT_LEAST_ONE = (
    "noncurrent_version_days",
    "abort_multipart_days",
    "runs_retention_days",
    "event_max_receives",
    "execution_max_bytes",
    "max_file_bytes",
    "small_batch_max_parquet_bytes",
    "small_batch_max_csv_bytes",
    "small_batch_max_csv_gz_bytes",
    "small_batch_max_columns",
    "max_concurrent_runs",
    "job_timeout_minutes",
    "stall_minutes",
    "table_retention_days",
    "crawl_poll_seconds",
    "crawl_polls_max",
    "alarm_failed_executions",
    "alarm_throttled_executions",
    "alarm_unusual_files",
    "sweep_interval_minutes",
    "sweep_after_minutes",
)
_RANGES = {
    "event_batch_size": (1, 10_000),  # Lambda, standard queues
    "event_batch_window_seconds": (0, 300),  # Lambda
    "event_retention_days": (1, 14),  # SQS
    "orchestrator_timeout_seconds": (1, 900),  # Lambda
    "validate_timeout_seconds": (1, 900),
    "close_timeout_seconds": (1, 900),
    "small_batch_timeout_seconds": (1, 900),
    "orchestrator_memory_mb": (128, 10_240),  # Lambda
    "validate_memory_mb": (128, 10_240),
    "close_memory_mb": (128, 10_240),
    "small_batch_memory_mb": (128, 10_240),
    "small_batch_storage_mb": (512, 10_240),  # Lambda, ephemeral storage
    "orchestrator_concurrency": (2, 1_000),  # Lambda's MaximumConcurrency of an SQS source
    "execution_max_files": (1, EXECUTION_MAX_FILES),
    "worker_count": (2, 299),  # Glue, G.1X
    "expected_queue_depth": (0, 100),
    "max_quarantine_share": (0, 1),
    "alarm_execution_minutes": (1, 1_440),  # CloudWatch evaluates at most a day
    "alarm_quarantine_percent": (1, 100),
    "alarm_event_age_minutes": (5, 20_160),  # SQS keeps messages for two weeks
    "alarm_silence_days": (1, 3_650),
}


def find_problems(settings: "Settings") -> list[str]:
    """Return every reason why these settings are invalid; an empty list means they are valid."""
    return [
        *_numbers_out_of_range(settings),
        *_conflicting_numbers(settings),
        *_invalid_choices(settings),
        *_invalid_names(settings),
    ]


def _numbers_out_of_range(settings: "Settings") -> Iterator[str]:
    for name in _AT_LEAST_ONE:
        if getattr(settings, name) < 1:
            yield f"{name} is {getattr(settings, name)}; it must be at least 1"
    for name, (low, high) in _RANGES.items():
        if not low <= getattr(settings, name) <= high:
            yield f"{name} is {getattr(settings, name)}; it must be between {low} and {high}"


def _conflicting_numbers(settings: "Settings") -> Iterator[str]:
    if settings.event_batch_size > BATCH_WITHOUT_WINDOW_MAX and settings.event_batch_window_seconds == 0:
        yield (
            f"event_batch_window_seconds is 0 and event_batch_size is {settings.event_batch_size}; "
            f"batches of more than {BATCH_WITHOUT_WINDOW_MAX} events need a window of at least 1"
        )
    if settings.max_file_bytes > settings.execution_max_bytes:
        yield "max_file_bytes is above execution_max_bytes; a file of that size could never be loaded"
    if settings.table_retention_days * 24 * 60 <= settings.job_timeout_minutes:
        yield (
            "table_retention_days is shorter than job_timeout_minutes; table maintenance could delete files "
            "that a job run still writes"
        )
    stalled = longest_stall_minutes(settings.stall_minutes)
    if stalled >= settings.job_timeout_minutes:
        yield (
            "stall_minutes is too long for job_timeout_minutes; "
            f"a job run may make no progress for up to {stalled:g} minutes in all"
        )


def _invalid_choices(settings: "Settings") -> Iterator[str]:
    if settings.log_retention_days not in LOG_RETENTION_DAYS:
        yield f"log_retention_days is {settings.log_retention_days}; choose one of {LOG_RETENTION_DAYS}"
    if settings.worker_type not in WORKER_TYPES:
        yield f"worker_type is {settings.worker_type!r}; choose one of {WORKER_TYPES}"


def _invalid_names(settings: "Settings") -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", settings.environment):
        yield "the environment's name must be 1 to 16 lowercase letters, digits and hyphens"
    for name in filter(None, (settings.bucket_name, *settings.existing_buckets)):
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
            yield f"{name!r} is not a valid bucket name"
    for name in settings.existing_topics:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name):
            yield f"{name!r} is not the name of a standard topic; write the name, not the ARN"
    for address in settings.alert_emails:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            yield f"{address!r} is not a valid e-mail address"
    for arn in filter(None, (settings.kms_key_arn, *settings.existing_key_arns)):
        if not re.fullmatch(r"arn:[a-z-]+:kms:[^:]+:\d{12}:key/.+", arn):
            yield f"{arn!r} is not the ARN of a KMS key"
    if settings.delivery_repository and not re.fullmatch(
        r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?", settings.delivery_repository
    ):
        yield f"{settings.delivery_repository!r} is not a GitHub repository; write OWNER/NAME"
    if not re.fullmatch(r"[\w./-]+", settings.delivery_branch):
        yield f"{settings.delivery_branch!r} is not a branch name; name exactly one branch"
