"""The CloudWatch dashboard: health, throughput and cost of the pipeline on one page."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.alarms import Alarms
from stacks.metrics import (
    OLDEST_MESSAGE,
    VISIBLE_MESSAGES,
    finalizer_count,
    finalizer_gauge,
    queue_gauge,
    small_batch_average,
    small_batch_sum,
)
from stacks.settings import Settings
from taxi_etl.billing import GLUE_USD_PER_DPU_HOUR
from taxi_etl.metrics import Metric
from taxi_etl.names import STATE_MACHINE, physical_name

HOUR = Duration.hours(1)
DAY = Duration.days(1)
WIDTH = 24
HEALTH = "## Health\nAlarms in alarm state, outcomes of executions, files and rows."
THROUGHPUT = "## Throughput\nWaiting events, execution times, and the time since the last file."
COST = (
    "## Cost\nGlue job runs, by far the largest part of the cost, at "
    f"{GLUE_USD_PER_DPU_HOUR} US dollars per DPU-hour (list price, N. Virginia). An estimate: the bill also "
    "includes crawls, storage and smaller items."
)
SMALL_BATCHES = (
    "## Small batches\nThe function that loads small batches with DuckDB, the share it declined, and its "
    "cost. The Glue job loads what the function declines or fails to load."
)

Row = list[cloudwatch.IWidget]


class Dashboard(Construct):
    """Alarms on top, then graphs by the hour for health and throughput, and by the day for cost."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        state_machine: sfn.StateMachine,
        queue: str,
        functions: Sequence[lambda_.Function],
        small_batch: lambda_.Function | None,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, construct_id)
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=physical_name(STATE_MACHINE, settings.environment),
            default_interval=Duration.days(7),
            widgets=[
                *_health(settings, state_machine, functions, alarms),
                *_throughput(settings, state_machine, queue),
                *_cost(settings),
                *(_small_batches(settings, small_batch) if small_batch else []),
            ],
        )


def _health(
    settings: Settings,
    machine: sfn.StateMachine,
    functions: Sequence[lambda_.Function],
    alarms: Alarms,
) -> list[Row]:
    files = (Metric.FILES_LOADED, Metric.FILES_REJECTED, Metric.FILES_FAILED)
    rows = (Metric.ROWS_WRITTEN, Metric.ROWS_QUARANTINED)
    outcomes = (
        machine.metric_succeeded,
        machine.metric_failed,
        machine.metric_timed_out,
        machine.metric_aborted,
    )
    return [
        [_text(HEALTH)],
        [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms.alarms), width=WIDTH)],
        [
            _graph("Executions by outcome", *(metric(period=HOUR, statistic="Sum") for metric in outcomes)),
            _graph("Function errors", *(function.metric_errors(period=HOUR) for function in functions)),
        ],
        [
            _graph("Files", *(finalizer_count(name, settings, HOUR) for name in files)),
            _graph("Rows", *(finalizer_count(name, settings, HOUR) for name in rows)),
        ],
    ]


def _throughput(settings: Settings, machine: sfn.StateMachine, queue: str) -> list[Row]:
    return [
        [_text(THROUGHPUT)],
        [
            _graph(
                "Events in the queue",
                queue_gauge(VISIBLE_MESSAGES, queue, HOUR),
            ),
            _graph(
                "Age of the oldest event (seconds)",
                queue_gauge(OLDEST_MESSAGE, queue, HOUR),
            ),
        ],
        [
            _graph(
                "Execution time, including Glue's queue",
                machine.metric_time(period=HOUR, statistic="Average"),
                machine.metric_time(period=HOUR, statistic="Maximum"),
            ),
            _graph(
                "Hours since the last file",
                finalizer_gauge(Metric.HOURS_SINCE_LAST_FILE, settings, HOUR),
            ),
        ],
    ]


def _cost(settings: Settings) -> list[Row]:
    dollars, hours = (
        finalizer_count(name, settings, DAY) for name in (Metric.JOB_COST_USD, Metric.JOB_DPU_HOURS)
    )
    total = cloudwatch.SingleValueWidget(
        title="Total for the time range",
        metrics=[dollars, hours],
        set_period_to_time_range=True,
        width=WIDTH // 3,
        height=6,
    )
    return [
        [_text(COST)],
        [
            total,
            _graph("US dollars per day", dollars, parts=3),
            _graph("DPU-hours per day", hours, parts=3),
        ],
    ]


def _small_batches(settings: Settings, function: lambda_.Function) -> list[Row]:
    declined = small_batch_average(Metric.SMALL_BATCH_DECLINED_PERCENT, settings, HOUR)
    return [
        [_text(SMALL_BATCHES)],
        [
            _graph(
                "Invocations and errors",
                function.metric_invocations(period=HOUR),
                function.metric_errors(period=HOUR),
                function.metric_throttles(period=HOUR),
                parts=3,
            ),
            _graph("Declined batches (percent)", declined, parts=3),
            _graph(
                "US dollars per day", small_batch_sum(Metric.SMALL_BATCH_COST_USD, settings, DAY), parts=3
            ),
        ],
    ]


def _graph(title: str, *metrics: cloudwatch.IMetric, parts: int = 2) -> cloudwatch.GraphWidget:
    """A graph whose axis starts at zero; `parts` graphs fit in one row."""
    return cloudwatch.GraphWidget(
        title=title, left=list(metrics), width=WIDTH // parts, left_y_axis=cloudwatch.YAxisProps(min=0)
    )


def _text(markdown: str) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(markdown=markdown, width=WIDTH, height=2)
