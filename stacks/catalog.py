"""Where are tables listed? Two Glue databases: the crawler's of raw files, the job's of Iceberg tables."""

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.settings import Settings
from taxi_etl.names import RAW_DATABASE, TAXI_DATABASE, database_name

READ_CATALOG = ("glue:GetDatabase", "glue:GetTable", "glue:GetTables")
READ_PARTITIONS = ("glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition")
WRITE_TABLES = ("glue:CreateTable", "glue:UpdateTable")
WRITE_PARTITIONS = ("glue:BatchCreatePartition", "glue:CreatePartition", "glue:UpdatePartition")


class Catalog(Construct):
    """The databases; their tables belong to whoever writes them, not to the stack."""

    raw: glue.Database
    taxi: glue.Database

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, warehouse: str) -> None:
        super().__init__(scope, construct_id)
        removal = RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY
        self.raw = glue.Database(
            self,
            "Raw",
            database_name=database_name(RAW_DATABASE, settings.environment),
            description="Raw taxi files as the crawler finds them",
            removal_policy=removal,
        )
        self.taxi = glue.Database(
            self,
            "Taxi",
            database_name=database_name(TAXI_DATABASE, settings.environment),
            description="Taxi trips as Iceberg tables, kept by the Glue job",
            location_uri=warehouse,
            removal_policy=removal,
        )

    def grant_crawl(self, grantee: iam.IGrantable) -> None:
        """Create and update tables and partitions of the raw database."""
        self._grant(grantee, self.raw, (*READ_CATALOG, *READ_PARTITIONS, *WRITE_TABLES, *WRITE_PARTITIONS))

    def grant_tables(self, grantee: iam.IGrantable, *extra: str) -> None:
        """Create, read and update tables of the taxi database: a commit updates the table's entry."""
        self._grant(grantee, self.taxi, (*READ_CATALOG, *WRITE_TABLES, *extra))

    def _grant(self, grantee: iam.IGrantable, database: glue.Database, actions: tuple[str, ...]) -> None:
        stack = Stack.of(self)
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=list(actions),
            resource_arns=[
                stack.format_arn(service="glue", resource="catalog", arn_format=ArnFormat.NO_RESOURCE_NAME),
                database.database_arn,
                stack.format_arn(
                    service="glue", resource="table", resource_name=f"{database.database_name}/*"
                ),
            ],
        ).assert_success()
