"""What rings? Alarms that tell the topic what happened, in a sentence, and where to read what to do.

Each says what missing data means. Counts are sent only when something happens, so a gap is calm; a gauge that
is not sent says nothing new, so the alarm stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.metrics import finalizer_count, finalizer_gauge
from stacks.settings import Settings
from taxi_etl.metrics import Metric
from taxi_etl.names import physical_name

FIVE_MINUTES = Duration.minutes(5)
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
CALM = cloudwatch.TreatMissingData.NOT_BREACHING
AS_BEFORE = cloudwatch.TreatMissingData.IGNORE
HOURS_A_DAY = 24


@dataclass(frozen=True, kw_only=True)
class WatchedMetric:
    """What alarms look at."""

    settings: Settings
    state_machine: sfn.StateMachine
    job_failures: cloudwatch.IMetric
    events: sqs.Queue
    dead_letters: Mapping[str, sqs.Queue]
    """Dead-letter queues by the name of their alarm."""
    functions: Mapping[str, lambda_.Function]
    """Functions by the name of their errors' alarm."""


@dataclass(frozen=True)
class Rule:
    """One alarm: `says` is what happened, a sentence; what to do is in the runbook, under `heading`."""

    name: str
    metric: cloudwatch.IMetric
    threshold: float
    says: str
    comparison: cloudwatch.ComparisonOperator = AT_LEAST
    missing: cloudwatch.TreatMissingData = CALM
    heading: str = ""
    """The alarm's name, unless several share one."""


class Alarms(Construct):
    """Alarms on executions, the job, files, queues, functions and silence."""

    def __init__(
        self, scope: Construct, construct_id: str, *, watched: WatchedMetric, topic: sns.Topic
    ) -> None:
        super().__init__(scope, construct_id)
        settings = watched.settings
        rules = [*_executions(watched), *_files(watched), *_queues(watched), *_functions(watched)]
        self.alarms: list[cloudwatch.Alarm] = []
        for rule in rules:
            alarm = cloudwatch.Alarm(
                self,
                rule.name,
                metric=rule.metric,
                alarm_name=physical_name(f"etl-pipeline-{rule.name}", settings.environment),
                alarm_description=f"{rule.says} What to do: {settings.runbook_url}#{_anchor(rule)}",
                threshold=rule.threshold,
                evaluation_periods=1,
                comparison_operator=rule.comparison,
                treat_missing_data=rule.missing,
            )
            alarm.add_alarm_action(actions.SnsAction(topic))
            self.alarms.append(alarm)


def _anchor(rule: Rule) -> str:
    return (rule.heading or rule.name).lower()


def _executions(watched: WatchedMetric) -> Iterator[Rule]:
    settings, machine = watched.settings, watched.state_machine
    yield Rule(
        "ExecutionsFailed",
        machine.metric_failed(period=FIVE_MINUTES, statistic="Sum"),
        settings.alarm_failed_executions,
        "A taxi execution failed.",
    )
    yield Rule(
        "ExecutionsTimedOut",
        machine.metric_timed_out(period=FIVE_MINUTES, statistic="Sum"),
        1,
        "A taxi execution took longer than it may and was ended.",
    )
    yield Rule(
        "ExecutionsAborted",
        machine.metric_aborted(period=FIVE_MINUTES, statistic="Sum"),
        1,
        "A taxi execution was stopped by someone.",
    )
    yield Rule(
        "ExecutionThrottled",
        machine.metric_throttled(period=FIVE_MINUTES, statistic="Sum"),
        settings.alarm_throttled_executions,
        "Step Functions throttled state transitions; nothing is lost, it takes longer.",
    )
    yield Rule(
        "ExecutionTime",
        machine.metric_time(period=FIVE_MINUTES, statistic="Maximum"),
        Duration.minutes(settings.alarm_execution_minutes).to_milliseconds(),
        f"A taxi execution took longer than {settings.alarm_execution_minutes} minutes.",
        comparison=ABOVE,
    )
    yield Rule(
        "JobFailures",
        watched.job_failures,
        1,
        "A run of the Glue job failed or timed out.",
    )


def _files(watched: WatchedMetric) -> Iterator[Rule]:
    settings = watched.settings
    yield Rule(
        "FilesFailed",
        finalizer_count(Metric.FILES_FAILED, settings, FIVE_MINUTES),
        1,
        "Files failed in the job, perhaps beside others that loaded.",
    )
    yield Rule(
        "QuarantineShare",
        finalizer_gauge(Metric.QUARANTINE_PERCENT, settings, FIVE_MINUTES),
        settings.alarm_quarantine_percent,
        f"At least {settings.alarm_quarantine_percent} % of the rows of an execution went to quarantine.",
    )
    yield Rule(
        "Silence",
        finalizer_gauge(Metric.HOURS_SINCE_LAST_FILE, settings, FIVE_MINUTES),
        settings.alarm_silence_days * HOURS_A_DAY,
        f"No taxi file has come for {settings.alarm_silence_days} days.",
        missing=AS_BEFORE,
    )


def _queues(watched: WatchedMetric) -> Iterator[Rule]:
    """SQS stops reporting on a queue that nobody touches, also when it is not empty."""
    settings = watched.settings
    yield Rule(
        "OldestEvent",
        watched.events.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum"),
        Duration.minutes(settings.alarm_event_age_minutes).to_seconds(),
        f"An event has waited in the queue for {settings.alarm_event_age_minutes} minutes.",
        missing=AS_BEFORE,
    )
    for name, queue in watched.dead_letters.items():
        yield Rule(
            name,
            queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
            1,
            "Events were given up after all retries and wait in a dead-letter queue.",
            missing=AS_BEFORE,
        )


def _functions(watched: WatchedMetric) -> Iterator[Rule]:
    for name, function in watched.functions.items():
        yield Rule(
            name,
            function.metric_errors(period=FIVE_MINUTES, statistic="Sum"),
            1,
            "A function failed and is tried again.",
        )
        yield Rule(
            name.replace("Errors", "Throttles"),
            function.metric_throttles(period=FIVE_MINUTES, statistic="Sum"),
            1,
            "Lambda refused invocations because the account runs too many at once.",
            heading="FunctionThrottles",
        )
