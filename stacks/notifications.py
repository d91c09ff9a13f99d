"""Who is told? The topic of outcomes and alarms, encrypted with a key that AWS's own senders may use."""

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.settings import Settings
from taxi_etl.names import TOPIC, physical_name

SEND_ENCRYPTED = ("kms:GenerateDataKey", "kms:Decrypt")
AWS_SENDERS = ("cloudwatch.amazonaws.com", "events.amazonaws.com")
"""Services that publish on their own: alarms and EventBridge. AWS's key for SNS shuts them out silently."""


class Notifications(Construct):
    """The topic and its key; people subscribe by settings or with `taxi-etl subscribe`."""

    topic: sns.Topic
    key: kms.Key

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        name = physical_name(TOPIC, settings.environment)
        self.key = kms.Key(
            self,
            "Key",
            alias=f"alias/{name}",
            description="Encrypts the taxi pipeline's notifications",
            enable_key_rotation=True,
            # Only messages in flight depend on it.
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.topic = sns.Topic(self, "Topic", topic_name=name, master_key=self.key, enforce_ssl=True)
        self._allow_aws_senders()
        for address in settings.alert_emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))

    def grant_publish(self, grantee: iam.IGrantable) -> None:
        """Publish, which with a key of one's own also needs a data key."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["sns:Publish"], resource_arns=[self.topic.topic_arn]
        ).assert_success()
        self.key.grant(grantee, *SEND_ENCRYPTED).assert_success()

    def _allow_aws_senders(self) -> None:
        """The topic's policy replaces the default one, which would have let alarms of the account publish."""
        senders = [iam.ServicePrincipal(service) for service in AWS_SENDERS]
        ours = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AwsSendersMayPublish",
                principals=senders,
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=ours,
            )
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AwsSendersMayEncrypt",
                principals=senders,
                actions=list(SEND_ENCRYPTED),
                resources=["*"],  # In a key's policy this means the key itself.
                conditions=ours,
            )
        )
