"""The data lake's bucket: raw files, the tables' files, and the documents of executions."""

from typing import Any

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.bucket_lifecycle import lifecycle_rules
from stacks.event_queue import EventQueue
from stacks.removal import data_removal_policy
from stacks.settings import Settings
from taxi_etl.names import RAW_PREFIX, RUNS_PREFIX, WAREHOUSE_PREFIX, bucket_name
from taxi_etl.raw_folders import raw_folders


def lake_bucket_name(settings: Settings) -> str:
    """The bucket's name as text, for policies that the bucket depends on and for the pipeline's stack."""
    return settings.bucket_name or bucket_name(Aws.ACCOUNT_ID, settings.environment)


class LakeBucket(Construct):
    """A versioned, private, encrypted bucket that sends events of new raw files to the queue."""

    bucket: s3.Bucket
    name: str
    arn: str
    key: kms.IKey | None
    readable_keys: tuple[str, ...]
    """ARNs of the keys that the roles which read raw files may decrypt with."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, events: EventQueue
    ) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key.from_key_arn(self, "Key", settings.kms_key_arn) if settings.kms_key_arn else None
        self.name = lake_bucket_name(settings)
        self.arn = bucket_arn(self, self.name)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=self.name,
            versioned=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            encryption=s3.BucketEncryption.KMS if self.key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.key,
            bucket_key_enabled=True if self.key else None,
            lifecycle_rules=lifecycle_rules(settings),
            removal_policy=data_removal_policy(settings),
        )
        self._source_names = (self.name, *settings.existing_buckets)
        self._source_arns = tuple(bucket_arn(self, name) for name in self._source_names)
        self._existing_keys = settings.existing_key_arns
        self.readable_keys = tuple(filter(None, (settings.kms_key_arn, *settings.existing_key_arns)))
        self._notify(events)

    def _notify(self, events: EventQueue) -> None:
        """Set the notification as a bucket property; CDK's construct would deploy a custom resource."""
        resource = self.bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=events.queue.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=RAW_PREFIX)]
                        )
                    ),
                )
            ]
        )
        # S3 verifies that it may send before it accepts the configuration.
        self.bucket.node.add_dependency(events.send_policy)

    def cataloged_uris(self) -> list[str]:
        """The folders that the crawler catalogs, in this bucket and in existing buckets."""
        return [f"s3://{name}/{folder}" for name in self._source_names for folder in raw_folders()]

    def grant_read_raw(
        self, grantee: iam.IGrantable, *, versions: bool = False, as_folder: bool = False
    ) -> None:
        """Grant reading and listing raw files of all source buckets.

        With `versions`, noncurrent ones too; with `as_folder`, listing with a prefix without the last slash.
        """
        actions = ("s3:GetObject", "s3:GetObjectVersion") if versions else ("s3:GetObject",)
        self._grant_objects(grantee, actions, RAW_PREFIX, self._source_arns)
        if self._existing_keys:
            _grant(grantee, ["kms:Decrypt"], list(self._existing_keys))
        folder = (RAW_PREFIX.removesuffix("/"),) if as_folder else ()
        self._grant_list(grantee, RAW_PREFIX, self._source_arns, *folder)

    def grant_read_runs(self, grantee: iam.IGrantable, *, may_be_missing: bool = True) -> None:
        """Grant reading manifests and results; permission to list turns 403 into 404 for a missing one."""
        self._grant_objects(grantee, ("s3:GetObject",), RUNS_PREFIX, (self.arn,))
        if may_be_missing:
            self._grant_list(grantee, RUNS_PREFIX, (self.arn,))

    def grant_write_runs(self, grantee: iam.IGrantable) -> None:
        """Grant writing manifests and results."""
        self._grant_objects(grantee, ("s3:PutObject",), RUNS_PREFIX, (self.arn,))

    def grant_warehouse(self, grantee: iam.IGrantable, *further: str) -> None:
        """Grant reading, writing and deleting the tables' files, and the `further` actions on them."""
        actions = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", *further)
        self._grant_objects(grantee, actions, WAREHOUSE_PREFIX, (self.arn,))

    def grant_list_warehouse(self, grantee: iam.IGrantable) -> None:
        """Grant listing the tables' files, as Iceberg's Java library does."""
        self._grant_list(grantee, WAREHOUSE_PREFIX, (self.arn,))

    def grant_location(self, grantee: iam.IGrantable) -> None:
        """Grant reading the buckets' region, which Glue's clients request first."""
        _grant(grantee, ["s3:GetBucketLocation"], list(self._source_arns))

    def _grant_list(self, grantee: iam.IGrantable, prefix: str, arns: tuple[str, ...], *exact: str) -> None:
        """Grant listing with a prefix that begins with `prefix` or is one of `exact`."""
        prefixes = {"StringLike": {"s3:prefix": [f"{prefix}*", *exact]}}
        _grant(grantee, ["s3:ListBucket"], list(arns), prefixes)

    def _grant_objects(
        self, grantee: iam.IGrantable, actions: tuple[str, ...], prefix: str, arns: tuple[str, ...]
    ) -> None:
        _grant(grantee, list(actions), [f"{arn}/{prefix}*" for arn in arns])
        if self.key is not None:
            # Multipart uploads read back what they wrote, so writers decrypt too.
            writes = ["kms:GenerateDataKey"] if "s3:PutObject" in actions else []
            self.key.grant(grantee, "kms:Decrypt", *writes).assert_success()


def bucket_arn(scope: Construct, name: str) -> str:
    """The ARN of a bucket, from its name alone."""
    return Stack.of(scope).format_arn(
        service="s3", resource=name, account="", region="", arn_format=ArnFormat.NO_RESOURCE_NAME
    )


def _grant(
    grantee: iam.IGrantable, actions: list[str], arns: list[str], conditions: dict[str, Any] | None = None
) -> None:
    iam.Grant.add_to_principal(
        grantee=grantee, actions=actions, resource_arns=arns, conditions=conditions
    ).assert_success()
