"""The Glue crawler over the raw files, and its permissions."""

import json

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.catalog import Catalog
from stacks.lake_bucket import LakeBucket
from stacks.settings import Settings
from taxi_etl.names import CRAWLER, physical_name
from taxi_etl.raw_folders import EXCLUSIONS


class RawCrawler(Construct):
    """Catalogs raw files for ad-hoc queries; the job keeps the catalog entries of the trip tables current."""

    crawler: glue.CfnCrawler
    name: str
    arn: str

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, lake: LakeBucket, catalog: Catalog
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = physical_name(CRAWLER, settings.environment)
        self.arn = Stack.of(self).format_arn(
            service="glue",
            resource="crawler",
            resource_name=self.name,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        # Crawlers also list a target without its last slash.
        lake.grant_read_raw(self.role, as_folder=True)
        lake.grant_location(self.role)
        catalog.grant_crawl(self.role)
        self._grant_logs()
        self.crawler = glue.CfnCrawler(
            self,
            "Crawler",
            name=self.name,
            description="Catalogs raw taxi files; the workflow starts it when the catalog would change",
            role=self.role.role_arn,
            database_name=catalog.raw_name,
            targets=glue.CfnCrawler.TargetsProperty(
                s3_targets=[
                    glue.CfnCrawler.S3TargetProperty(path=uri, exclusions=list(EXCLUSIONS))
                    for uri in lake.cataloged_uris()
                ]
            ),
            schema_change_policy=glue.CfnCrawler.SchemaChangePolicyProperty(
                update_behavior="UPDATE_IN_DATABASE", delete_behavior="LOG"
            ),
            recrawl_policy=glue.CfnCrawler.RecrawlPolicyProperty(recrawl_behavior="CRAWL_EVERYTHING"),
            configuration=json.dumps(
                {
                    "Version": 1.0,
                    # Months differ in a column or two: combine them instead of creating one table per file.
                    # This ignores how similar columns are, so each target holds one dataset and one format.
                    "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"},
                    "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}},
                }
            ),
        )
        # A crawler that starts before its policy exists fails.
        self.crawler.node.add_dependency(self.role)

    def _grant_logs(self) -> None:
        """Grant writing to the log group that all crawlers share and that Glue names and creates."""
        group = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws-glue/crawlers*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[group],
            )
        )
