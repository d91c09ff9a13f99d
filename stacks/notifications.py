"""The SNS topic of notifications and alarms, encrypted with a key that alarms and rules may use."""

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.settings import Settings
from taxi_etl.names import TOPIC, physical_name

SEND_ENCRYPTED = ("kms:GenerateDataKey", "kms:Decrypt")


class Notifications(Construct):
    """The topic and its key; subscribe by settings or with `taxi-etl subscribe`."""

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
            # Only messages in transit are encrypted with it.
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.topic = sns.Topic(self, "Topic", topic_name=name, master_key=self.key, enforce_ssl=True)
        self._allow_services()
        for address in settings.alert_emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))

    def grant_publish(self, grantee: iam.IGrantable) -> None:
        """Grant publishing, which on an encrypted topic also needs a data key."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["sns:Publish"], resource_arns=[self.topic.topic_arn]
        ).assert_success()
        self.key.grant(grantee, *SEND_ENCRYPTED).assert_success()

    def _allow_services(self) -> None:
        """Allow alarms (as CloudWatch) and rules (as EventBridge) of this account to publish.

        With the AWS managed key for SNS, both would fail silently. The topic's policy replaces the default
        one, which would have allowed the account's alarms. It restricts the account and the rules; the key's
        policy need not, because the key is useless without the topic.
        """
        alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        rules = iam.ServicePrincipal("events.amazonaws.com")
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsMayPublish",
                principals=[alarms],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        rule_arns = Stack.of(self).format_arn(service="events", resource="rule", resource_name="*")
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="RulesMayPublish",
                principals=[rules],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": rule_arns}},
            )
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsAndRulesMayEncrypt",
                principals=[alarms, rules],
                actions=list(SEND_ENCRYPTED),
                resources=["*"],  # In a key policy, "*" is the key itself.
            )
        )
