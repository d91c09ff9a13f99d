"""Is it healthy, is it keeping up, what does it cost? One page that answers, question by question."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.alarms import Alarms
from stacks.metrics import finalizer_count, finalizer_gauge
from stacks.settings import Settings
from taxi_etl.metrics import Metric
from taxi_etl.names import STATE_MACHINE, physical_name
from taxi_etl.prices import GLUE_USD_PER_DPU_HOUR

HOUR = Duration.hours(1)
DAY = Duration.days(1)
WIDTH = 24
HEALTHY = "## Is it healthy?\nWhat rings, how executions end, what becomes of files and rows."
KEEPING_UP = "## Is it keeping up?\nWhat waits and for how long, how long executions take, when files come."
COST = (
    "## What does it cost?\nRuns of the Glue job, by far the most of it, as they end: DPU-hours at "
    f"{GLUE_USD_PER_DPU_HOUR} US dollars, the list price in N. Virginia. An estimate: the bill is what "
    "counts, and has crawls, storage and the rest."
)

Row = list[cloudwatch.IWidget]


class Dashboard(Construct):
    """Three questions, the graphs that answer each by the hour or day; the alarms on top."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        state_machine: sfn.StateMachine,
        queue: sqs.Queue,
        functions: Sequence[lambda_.Function],
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, construct_id)
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=physical_name(STATE_MACHINE, settings.environment),
            default_interval=Duration.days(7),
            widgets=[
                *_healthy(settings, state_machine, functions, alarms),
                *_keeping_up(settings, state_machine, queue),
                *_cost(settings),
            ],
        )


def _healthy(
    settings: Settings,
    machine: sfn.StateMachine,
    functions: Sequence[lambda_.Function],
    alarms: Alarms,
) -> list[Row]:
    files = (Metric.FILES_LOADED, Metric.FILES_REJECTED, Metric.FILES_FAILED)
    rows = (Metric.ROWS_WRITTEN, Metric.ROWS_QUARANTINED)
    endings = (
        machine.metric_succeeded,
        machine.metric_failed,
        machine.metric_timed_out,
        machine.metric_aborted,
    )
    return [
        [_text(HEALTHY)],
        [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms.alarms), width=WIDTH)],
        [
            _graph("Executions by how they ended", *(each(period=HOUR, statistic="Sum") for each in endings)),
            _graph("Errors of functions", *(each.metric_errors(period=HOUR) for each in functions)),
        ],
        [
            _graph("Files", *(finalizer_count(name, settings, HOUR) for name in files)),
            _graph("Rows", *(finalizer_count(name, settings, HOUR) for name in rows)),
        ],
    ]


def _keeping_up(settings: Settings, machine: sfn.StateMachine, queue: sqs.Queue) -> list[Row]:
    return [
        [_text(KEEPING_UP)],
        [
            _graph(
                "Events that wait",
                queue.metric_approximate_number_of_messages_visible(period=HOUR, statistic="Maximum"),
            ),
            _graph(
                "Age of the oldest event, seconds",
                queue.metric_approximate_age_of_oldest_message(period=HOUR, statistic="Maximum"),
            ),
        ],
        [
            _graph(
                "Time of an execution, Glue's queue included",
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
    whole_time = cloudwatch.SingleValueWidget(
        title="In the time shown",
        metrics=[dollars, hours],
        set_period_to_time_range=True,
        width=WIDTH // 3,
        height=6,
    )
    return [
        [_text(COST)],
        [
            whole_time,
            _graph("US dollars a day", dollars, parts=3),
            _graph("DPU-hours a day", hours, parts=3),
        ],
    ]


def _graph(title: str, *metrics: cloudwatch.IMetric, parts: int = 2) -> cloudwatch.GraphWidget:
    """A graph as wide as that part of the page; counts start at zero."""
    return cloudwatch.GraphWidget(
        title=title, left=list(metrics), width=WIDTH // parts, left_y_axis=cloudwatch.YAxisProps(min=0)
    )


def _text(markdown: str) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(markdown=markdown, width=WIDTH, height=2)
