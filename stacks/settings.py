"""What differs between dev, prod and local, and what may an operator tune?

Everything, and only here: the constructs contain no environment switch. `cdk deploy -c environment=prod`
chooses one of `ENVIRONMENTS`; a value that cannot work is refused here, with every reason, before synthesis.
"""

import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from taxi_etl.names import PROD
from taxi_etl.stall_timeout import longest_stall_minutes

MIB = 1024**2
GIB = 1024**3

LOG_RETENTION_DAYS = (1, 3, 7, 14, 30, 60, 90, 180, 365, 731)
"""The retention periods offered, a subset of those CloudWatch Logs knows."""
WORKER_TYPES = ("G.1X", "G.2X", "G.4X", "G.8X")


class CrawlPolicy(StrEnum):
    """When the raw zone is crawled after a load."""

    ON_SCHEMA_CHANGE = "on_schema_change"
    ALWAYS = "always"
    NEVER = "never"


class LayerTarget(StrEnum):
    """For which platform `make build` prepared the layers: AWS Lambda, or this machine."""

    AWS = "aws"
    LOCAL = "local"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One environment: names carry units, defaults are dev's. Raises ValueError listing what is wrong."""

    environment: str

    # What is kept, and how
    retain_data: bool = False
    """Stateful resources survive `cdk destroy`."""
    termination_protection: bool = False
    bucket_name: str | None = None
    """Another name for the data lake's bucket than `ACCOUNT-oubt-datalake`."""
    existing_buckets: tuple[str, ...] = ()
    """Buckets of this account that may send events too and be read; wired with `taxi-etl trigger`."""
    kms_key_arn: str | None = None
    """An existing key for the bucket, instead of S3's own; `taxi-etl verify` checks its policy."""
    noncurrent_version_days: int = 30
    abort_multipart_days: int = 7
    runs_retention_days: int = 90
    log_retention_days: int = 14

    # How files come in
    enable_orchestration: bool = True
    """False: files are recorded as held, and `taxi-etl replay --held` starts them later."""
    event_batch_size: int = 500
    """S3 events in one orchestrator invocation."""
    event_batch_window_seconds: int = 60
    """How long a burst is collected; a single upload waits so long too."""
    event_retention_days: int = 14
    event_max_receives: int = 5
    orchestrator_timeout_seconds: int = 60
    orchestrator_memory_mb: int = 256
    orchestrator_concurrency: int = 2
    execution_max_files: int = 99
    """With the execution's own item they fill one DynamoDB transaction (100 items)."""
    execution_max_bytes: int = 20 * GIB
    """Bytes of files in one execution, so that a burst's job run stays within its timeout."""
    max_file_bytes: int = 10 * GIB

    # Validation
    validate_timeout_seconds: int = 60
    validate_memory_mb: int = 256

    # The job
    worker_type: str = "G.1X"
    worker_count: int = 3
    """With auto scaling, the most workers a run may take; one of them is the driver."""
    auto_scaling: bool = True
    max_concurrent_runs: int = 3
    expected_queue_depth: int = 4
    """Runs that may wait before one starts: waiting counts against the task's timeout."""
    job_timeout_minutes: int = 120
    max_quarantine_share: float = 0.5
    stall_minutes: int = 5
    """How long a run's tasks may neither read nor write anything before the file that they read fails."""
    sort_by_pickup: bool = False
    """Each data file holds neighbouring days only, for one shuffle more: worth it where queries name days."""
    table_retention_days: int = 7
    """How long old snapshots and files that belong to none stay: longer than any job run."""

    # The raw zone's crawler
    crawl_policy: CrawlPolicy = CrawlPolicy.ON_SCHEMA_CHANGE
    crawl_poll_seconds: int = 30
    crawl_polls_max: int = 60

    # Who is told, and when
    alert_emails: tuple[str, ...] = ()
    alarm_failed_executions: int = 1
    """Failed executions in five minutes from which on the alarm rings; likewise the next."""
    alarm_throttled_executions: int = 1
    alarm_execution_minutes: int = 60
    alarm_quarantine_percent: int = 10
    """Of the rows that an execution loaded; a single file's limit is max_quarantine_share."""
    alarm_event_age_minutes: int = 30
    alarm_silence_days: int = 45
    """Without any file; the TLC publishes monthly, and is late at times."""
    runbook_url: str = "docs/runbook.md"
    """Where alarms point to: the runbook as your people reach it, without a closing fragment."""
    sweep_interval_minutes: int = 15
    """How often the closer looks for what events did not tell it."""
    sweep_after_minutes: int = 15
    """From what age on an open claim is looked into."""
    close_timeout_seconds: int = 120
    close_memory_mb: int = 256

    # Delivery from CI
    delivery_repository: str | None = None
    """The GitHub repository whose workflow may deploy; none: no such stack.

    As its OIDC settings show it: `OWNER/NAME`, or `OWNER@ID/NAME@ID` where subjects are immutable (the
    default of repositories made since summer 2026).
    """
    delivery_branch: str = "main"
    delivery_provider_exists: bool = False
    """The account has GitHub's identity provider already, perhaps from another environment's stack."""

    # The functions' platform
    log_level: str = "INFO"
    layer_target: LayerTarget = LayerTarget.AWS
    lambda_python: str = "3.13"
    lambda_architecture: str = "arm64"

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise ValueError(f"settings of environment {self.environment}: " + "; ".join(problems))

    @property
    def glue_task_timeout_minutes(self) -> int:
        """How long the workflow waits for a job run, in the queue included."""
        return self.job_timeout_minutes * (1 + self.expected_queue_depth)

    @property
    def command(self) -> str:
        """How messages address the command line."""
        return f"taxi-etl --environment {self.environment}"


