"""What rings? Alarms that tell the topic, each with what to do in its description."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.metrics import closer_count
from stacks.settings import Settings
from taxi_etl.names import physical_name

FIVE_MINUTES = Duration.minutes(5)


class Alarms(Construct):
    """Alarms on failed, throttled and slow executions, on events given up, and on failing functions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        topic: sns.Topic,
        state_machine: sfn.StateMachine,
        dead_letters: dict[str, sqs.Queue],
        functions: dict[str, lambda_.Function],
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._topic = topic
        self.alarms: list[cloudwatch.Alarm] = []
        command = settings.command
        self._add(
            "ExecutionsFailed",
            state_machine.metric_failed(period=FIVE_MINUTES, statistic="Sum"),
            settings.alarm_failed_executions,
            f"A taxi execution failed. `{command} list` shows which one, `{command} history EXECUTION` why; "
            f"when the cause is gone, `{command} replay --execution EXECUTION`.",
        )
        self._add(
            "ExecutionThrottled",
            state_machine.metric_throttled(period=FIVE_MINUTES, statistic="Sum"),
            settings.alarm_throttled_executions,
            "Step Functions throttled state transitions. Nothing is lost, it takes longer; "
            "if it stays, ask AWS to raise the account's quota.",
        )
        self._add(
            "ExecutionTime",
            state_machine.metric_time(period=FIVE_MINUTES, statistic="Maximum"),
            Duration.minutes(settings.alarm_execution_minutes).to_milliseconds(),
            f"A taxi execution took longer than {settings.alarm_execution_minutes} minutes. "
            f"`{command} history EXECUTION` shows where the time went: in Glue's queue or in the job; "
            "consider more workers or more concurrent runs.",
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        )
        self._add(
            "FilesFailed",
            closer_count("FilesFailed", settings, FIVE_MINUTES),
            1,
            "Files failed in the job, perhaps beside others that loaded. The notification names them and "
            f"why; when the cause is gone, `{command} replay --execution EXECUTION`.",
        )
        for name, queue in dead_letters.items():
            self._add(
                name,
                queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
                1,
                "Events were given up after all retries and wait in a dead-letter queue; `taxi-etl status` "
                "names it. The function's logs say why; when the cause is gone, move them back with "
                "`aws sqs start-message-move-task`.",
            )
        for name, function in functions.items():
            self._add(
                name,
                function.metric_errors(period=FIVE_MINUTES, statistic="Sum"),
                1,
                f"A function failed and is tried again. `{command} doctor` and the function's logs say why.",
            )

    def _add(
        self,
        name: str,
        metric: cloudwatch.Metric,
        threshold: float,
        description: str,
        *,
        comparison: cloudwatch.ComparisonOperator = (
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
    ) -> None:
        alarm = metric.create_alarm(
            self,
            name,
            alarm_name=physical_name(f"etl-pipeline-{name}", self._settings.environment),
            alarm_description=description,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=comparison,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
        self.alarms.append(alarm)
