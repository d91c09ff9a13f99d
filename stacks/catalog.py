"""The Glue Data Catalog: the crawler's database of raw files and the job's database of Iceberg tables."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.removal import data_removal_policy
from stacks.settings import Settings
from taxi_etl.names import RAW_DATABASE, TAXI_DATABASE, database_name

CRAWL = (
    "glue:GetTable",
    "glue:GetTables",
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
    "glue:BatchCreatePartition",
    "glue:CreatePartition",
    "glue:UpdatePartition",
)
LOAD = (
    "glue:GetTable",
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:CreateTableOptimizer",
    "glue:UpdateTableOptimizer",
)
OPTIMIZE = ("glue:GetTable", "glue:UpdateTable")
"""Permissions of a table optimizer. Source: Glue developer guide, "Table optimization prerequisites"."""


class Catalog(Construct):
    """Two databases. Their tables are created by the crawler and the job, not by the stack."""

    raw: glue.Database
    raw_name: str
    taxi: glue.Database
    taxi_name: str

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, warehouse: str) -> None:
        super().__init__(scope, construct_id)
        removal = data_removal_policy(settings)
        self.raw_name = database_name(RAW_DATABASE, settings.environment)
        self.taxi_name = database_name(TAXI_DATABASE, settings.environment)
        self.raw = glue.Database(
            self,
            "Raw",
            database_name=self.raw_name,
            description="Raw taxi files, cataloged by the crawler",
            removal_policy=removal,
        )
        self.taxi = glue.Database(
            self,
            "Taxi",
            database_name=self.taxi_name,
            description="Taxi trips in Iceberg tables, written by the Glue job",
            location_uri=warehouse,
            removal_policy=removal,
        )

    def grant_crawl(self, grantee: iam.IGrantable) -> None:
        """Grant creating and updating tables and partitions of the raw database."""
        self._grant_database(grantee, self.raw_name)
        self._grant_tables(grantee, self.raw_name, CRAWL)

    def grant_load(self, grantee: iam.IGrantable) -> None:
        """Grant creating, reading and updating tables of the taxi database, and creating their optimizers.

        Each Iceberg commit updates the table's catalog entry.
        """
        self._grant_database(grantee, self.taxi_name)
        self._grant_tables(grantee, self.taxi_name, LOAD)

    def grant_optimize(self, grantee: iam.IGrantable) -> None:
        """Grant reading and updating tables of the taxi database."""
        self._grant_tables(grantee, self.taxi_name, OPTIMIZE)

    def _grant_database(self, grantee: iam.IGrantable, database: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["glue:GetDatabase"], resource_arns=self._arns(database)
        ).assert_success()

    def _grant_tables(self, grantee: iam.IGrantable, database: str, actions: tuple[str, ...]) -> None:
        tables = Stack.of(self).format_arn(service="glue", resource="table", resource_name=f"{database}/*")
        iam.Grant.add_to_principal(
            grantee=grantee, actions=list(actions), resource_arns=[*self._arns(database), tables]
        ).assert_success()

    def _arns(self, database: str) -> list[str]:
        """The ARNs that a call on a database or its tables needs permission for, besides the table's own."""
        stack = Stack.of(self)
        catalog = stack.format_arn(service="glue", resource="catalog", arn_format=ArnFormat.NO_RESOURCE_NAME)
        return [catalog, stack.format_arn(service="glue", resource="database", resource_name=database)]
