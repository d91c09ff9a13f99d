"""The finalizer's triggers: ended executions, ended job runs, and a schedule."""

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
from taxi_etl.job_runs import ENDED_STATES
from taxi_etl.names import CLOSE_DEAD_LETTER_QUEUE, physical_name

EXECUTION_ENDINGS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
DELIVERY_HOURS = 24
"""How long EventBridge retries a delivery."""
DELIVERY_ATTEMPTS = 100


class FinalizerTriggers(Construct):
    """Invokes the finalizer for each event, and on a schedule to reconcile what no event reported."""

    dead_letters: sqs.Queue

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        finalizer: lambda_.Function,
        state_machine: sfn.StateMachine,
        job: glue.PySparkEtlJob,
    ) -> None:
        super().__init__(scope, construct_id)
        self._finalizer = finalizer
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=physical_name(CLOSE_DEAD_LETTER_QUEUE, settings.environment),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(settings.event_retention_days),
        )
        self._add_failure_destination()
        self._on_execution_ended(state_machine)
        self._on_job_run_ended(job)
        self._on_schedule(settings)

    def _on_execution_ended(self, state_machine: sfn.StateMachine) -> None:
        events.Rule(
            self,
            "Ended",
            description="Taxi workflow executions that ended, with any status",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [state_machine.state_machine_arn],
                    "status": list(EXECUTION_ENDINGS),
                },
            ),
            targets=[self._target()],
        )

    def _on_job_run_ended(self, job: glue.PySparkEtlJob) -> None:
        events.Rule(
            self,
            "JobEnded",
            description="Taxi job runs that ended, to record their cost and count failures",
            event_pattern=events.EventPattern(
                source=["aws.glue"],
                detail_type=["Glue Job State Change"],
                detail={"jobName": [job.job_name], "state": list(ENDED_STATES)},
            ),
            targets=[self._target()],
        )

    def _on_schedule(self, settings: Settings) -> None:
        events.Rule(
            self,
            "Sweep",
            description="Reconciles open claims and reports the time since the last file",
            schedule=events.Schedule.rate(Duration.minutes(settings.sweep_interval_minutes)),
            targets=[self._target(events.RuleTargetInput.from_object({"sweep": True}))],
        )

    def _add_failure_destination(self) -> None:
        """Keep events that were delivered but on which the function failed.

        The destination needs one permission; CDK's own construct would grant more. Source: Lambda developer
        guide, "Adding a destination".
        """
        self._finalizer.configure_async_invoke(retry_attempts=2, max_event_age=Duration.hours(6))
        config = self._finalizer.node.find_child("EventInvokeConfig").node.default_child
        assert isinstance(config, lambda_.CfnEventInvokeConfig)
        config.destination_config = lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
            on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.dead_letters.queue_arn)
        )
        iam.Grant.add_to_principal(
            grantee=self._finalizer,
            actions=["sqs:SendMessage"],
            resource_arns=[self.dead_letters.queue_arn],
        ).assert_success()

    def _target(self, event: events.RuleTargetInput | None = None) -> targets.LambdaFunction:
        """The finalizer as a rule's target; events that cannot be delivered go to the dead-letter queue."""
        return targets.LambdaFunction(
            self._finalizer,
            event=event,
            dead_letter_queue=self.dead_letters,
            retry_attempts=DELIVERY_ATTEMPTS,
            max_event_age=Duration.hours(DELIVERY_HOURS),
        )
