"""The stateful stack: the data lake's bucket, the event queue, the ledger and the catalog's databases."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.catalog import Catalog
from stacks.event_queue import EventQueue
from stacks.lake_bucket import LakeBucket, lake_bucket_name
from stacks.ledger import Ledger
from stacks.settings import Settings
from taxi_etl.names import WAREHOUSE_PREFIX


class DataLakeStack(Stack):
    """Everything that must survive a redeployment; retained and protected as the settings require."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(
            scope,
            construct_id,
            description="NYC taxi data lake: files, events, ledger and catalog",
            termination_protection=settings.termination_protection,
            **kwargs,
        )
        name = lake_bucket_name(settings)
        self.events = EventQueue(
            self, "Events", settings=settings, buckets=[name, *settings.existing_buckets]
        )
        self.lake = LakeBucket(self, "Lake", settings=settings, events=self.events)
        self.ledger = Ledger(self, "Ledger", settings=settings)
        self.catalog = Catalog(
            self, "Catalog", settings=settings, warehouse=f"s3://{name}/{WAREHOUSE_PREFIX}"
        )
        # Created last: a table with deletion protection cannot be rolled back.
        self.ledger.node.add_dependency(self.events, self.lake, self.catalog)
        self._outputs()

    def _outputs(self) -> None:
        """Export the names that the command line reads."""
        for output, value in {
            "BucketName": self.lake.bucket.bucket_name,
            "LedgerTableName": self.ledger.table.table_name,
            "QueueUrl": self.events.queue.queue_url,
            "DeadLetterQueueUrl": self.events.dead_letters.queue_url,
            "RawDatabaseName": self.catalog.raw.database_name,
            "TaxiDatabaseName": self.catalog.taxi.database_name,
        }.items():
            CfnOutput(self, output, value=value)
        if self.lake.readable_keys:
            CfnOutput(self, "ReadableKeyArns", value=",".join(self.lake.readable_keys))
