"""The permissions that only a real AWS account can verify. The tests must use every other permission.

An entry names permissions by patterns. It must match at least one, and no call may have needed them.
"""

from typing import NamedTuple

MACHINE, JOB, CRAWLER = "WorkflowStateMachineRole", "JobRole", "CrawlerRole"


class UnverifiablePermission(NamedTuple):
    """A role's permissions, why the local account cannot verify them, and the document that requires them."""

    role: str
    action: str
    resource: str
    why: str
    source: str


UNVERIFIABLE = (
    UnverifiablePermission(
        "*",
        "xray:*",
        "*",
        "the emulator has no X-Ray",
        "Lambda developer guide, 'Visualize Lambda function invocations using AWS X-Ray'; Step Functions "
        "developer guide, 'Trace Step Functions request data in AWS X-Ray'",
    ),
    UnverifiablePermission(
        MACHINE,
        "logs:*",
        "*",
        "the emulator writes no execution log",
        "Step Functions developer guide, 'Using CloudWatch Logs to log execution history', IAM policies",
    ),
    UnverifiablePermission(
        "*",
        "kms:*",
        "arn:aws:kms:*",
        "the emulator does not encrypt",
        "Amazon SNS developer guide, 'Managing Amazon SNS encryption keys and costs', permissions",
    ),
    UnverifiablePermission(
        MACHINE,
        "glue:GetJobRuns",
        "*:job/*",
        "the emulator's .sync task observes the job run directly",
        "Step Functions developer guide, 'Start an AWS Glue job with Step Functions', IAM policies for .sync",
    ),
    UnverifiablePermission(
        MACHINE,
        "s3:ListBucket",
        "*",
        "only a successful job run without a summary would need it, to report the summary as missing",
        "Amazon S3 API reference, 'GetObject', permissions",
    ),
    UnverifiablePermission(
        "OrchestratorRole",
        "sqs:GetQueueAttributes",
        "*",
        "the emulator polls queues without it",
        "Lambda developer guide, 'Creating and configuring an Amazon SQS event source mapping'; "
        "AWS managed policy AWSLambdaSQSQueueExecutionRole",
    ),
    UnverifiablePermission(
        JOB,
        "s3:GetBucketLocation",
        "*",
        "the emulator has one region",
        "AWS managed policy AWSGlueServiceRole",
    ),
    UnverifiablePermission(
        "*",
        "s3:AbortMultipartUpload",
        "*/warehouse/*",
        "no upload of a large file fails here",
        "Apache Iceberg, S3OutputStream.abortUpload; boto3, 'Uploading files', managed transfers",
    ),
    *(
        UnverifiablePermission(
            CRAWLER,
            action,
            "*",
            "the local crawl has neither partitions nor logs",
            "Glue developer guide, 'Crawler prerequisites': AWSGlueServiceRole or a scoped down version",
        )
        for action in ("s3:GetBucketLocation", "glue:Get*", "glue:*Partition", "logs:*")
    ),
    UnverifiablePermission(
        "JobOptimizerRole",
        "*",
        "*",
        "optimizers never run in the emulator",
        "Glue developer guide, 'Table optimization prerequisites'",
    ),
)
