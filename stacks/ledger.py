"""The ledger table: the status of every file version, and every execution with its input."""

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.removal import data_removal_policy
from stacks.settings import Settings
from taxi_etl.ledger import BY_EXECUTION, BY_STATUS
from taxi_etl.names import LEDGER_TABLE, physical_name


class Ledger(Construct):
    """A DynamoDB table on demand, with point-in-time recovery and two indexes."""

    table: dynamodb.Table
    name: str
    arn: str

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.name = physical_name(LEDGER_TABLE, settings.environment)
        self.arn = Stack.of(self).format_arn(service="dynamodb", resource="table", resource_name=self.name)
        self.table = dynamodb.Table(
            self,
            "Table",
            table_name=self.name,
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.DEFAULT,
            deletion_protection=settings.retain_data,
            removal_policy=data_removal_policy(settings),
        )
        # Sorted by `sk`, not `pk`: bucket and key together may exceed the 1024 bytes of a sort key.
        self.table.add_global_secondary_index(
            index_name=BY_EXECUTION, partition_key=_text("execution"), sort_key=_text("sk")
        )
        self.table.add_global_secondary_index(
            index_name=BY_STATUS, partition_key=_text("status"), sort_key=_text("updatedAt")
        )

    def grant_claims(self, grantee: iam.IGrantable) -> None:
        """Grant claiming files and finding claims; a transaction needs the permissions of its parts."""
        self._grant(grantee, "GetItem", "BatchGetItem", "PutItem", "UpdateItem")
        self._grant_queries(grantee, BY_EXECUTION, BY_STATUS)

    def grant_outcomes(self, grantee: iam.IGrantable) -> None:
        """Grant recording outcomes of claims and finding open claims."""
        self._grant(grantee, "GetItem", "UpdateItem")
        self._grant_queries(grantee, BY_STATUS)

    def _grant(self, grantee: iam.IGrantable, *calls: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"dynamodb:{call}" for call in calls],
            resource_arns=[self.arn],
        ).assert_success()

    def _grant_queries(self, grantee: iam.IGrantable, *indexes: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["dynamodb:Query"],
            resource_arns=[f"{self.arn}/index/{name}" for name in indexes],
        ).assert_success()


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
