"""How does every ending get recorded? Two ways to the closer: the event of the ending, and a schedule.

A third brings it the ends of job runs, whose cost it counts.
"""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.settings import Settings
from taxi_etl.names import CLOSE_DEAD_LETTER_QUEUE, physical_name

ENDINGS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
RUN_ENDINGS = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")
DELIVERY_HOURS = 24
"""For how long EventBridge keeps trying to deliver."""
DELIVERY_ATTEMPTS = 100


class FinalizerTriggers(Construct):
    """Calls the closer when an execution has ended, and again and again for what no event told."""

    dead_letters: sqs.Queue

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        closer: lambda_.Function,
        state_machine: sfn.StateMachine,
        job: glue.PySparkEtlJob,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=physical_name(CLOSE_DEAD_LETTER_QUEUE, settings.environment),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(settings.event_retention_days),
        )
        self._keep_failures(closer)
        events.Rule(
            self,
            "Ended",
            description="Every ending of a taxi execution, whatever it was",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [state_machine.state_machine_arn], "status": list(ENDINGS)},
            ),
            targets=[self._target(closer)],
        )
        events.Rule(
            self,
            "JobEnded",
            description="Every end of a run of the taxi job, for its cost",
            event_pattern=events.EventPattern(
                source=["aws.glue"],
                detail_type=["Glue Job State Change"],
                detail={"jobName": [job.job_name], "state": list(RUN_ENDINGS)},
            ),
            targets=[self._target(closer)],
        )
        events.Rule(
            self,
            "Sweep",
            description="Looks for claims that stayed open, and for silence",
            schedule=events.Schedule.rate(Duration.minutes(settings.sweep_interval_minutes)),
            targets=[self._target(closer, events.RuleTargetInput.from_object({"sweep": True}))],
        )

    def _keep_failures(self, closer: lambda_.Function) -> None:
        """The rules' dead letters could not be delivered; these could, and the function failed on them.

        Lambda needs one right for it, and CDK's own destination would grant more. Source: Lambda developer
        guide, "Adding a destination".
        """
        closer.configure_async_invoke(retry_attempts=2, max_event_age=Duration.hours(6))
        config = closer.node.find_child("EventInvokeConfig").node.default_child
        assert isinstance(config, lambda_.CfnEventInvokeConfig)
        config.destination_config = lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
            on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.dead_letters.queue_arn)
        )
        iam.Grant.add_to_principal(
            grantee=closer, actions=["sqs:SendMessage"], resource_arns=[self.dead_letters.queue_arn]
        ).assert_success()

    def _target(
        self, closer: lambda_.Function, event: events.RuleTargetInput | None = None
    ) -> targets.LambdaFunction:
        return targets.LambdaFunction(
            closer,
            event=event,
            dead_letter_queue=self.dead_letters,
            retry_attempts=DELIVERY_ATTEMPTS,
            max_event_age=Duration.hours(DELIVERY_HOURS),
        )
