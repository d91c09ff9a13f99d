"""Names of the metrics that the functions send."""

from enum import StrEnum


class Metric(StrEnum):
    """A metric of the namespace `METRICS_NAMESPACE`; its dimension `service` is the sending function."""

    # etl-orchestrator
    FILES_RECEIVED = "FilesReceived"
    FILES_HELD = "FilesHeld"
    DUPLICATE_EVENTS = "DuplicateEvents"
    EVENTS_IGNORED = "EventsIgnored"
    EXECUTIONS_STARTED = "ExecutionsStarted"

    # etl-run-small-batch
    SMALL_BATCH_DECLINED_PERCENT = "SmallBatchDeclinedPercent"
    """100 for a declined batch, 0 for a loaded one; its average is the share of declined batches."""
    SMALL_BATCH_COST_USD = "SmallBatchCostUsd"
    """The cost of one invocation that loaded or declined a batch, at list price."""

    # etl-close-execution
    FILES_LOADED = "FilesLoaded"
    FILES_REJECTED = "FilesRejected"
    FILES_FAILED = "FilesFailed"
    ROWS_WRITTEN = "RowsWritten"
    ROWS_QUARANTINED = "RowsQuarantined"
    QUARANTINE_PERCENT = "QuarantinePercent"
    """Of the rows that one execution loaded, rounded down."""
    UNUSUAL_MONTHS = "UnusualMonths"
    """Loaded files with the warning `unusual_month`."""
    CLAIMS_ROLLED_FORWARD = "ClaimsRolledForward"
    CLAIMS_SWEPT_UP = "ClaimsSweptUp"
    HOURS_SINCE_LAST_FILE = "HoursSinceLastFile"
    JOB_RUNS_FAILED = "JobRunsFailed"
    """Job runs in one of `taxi_etl.job_runs.FAILED_STATES`, whatever started them."""
    JOB_DPU_HOURS = "JobDpuHours"
    JOB_COST_USD = "JobCostUsd"
    """Of one job run, at list price."""