_AT_LEAST_ONE = (
    "noncurrent_version_days",
    "abort_multipart_days",
    "runs_retention_days",
    "event_max_receives",
    "execution_max_bytes",
    "max_file_bytes",
    "max_concurrent_runs",
    "job_timeout_minutes",
    "stall_minutes",
    "table_retention_days",
    "crawl_poll_seconds",
    "crawl_polls_max",
    "alarm_failed_executions",
    "alarm_throttled_executions",
    "sweep_interval_minutes",
    "sweep_after_minutes",
)
_RANGES = {
    "event_batch_size": (1, 10_000),  # Lambda, standard queues
    "event_batch_window_seconds": (0, 300),  # Lambda
    "event_retention_days": (1, 14),  # SQS
    "orchestrator_timeout_seconds": (1, 900),  # Lambda, likewise the other functions
    "validate_timeout_seconds": (1, 900),
    "close_timeout_seconds": (1, 900),
    "orchestrator_memory_mb": (128, 10_240),
    "validate_memory_mb": (128, 10_240),
    "close_memory_mb": (128, 10_240),
    "orchestrator_concurrency": (2, 1_000),  # Lambda's MaximumConcurrency of an SQS source
    "execution_max_files": (1, 99),  # DynamoDB transactions
    "worker_count": (2, 299),  # Glue, G.1X
    "expected_queue_depth": (0, 100),
    "max_quarantine_share": (0, 1),
    "alarm_execution_minutes": (1, 1_440),  # CloudWatch evaluates at most a day
    "alarm_quarantine_percent": (1, 100),
    "alarm_event_age_minutes": (5, 20_160),  # SQS keeps messages for two weeks
    "alarm_silence_days": (1, 3_650),
}


def _problems(settings: Settings) -> Iterator[str]:
    """Why these settings cannot work, a sentence each."""
    yield from _wrong_numbers(settings)
    yield from _wrong_texts(settings)


def _wrong_numbers(settings: Settings) -> Iterator[str]:
    for name in _AT_LEAST_ONE:
        if getattr(settings, name) < 1:
            yield f"{name} is {getattr(settings, name)}; it must be at least 1"
    for name, (low, high) in _RANGES.items():
        if not low <= getattr(settings, name) <= high:
            yield f"{name} is {getattr(settings, name)}; it must be between {low} and {high}"
    if settings.event_batch_size > 10 and settings.event_batch_window_seconds == 0:
        yield "event_batch_window_seconds is 0; batches of more than 10 events need a window of at least 1"
    if settings.max_file_bytes > settings.execution_max_bytes:
        yield "max_file_bytes is above execution_max_bytes; a file of that size could never be started"
    if settings.table_retention_days * 24 * 60 <= settings.job_timeout_minutes:
        yield "table_retention_days is shorter than job_timeout_minutes; a run's files could vanish under it"
    if longest_stall_minutes(settings.stall_minutes) >= settings.job_timeout_minutes:
        standing = (
            f"a run may stand still for {longest_stall_minutes(settings.stall_minutes):g} minutes in all"
        )
        yield f"stall_minutes is too long for job_timeout_minutes; {standing}"
    if settings.log_retention_days not in LOG_RETENTION_DAYS:
        yield f"log_retention_days is {settings.log_retention_days}; choose one of {LOG_RETENTION_DAYS}"


def _wrong_texts(settings: Settings) -> Iterator[str]:
    if settings.worker_type not in WORKER_TYPES:
        yield f"worker_type is {settings.worker_type!r}; choose one of {WORKER_TYPES}"
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", settings.environment):
        yield "the environment's name must be 1 to 16 lowercase letters, digits and hyphens"
    for name in filter(None, (settings.bucket_name, *settings.existing_buckets)):
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
            yield f"{name!r} is no bucket name"
    for address in settings.alert_emails:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            yield f"{address!r} is no e-mail address"
    if settings.kms_key_arn and not re.fullmatch(
        r"arn:[a-z-]+:kms:[^:]+:\d{12}:key/.+", settings.kms_key_arn
    ):
        yield f"{settings.kms_key_arn!r} is no KMS key ARN"
    if settings.delivery_repository and not re.fullmatch(
        r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?", settings.delivery_repository
    ):
        yield f"{settings.delivery_repository!r} is no GitHub repository; write OWNER/NAME"
    if not re.fullmatch(r"[\w./-]+", settings.delivery_branch):
        yield f"{settings.delivery_branch!r} is no branch: name exactly one"


DEV = Settings(environment="dev")

PRODUCTION = Settings(
    environment=PROD,
    retain_data=True,
    termination_protection=True,
    noncurrent_version_days=90,
    runs_retention_days=365,
    log_retention_days=90,
    event_batch_window_seconds=120,
    worker_count=10,
    max_concurrent_runs=5,
)

LOCAL = replace(
    DEV,
    environment="local",
    event_batch_window_seconds=2,
    execution_max_bytes=2 * GIB,
    max_file_bytes=1 * GIB,
    worker_count=2,
    max_concurrent_runs=1,
    crawl_poll_seconds=2,
    sweep_interval_minutes=1,
    sweep_after_minutes=2,
    layer_target=LayerTarget.LOCAL,
    lambda_python=f"{sys.version_info.major}.{sys.version_info.minor}",
    lambda_architecture="arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
)

ENVIRONMENTS = {settings.environment: settings for settings in (DEV, PRODUCTION, LOCAL)}


def settings_for(environment: str | None) -> Settings:
    """The settings of an environment. Raises ValueError naming the valid ones."""
    if environment not in ENVIRONMENTS:
        valid = ", ".join(sorted(ENVIRONMENTS))
        raise ValueError(
            f"there is no environment {environment!r}; choose one: -c environment=… with {valid}"
        )
    return ENVIRONMENTS[environment]
