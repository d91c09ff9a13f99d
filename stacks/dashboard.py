"""Is the pipeline well? One page of what arrives, how it ends, how long it takes and what waits."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.alarms import Alarms
from stacks.metrics import closer_count
from stacks.settings import Settings
from taxi_etl.names import STATE_MACHINE, physical_name

HOUR = Duration.hours(1)


class Dashboard(Construct):
    """Graphs by the hour; the alarms on top."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        state_machine: sfn.StateMachine,
        queue: sqs.Queue,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, construct_id)
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=physical_name(STATE_MACHINE, settings.environment),
            default_interval=Duration.days(7),
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms.alarms), width=24)],
                [
                    _graph(
                        "Executions",
                        state_machine.metric_succeeded(period=HOUR, statistic="Sum"),
                        state_machine.metric_failed(period=HOUR, statistic="Sum"),
                        state_machine.metric_timed_out(period=HOUR, statistic="Sum"),
                        state_machine.metric_aborted(period=HOUR, statistic="Sum"),
                    ),
                    _graph(
                        "Time of an execution, the queue included",
                        state_machine.metric_time(period=HOUR, statistic="Average"),
                        state_machine.metric_time(period=HOUR, statistic="Maximum"),
                    ),
                ],
                [
                    _graph(
                        "Files",
                        *(
                            closer_count(name, settings, HOUR)
                            for name in ("FilesLoaded", "FilesRejected", "FilesFailed")
                        ),
                    ),
                    _graph(
                        "Rows",
                        *(closer_count(name, settings, HOUR) for name in ("RowsWritten", "RowsQuarantined")),
                    ),
                ],
                [
                    _graph(
                        "Events that wait",
                        queue.metric_approximate_number_of_messages_visible(period=HOUR, statistic="Maximum"),
                        queue.metric_approximate_age_of_oldest_message(period=HOUR, statistic="Maximum"),
                    )
                ],
            ],
        )


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=12)
