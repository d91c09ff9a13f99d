"""Which rights can only AWS show to be needed? The reviewed list; every other right must be used here.

An entry names rights by patterns. It must match some, none of which any call needed, or it is out of date.
"""

from typing import NamedTuple

MACHINE, JOB, CRAWLER = "WorkflowStateMachineRole", "JobRole", "CrawlerRole"


class UnverifiablePermission(NamedTuple):
    """Rights of a role, by action and resource; why the local account cannot show them, and who asks for
    them."""

    role: str
    action: str
    resource: str
    why: str
    source: str


UNSHOWN = (
    UnverifiablePermission(
        "*",
        "xray:*",
        "*",
        "there is no X-Ray",
        "Lambda developer guide, 'Visualize Lambda function invocations using AWS X-Ray'; Step Functions "
        "developer guide, 'Trace Step Functions request data in AWS X-Ray'",
    ),
    UnverifiablePermission(
        MACHINE,
        "logs:*",
        "*",
        "executions have no log",
        "Step Functions developer guide, 'Using CloudWatch Logs to log execution history', IAM policies",
    ),
    UnverifiablePermission(
        "*",
        "kms:*",
        "arn:aws:kms:*",
        "nothing is encrypted",
        "Amazon SNS developer guide, 'Managing Amazon SNS encryption keys and costs', permissions",
    ),
    UnverifiablePermission(
        MACHINE,
        "glue:GetJobRuns",
        "*:job/*",
        "whoever waits for a job run is told of its end",
        "Step Functions developer guide, 'Start an AWS Glue job with Step Functions', IAM policies for .sync",
    ),
    UnverifiablePermission(
        MACHINE,
        "s3:ListBucket",
        "*",
        "no job run ends well and leaves no summary; if one did, it would be told as missing",
        "Amazon S3 API reference, 'GetObject', permissions",
    ),
    UnverifiablePermission(
        "OrchestratorRole",
        "sqs:GetQueueAttributes",
        "*",
        "queues are polled without it",
        "Lambda developer guide, 'Creating and configuring an Amazon SQS event source mapping'; "
        "AWS managed policy AWSLambdaSQSQueueExecutionRole",
    ),
    UnverifiablePermission(
        JOB,
        "cloudwatch:PutMetricData",
        "*",
        "job runs have no metrics",
        "Glue developer guide, 'Monitoring jobs using AWS Glue observability metrics'; AWSGlueServiceRole",
    ),
    UnverifiablePermission(
        JOB,
        "s3:GetBucketLocation",
        "*",
        "the emulator has one region",
        "AWS managed policy AWSGlueServiceRole",
    ),
    UnverifiablePermission(
        JOB,
        "s3:AbortMultipartUpload",
        "*/warehouse/*",
        "no write of a large file fails",
        "Apache Iceberg, S3OutputStream.abortUpload",
    ),
    *(
        UnverifiablePermission(
            CRAWLER,
            action,
            "*",
            "the crawl here is not Glue's, and knows neither partitions nor logs",
            "Glue developer guide, 'Crawler prerequisites': AWSGlueServiceRole or a scoped down version",
        )
        for action in ("s3:GetBucketLocation", "glue:Get*", "glue:*Partition", "logs:*")
    ),
    UnverifiablePermission(
        "JobOptimizerRole",
        "*",
        "*",
        "optimizers never run",
        "Glue developer guide, 'Table optimization prerequisites'",
    ),
)
