"""The alarm rules: metric, threshold, treatment of missing data, and the text that people read.

A metric that counts events has no data while nothing happens, so its missing data does not breach. A gauge
without data has not changed, so the alarm keeps its state.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from stacks.metrics import OLDEST_MESSAGE, VISIBLE_MESSAGES, finalizer_count, finalizer_gauge, queue_gauge
from stacks.settings import Settings
from taxi_etl.metrics import Metric

FIVE_MINUTES = Duration.minutes(5)
HOURS_A_DAY = 24


@dataclass(frozen=True, kw_only=True)
class AlarmSources:
    """The resources whose metrics have alarms."""

    settings: Settings
    state_machine: sfn.StateMachine
    events: str
    """The name of the event queue."""
    dead_letters: Mapping[str, str]
    """Names of dead-letter queues by alarm name."""
    functions: Mapping[str, lambda_.Function]
    """Functions by the prefix of their alarms' names."""
    small_batch: lambda_.Function | None
    """The function for small batches, if the app has it."""


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """One alarm. `description` is what happened, in sentences; the runbook has the steps."""

    name: str
    metric: cloudwatch.IMetric
    threshold: float
    description: str
    comparison: cloudwatch.ComparisonOperator = (
        cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
    )
    missing_data: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    runbook_heading: str = ""
    """The runbook's heading where it is not the alarm's name, because several alarms share one."""


def alarm_rules(sources: AlarmSources) -> Iterator[AlarmRule]:
    """Every alarm of the pipeline."""
    yield from _execution_rules(sources.settings, sources.state_machine)
    yield _job_rule(sources.settings)
    yield from _file_rules(sources.settings)
    yield _oldest_event_rule(sources.settings, sources.events)
    for name, queue in sources.dead_letters.items():
        yield _dead_letter_rule(name, queue)
    for prefix, function in sources.functions.items():
        yield from _function_rules(prefix, function)
    if sources.small_batch:
        yield _small_batch_rule(sources.small_batch)


def _execution_rules(settings: Settings, machine: sfn.StateMachine) -> Iterator[AlarmRule]:
    yield AlarmRule(
        name="ExecutionsFailed",
        metric=machine.metric_failed(period=FIVE_MINUTES, statistic="Sum"),
        threshold=settings.alarm_failed_executions,
        description="A taxi workflow execution failed. Its own notification names the files and the cause.",
    )
    yield AlarmRule(
        name="ExecutionsTimedOut",
        metric=machine.metric_timed_out(period=FIVE_MINUTES, statistic="Sum"),
        threshold=1,
        description="A taxi workflow execution exceeded its time limit and was stopped.",
    )
    yield AlarmRule(
        name="ExecutionsAborted",
        metric=machine.metric_aborted(period=FIVE_MINUTES, statistic="Sum"),
        threshold=1,
        description="A person or a command stopped a taxi workflow execution.",
    )
    yield AlarmRule(
        name="ExecutionThrottled",
        metric=machine.metric_throttled(period=FIVE_MINUTES, statistic="Sum"),
        threshold=settings.alarm_throttled_executions,
        description="Step Functions throttled state transitions. Nothing is lost; executions take longer.",
    )
    yield AlarmRule(
        name="ExecutionTime",
        metric=machine.metric_time(period=FIVE_MINUTES, statistic="Maximum"),
        threshold=Duration.minutes(settings.alarm_execution_minutes).to_milliseconds(),
        description=(
            f"A taxi workflow execution took longer than {settings.alarm_execution_minutes} minutes, "
            "including the time in Glue's queue."
        ),
        comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    )


def _job_rule(settings: Settings) -> AlarmRule:
    return AlarmRule(
        name="JobFailures",
        metric=finalizer_count(Metric.JOB_RUNS_FAILED, settings, FIVE_MINUTES),
        threshold=1,
        description="A run of the Glue job failed or timed out. Failed runs are not repeated automatically.",
    )


def _file_rules(settings: Settings) -> Iterator[AlarmRule]:
    yield AlarmRule(
        name="FilesFailed",
        metric=finalizer_count(Metric.FILES_FAILED, settings, FIVE_MINUTES),
        threshold=1,
        description="The job could not load at least one file. Other files of the execution may have loaded.",
    )
    yield AlarmRule(
        name="QuarantineShare",
        metric=finalizer_gauge(Metric.QUARANTINE_PERCENT, settings, FIVE_MINUTES),
        threshold=settings.alarm_quarantine_percent,
        description=(
            f"At least {settings.alarm_quarantine_percent} % of the rows that an execution loaded failed "
            "validation and were quarantined."
        ),
    )
    yield AlarmRule(
        name="UnusualMonths",
        metric=finalizer_count(Metric.UNUSUAL_MONTHS, settings, FIVE_MINUTES),
        threshold=settings.alarm_unusual_files,
        description=(
            "A loaded file is unusual for a month of trips: it has far fewer or more trips than earlier "
            "months, a column became null, days have no trips, or amounts are in another unit. Its "
            "notification has the details."
        ),
    )
    yield AlarmRule(
        name="Silence",
        metric=finalizer_gauge(Metric.HOURS_SINCE_LAST_FILE, settings, FIVE_MINUTES),
        threshold=settings.alarm_silence_days * HOURS_A_DAY,
        description=f"No taxi file has arrived for {settings.alarm_silence_days} days.",
        missing_data=cloudwatch.TreatMissingData.IGNORE,
    )


def _oldest_event_rule(settings: Settings, events: str) -> AlarmRule:
    return AlarmRule(
        name="OldestEvent",
        metric=queue_gauge(OLDEST_MESSAGE, events, FIVE_MINUTES),
        threshold=Duration.minutes(settings.alarm_event_age_minutes).to_seconds(),
        description=(
            f"An event has waited in the queue for {settings.alarm_event_age_minutes} minutes, "
            "so its file has not started to load."
        ),
        missing_data=cloudwatch.TreatMissingData.IGNORE,
    )


def _dead_letter_rule(name: str, queue: str) -> AlarmRule:
    return AlarmRule(
        name=name,
        metric=queue_gauge(VISIBLE_MESSAGES, queue, FIVE_MINUTES),
        threshold=1,
        description="Events failed after all retries and wait in a dead-letter queue.",
        # SQS stops reporting on an inactive queue, even when it is not empty.
        missing_data=cloudwatch.TreatMissingData.IGNORE,
    )


def _function_rules(prefix: str, function: lambda_.Function) -> Iterator[AlarmRule]:
    yield AlarmRule(
        name=f"{prefix}Errors",
        metric=function.metric_errors(period=FIVE_MINUTES, statistic="Sum"),
        threshold=1,
        description="A Lambda function of the pipeline failed. Its caller retries the invocation.",
    )
    yield AlarmRule(
        name=f"{prefix}Throttles",
        metric=function.metric_throttles(period=FIVE_MINUTES, statistic="Sum"),
        threshold=1,
        description="Lambda throttled invocations because the account runs too many functions concurrently.",
        runbook_heading="FunctionThrottles",
    )


def _small_batch_rule(function: lambda_.Function) -> AlarmRule:
    """An alarm on errors only: throttled and declined batches are loaded by the Glue job as intended."""
    return AlarmRule(
        name="SmallBatchErrors",
        metric=function.metric_errors(period=FIVE_MINUTES, statistic="Sum"),
        threshold=1,
        description=(
            "The function for small batches failed, ran out of time or out of memory. "
            "The Glue job loads its files instead."
        ),
        runbook_heading="small-batches",
    )
