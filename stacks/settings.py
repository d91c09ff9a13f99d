"""The settings of each environment: dev, prod and local.

Environments differ only here; constructs contain no environment switch. `cdk deploy -c environment=prod`
selects one of `ENVIRONMENTS`. Invalid values are refused before synthesis, with every reason.
"""

import platform
import sys
from dataclasses import dataclass, replace
from enum import StrEnum

from stacks.settings_checks import find_problems
from taxi_etl.anomalies import AnomalyPolicy
from taxi_etl.engines import EngineChoice
from taxi_etl.inputs import EXECUTION_MAX_FILES
from taxi_etl.names import PROD
from taxi_etl.schema import Instants

MIB = 1024**2
GIB = 1024**3


class CrawlPolicy(StrEnum):
    """When to crawl the raw files after a load: when the catalog would change, after each load, or never."""

    ON_SCHEMA_CHANGE = "on_schema_change"
    ALWAYS = "always"
    NEVER = "never"


class LayerTarget(StrEnum):
    """The platform that `make build` prepares the layers for: AWS Lambda or this machine."""

    AWS = "aws"
    LOCAL = "local"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one environment. Names carry units; defaults are those of dev.

    Raises ValueError that lists every invalid value.
    """

    environment: str

    # Retention and storage
    retain_data: bool = False
    """Keep stateful resources on `cdk destroy`."""
    termination_protection: bool = False
    bucket_name: str | None = None
    """The data lake's bucket name; by default `ACCOUNT-oubt-datalake`."""
    existing_buckets: tuple[str, ...] = ()
    """More buckets of this account to load files from; connect each with `taxi-etl trigger`."""
    existing_topics: tuple[str, ...] = ()
    """Names of SNS topics of this account that pass on events of existing buckets."""
    existing_key_arns: tuple[str, ...] = ()
    """KMS keys of files in existing buckets; the roles that read the files may decrypt with them."""
    lake_formation: bool = False
    """Grant Lake Formation permissions too, for accounts in which it governs the data catalog."""
    kms_key_arn: str | None = None
    """An existing KMS key for the bucket instead of S3 managed keys; `taxi-etl verify` checks its policy."""
    noncurrent_version_days: int = 30
    abort_multipart_days: int = 7
    runs_retention_days: int = 90
    log_retention_days: int = 14

    # Events and executions
    enable_orchestration: bool = True
    """When false, new files are recorded as held; `taxi-etl replay --held` starts them later."""
    event_batch_size: int = 500
    """S3 events per orchestrator invocation."""
    event_batch_window_seconds: int = 60
    """Seconds to collect events into one batch; a single upload waits as long."""
    event_retention_days: int = 14
    event_max_receives: int = 5
    orchestrator_timeout_seconds: int = 60
    orchestrator_memory_mb: int = 256
    orchestrator_concurrency: int = 2
    execution_max_files: int = EXECUTION_MAX_FILES
    execution_max_bytes: int = 20 * GIB
    """Total size of the files of one execution, so that its job run stays within the job's timeout."""
    max_file_bytes: int = 10 * GIB
    instants: Instants = Instants.REJECT
    """How Parquet's instants (INT96, or adjusted to UTC) are read: their New York wall clock is unknown."""

    # Validation
    validate_timeout_seconds: int = 60
    validate_memory_mb: int = 256

    # Engines
    engine: EngineChoice = EngineChoice.GLUE
    """`glue` loads all batches with the Glue job; `auto` loads small ones with DuckDB in a function."""
    small_batch_max_parquet_bytes: int = 256 * MIB
    small_batch_max_csv_bytes: int = 256 * MIB
    small_batch_max_csv_gz_bytes: int = 256 * MIB
    """Larger batches go to the Glue job; in a mixed batch, the fractions of the three limits add up."""
    small_batch_max_columns: int = 100
    """Batches with wider files go to the Glue job; DuckDB's memory grows with the columns."""
    small_batch_timeout_seconds: int = 600
    small_batch_memory_mb: int = 1769
    """One core, as much as the load of a small file uses. Measured peaks with this setting: 0.6 GB for 12
    million rows of Parquet, 1.1 GB for 4 million of CSV.GZ."""
    small_batch_storage_mb: int = 4096
    """Space for decompressed CSV files, and for DuckDB's data that does not fit in memory."""

    # Glue job
    worker_type: str = "G.1X"
    worker_count: int = 3
    """Workers per job run, including the driver; with auto scaling, the maximum."""
    auto_scaling: bool = True
    max_concurrent_runs: int = 3
    job_metrics: bool = False
    """Publish Glue's own metrics of each job run to CloudWatch, which cost more than a small run."""
    expected_queue_depth: int = 4
    """Queued job runs to allow for: queued time counts against the timeout of the workflow's task."""
    job_timeout_minutes: int = 120
    max_quarantine_share: float = 0.5
    """A file fails when a larger share of its rows failed validation."""
    anomaly_policy: AnomalyPolicy = AnomalyPolicy.WARN
    """Policy for unusual months: `warn` loads the file with a warning, `fail` fails it, and `off` checks
    nothing."""
    stall_minutes: int = 5
    """Minutes that a job run's tasks may read and write nothing before the files that they read fail."""
    sort_by_pickup: bool = False
    """Sort rows by pickup time, for queries that filter by day; costs one shuffle more."""
    table_retention_days: int = 7
    """Days to keep old snapshots and orphan files; must be longer than any job run."""

    # Crawler of the raw files in the folders of `taxi_etl/raw_folders.py`
    crawl_policy: CrawlPolicy = CrawlPolicy.ON_SCHEMA_CHANGE
    crawl_poll_seconds: int = 30
    crawl_polls_max: int = 60

    # Notifications, alarms and the finalizer
    alert_emails: tuple[str, ...] = ()
    chat_notifications: bool = False
    """HTTPS subscribers receive the format of Amazon Q Developer in chat applications instead of JSON."""
    alarm_failed_executions: int = 1
    """The alarm fires at this many failed executions in five minutes."""
    alarm_throttled_executions: int = 1
    """The alarm fires at this many throttled state transitions in five minutes."""
    alarm_execution_minutes: int = 60
    alarm_quarantine_percent: int = 10
    """Share of an execution's rows in percent; `max_quarantine_share` is the limit of a single file."""
    alarm_unusual_files: int = 1
    """The alarm fires at this many files with an unusual month in five minutes."""
    alarm_event_age_minutes: int = 30
    alarm_silence_days: int = 45
    """Days without a file. The TLC publishes monthly and is sometimes late."""
    runbook_url: str = "docs/runbook.md"
    """The address of the runbook that alarms link to, without a fragment."""
    sweep_interval_minutes: int = 15
    """How often the reconciler looks for open claims."""
    sweep_after_minutes: int = 15
    """The age from which the reconciler looks into an open claim."""
    close_timeout_seconds: int = 120
    close_memory_mb: int = 256

    # Delivery from CI
    delivery_repository: str | None = None
    """The GitHub repository whose workflow may deploy; without one there is no delivery stack.

    Write it as the repository's OIDC settings show it: `OWNER/NAME`, or `OWNER@ID/NAME@ID` with immutable
    subjects (the default of repositories created since summer 2026).
    """
    delivery_branch: str = "main"
    delivery_provider_exists: bool = False
    """Whether the account already has GitHub's OIDC provider, such as from another environment's stack."""

    # Lambda platform
    log_level: str = "INFO"
    layer_target: LayerTarget = LayerTarget.AWS
    lambda_python: str = "3.13"
    lambda_architecture: str = "arm64"

    def __post_init__(self) -> None:
        problems = find_problems(self)
        if problems:
            raise ValueError(f"settings of environment {self.environment}: " + "; ".join(problems))

    @property
    def glue_task_timeout_minutes(self) -> int:
        """How long the workflow waits for a job run, including its time in Glue's queue."""
        return self.job_timeout_minutes * (1 + self.expected_queue_depth)

    @property
    def command(self) -> str:
        """The command line as notifications write it."""
        return f"taxi-etl --environment {self.environment}"


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
    engine=EngineChoice.AUTO,
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
    """The settings of an environment. Raises ValueError that names the valid environments."""
    if environment not in ENVIRONMENTS:
        valid = ", ".join(sorted(ENVIRONMENTS))
        raise ValueError(
            f"there is no environment {environment!r}; choose one: -c environment=… with {valid}"
        )
    return ENVIRONMENTS[environment]
