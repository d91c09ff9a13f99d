"""Lake Formation permissions, for accounts in which it governs the Glue Data Catalog."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lakeformation as lakeformation
from constructs import Construct

from stacks.lake_bucket import bucket_arn, lake_bucket_name
from stacks.settings import Settings
from taxi_etl.names import WAREHOUSE_PREFIX

CREATE_TABLES = ("CREATE_TABLE", "DESCRIBE")
LOAD = ("ALTER", "DELETE", "DESCRIBE", "INSERT", "SELECT")
CRAWL = ("ALTER", "DESCRIBE")
OPTIMIZE = ("ALTER", "DELETE", "DESCRIBE", "INSERT")
"""Source: Glue developer guide, "Table optimization prerequisites"."""


class LakeFormation(Construct):
    """Registers the tables' location; grants job, optimizers and crawler the permissions they have in IAM.

    IAM permissions remain necessary: Lake Formation only restricts them. The role that deploys must be a data
    lake administrator.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.location = f"{bucket_arn(self, lake_bucket_name(settings))}/{WAREHOUSE_PREFIX}"
        self.registration = lakeformation.CfnResource(
            self, "Warehouse", resource_arn=self.location, use_service_linked_role=True
        )

    def grant_load(self, role: iam.Role, database: str) -> None:
        """Grant creating and writing Iceberg tables of the database at the registered location."""
        self._grant_database(role, database)
        self._grant_tables(role, database, LOAD)
        self._grant_location(role)

    def grant_optimize(self, role: iam.Role, database: str) -> None:
        """Grant rewriting Iceberg tables, whose files Glue reads with Lake Formation's credentials."""
        role.add_to_policy(iam.PolicyStatement(actions=["lakeformation:GetDataAccess"], resources=["*"]))
        self._grant_tables(role, database, OPTIMIZE)
        self._grant_location(role)

    def grant_crawl(self, role: iam.Role, database: str) -> None:
        """Grant creating and updating tables of the database; the raw files' location is not registered."""
        self._grant_database(role, database)
        self._grant_tables(role, database, CRAWL)

    def _grant_database(self, role: iam.Role, database: str) -> None:
        resource = lakeformation.CfnPrincipalPermissions.ResourceProperty(
            database=lakeformation.CfnPrincipalPermissions.DatabaseResourceProperty(
                catalog_id=Aws.ACCOUNT_ID, name=database
            )
        )
        self._grant(role, "Database", resource, CREATE_TABLES)

    def _grant_tables(self, role: iam.Role, database: str, permissions: tuple[str, ...]) -> None:
        resource = lakeformation.CfnPrincipalPermissions.ResourceProperty(
            table=lakeformation.CfnPrincipalPermissions.TableResourceProperty(
                catalog_id=Aws.ACCOUNT_ID, database_name=database, table_wildcard={}
            )
        )
        self._grant(role, "Tables", resource, permissions)

    def _grant_location(self, role: iam.Role) -> None:
        resource = lakeformation.CfnPrincipalPermissions.ResourceProperty(
            data_location=lakeformation.CfnPrincipalPermissions.DataLocationResourceProperty(
                catalog_id=Aws.ACCOUNT_ID, resource_arn=self.location
            )
        )
        self._grant(role, "Location", resource, ("DATA_LOCATION_ACCESS",)).add_dependency(self.registration)

    def _grant(
        self,
        role: iam.Role,
        name: str,
        resource: lakeformation.CfnPrincipalPermissions.ResourceProperty,
        permissions: tuple[str, ...],
    ) -> lakeformation.CfnPrincipalPermissions:
        return lakeformation.CfnPrincipalPermissions(
            self,
            f"{_owner(role)}{name}",
            principal=lakeformation.CfnPrincipalPermissions.DataLakePrincipalProperty(
                data_lake_principal_identifier=role.role_arn
            ),
            resource=resource,
            permissions=list(permissions),
            permissions_with_grant_option=[],
        )


def _owner(role: iam.Role) -> str:
    """The last two parts of the role's construct path, such as `JobRole`."""
    return "".join(role.node.path.split("/")[-2:])
