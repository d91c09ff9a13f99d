"""The queue of S3 events between the bucket and the orchestrator, and its dead-letter queue."""

from aws_cdk import ArnFormat, Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.removal import data_removal_policy
from stacks.settings import Settings
from taxi_etl.names import EVENT_DEAD_LETTER_QUEUE, EVENT_QUEUE, physical_name, trigger_name_prefix

VISIBILITY_FACTOR = 6
"""Visibility timeout as a multiple of the function's timeout.

AWS recommends six, so that throttled invocations do not use up the allowed receives.
"""


class EventQueue(Construct):
    """A queue that accepts messages only about buckets of this account that the settings name.

    They come from S3, from the settings' topics, and from EventBridge rules that `taxi-etl trigger` creates.
    """

    queue: sqs.Queue
    name: str
    arn: str
    dead_letters: sqs.Queue
    dead_letters_name: str
    send_policy: sqs.QueuePolicy

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, buckets: list[str]
    ) -> None:
        super().__init__(scope, construct_id)
        retention = Duration.days(settings.event_retention_days)
        removal = data_removal_policy(settings)
        self.name = physical_name(EVENT_QUEUE, settings.environment)
        self.arn = self._arn("sqs", self.name)
        self.dead_letters_name = physical_name(EVENT_DEAD_LETTER_QUEUE, settings.environment)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=self.dead_letters_name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=retention,
            removal_policy=removal,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=self.name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=retention,
            visibility_timeout=Duration.seconds(
                VISIBILITY_FACTOR * settings.orchestrator_timeout_seconds
                + settings.event_batch_window_seconds
            ),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=settings.event_max_receives
            ),
            removal_policy=removal,
        )
        self._allow_s3(buckets)
        if settings.existing_buckets:
            rules = f"{trigger_name_prefix(settings.environment)}*"
            self._allow("RulesMaySend", "events", "ArnLike", [self._arn("events", f"rule/{rules}")])
        if settings.existing_topics:
            topics = [self._arn("sns", name) for name in settings.existing_topics]
            self._allow("TopicsMaySend", "sns", "ArnEquals", topics)

    def grant_receive(self, grantee: iam.IGrantable) -> None:
        """Grant what Lambda needs to poll the queue on behalf of the grantee.

        Source: Lambda developer guide, "Using Lambda with Amazon SQS"; CDK's own grant allows more.
        """
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            resource_arns=[self.arn],
        ).assert_success()

    def _arn(self, service: str, name: str) -> str:
        """The ARN of a resource in the queue's account and region."""
        return Stack.of(self).format_arn(
            service=service, resource=name, arn_format=ArnFormat.NO_RESOURCE_NAME
        )

    def _allow(self, sid: str, service: str, operator: str, sources: list[str]) -> None:
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={operator: {"aws:SourceArn": sources}},
            )
        )

    def _allow_s3(self, buckets: list[str]) -> None:
        """Allow the buckets by name: the bucket refers to the queue, so a reference would be a cycle."""
        stack = Stack.of(self)
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="S3MaySend",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnEquals": {
                        "aws:SourceArn": [
                            stack.format_arn(
                                service="s3",
                                resource=name,
                                account="",
                                region="",
                                arn_format=ArnFormat.NO_RESOURCE_NAME,
                            )
                            for name in buckets
                        ]
                    },
                },
            )
        )
        policy = self.queue.node.find_child("Policy")
        assert isinstance(policy, sqs.QueuePolicy)
        self.send_policy = policy
