"""CloudWatch alarms that notify the topic; each description states what happened and links to the runbook."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.alarm_rules import AlarmRule, AlarmSources, alarm_rules
from taxi_etl.names import physical_name


class Alarms(Construct):
    """One alarm for each rule of `stacks.alarm_rules`."""

    alarms: list[cloudwatch.Alarm]

    def __init__(
        self, scope: Construct, construct_id: str, *, sources: AlarmSources, topic: sns.Topic
    ) -> None:
        super().__init__(scope, construct_id)
        settings = sources.settings
        action = actions.SnsAction(topic)
        self.alarms = []
        for rule in alarm_rules(sources):
            alarm = cloudwatch.Alarm(
                self,
                rule.name,
                metric=rule.metric,
                alarm_name=physical_name(f"etl-pipeline-{rule.name}", settings.environment),
                alarm_description=_description(rule, settings.runbook_url),
                threshold=rule.threshold,
                evaluation_periods=1,
                comparison_operator=rule.comparison,
                treat_missing_data=rule.missing_data,
            )
            alarm.add_alarm_action(action)
            self.alarms.append(alarm)


def _description(rule: AlarmRule, runbook_url: str) -> str:
    heading = rule.runbook_heading or rule.name
    return f"{rule.description} What to do: {runbook_url}#{heading.lower()}"
