"""Checks of what holds data: bucket, queues, and ledger."""

import json
from collections.abc import Iterator

from botocore.exceptions import ClientError

from ops import bucket_notifications
from ops.checks.finding import Finding, Level, Scope, expect
from ops.file_outcomes import ledger
from taxi_etl.file_status import FileStatus
from taxi_etl.ledger import BY_EXECUTION, BY_STATUS
from taxi_etl.names import RAW_PREFIX

_PUBLIC_ACCESS_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def bucket(scope: Scope) -> Iterator[Finding]:
    """Check the bucket's versioning, public access block, and notification of the event queue."""
    part, name, s3 = "bucket", scope.deployment.bucket_name, scope.session.client("s3")
    versioned = s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
    problem = "it is off; versions of a file cannot be distinguished"
    yield expect(part, "versioning", versioned, problem, scope.redeploy)
    try:
        blocks = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        blocks = {}
    off = [block for block in _PUBLIC_ACCESS_BLOCKS if not blocks.get(block)]
    yield expect(part, "public access block", not off, f"{', '.join(off)} is off", scope.redeploy)
    yield from _notification(scope)


def _notification(scope: Scope) -> Iterator[Finding]:
    part = "bucket"
    ours, _ = bucket_notifications.show(scope.session, scope.deployment, scope.deployment.bucket_name)
    problem = f"the bucket does not notify queue {_queue_name(scope.deployment.queue_url)}"
    yield expect(part, "notification", bool(ours), problem, scope.redeploy)
    if ours:
        complete = any(
            each.prefix == RAW_PREFIX and not each.suffix and bucket_notifications.ALL_CREATED in each.events
            for each in ours
        )
        problem = (
            f"the queue is notified of {'; '.join(each.scope for each in ours)}, not of "
            f"{bucket_notifications.ALL_CREATED} of keys that begin with {RAW_PREFIX}"
        )
        yield expect(part, "notified events", complete, problem, scope.redeploy)


def queues(scope: Scope) -> Iterator[Finding]:
    """Check the event queue's redrive policy, and that the dead-letter queues are empty."""
    sqs, deployment = scope.session.client("sqs"), scope.deployment
    attributes = sqs.get_queue_attributes(QueueUrl=deployment.queue_url, AttributeNames=["All"])["Attributes"]
    target = json.loads(attributes.get("RedrivePolicy", "{}")).get("deadLetterTargetArn", "")
    yield expect(
        "event queue",
        "dead-letter queue",
        target.rpartition(":")[2] == _queue_name(deployment.dead_letter_queue_url),
        f"failed events go to {target or 'no dead-letter queue, and are retried until they expire'}",
        scope.redeploy,
    )
    for part, url in {
        "event dead-letter queue": deployment.dead_letter_queue_url,
        "finalizer's dead-letter queue": deployment.close_dead_letter_queue_url,
    }.items():
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        messages = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        remedy = (
            f"read the messages: aws sqs receive-message --queue-url {url}; fix the cause, then redrive "
            "them: aws sqs start-message-move-task"
        )
        yield expect(part, "empty", messages == 0, f"messages in the queue: {messages}", remedy)


def ledger_table(scope: Scope) -> Iterator[Finding]:
    """Check the ledger's state, indexes and point-in-time recovery."""
    part, name, dynamodb = "ledger", scope.deployment.ledger_table_name, scope.session.client("dynamodb")
    table = dynamodb.describe_table(TableName=name)["Table"]
    status = table["TableStatus"]
    yield expect(part, "active", status in ("ACTIVE", "UPDATING"), f"it is {status}", scope.redeploy)
    found = {
        index["IndexName"]: index.get("IndexStatus", "ACTIVE")
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    for index in (BY_EXECUTION, BY_STATUS):
        state = found.get(index, "missing")
        yield expect(part, f"index {index}", state == "ACTIVE", f"it is {state}", scope.redeploy)
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    problem = "it is off; after a loss of the table, nothing records which files were loaded"
    yield expect(part, "point-in-time recovery", recovery == "ENABLED", problem, scope.redeploy)


def held_files(scope: Scope) -> Iterator[Finding]:
    """Check that no file is held."""
    held = ledger(scope.session, scope.deployment).count_files(FileStatus.HELD)
    remedy = scope.session.target.command("replay", "--held")
    problem = f"files held while orchestration was off: {held}"
    yield expect("ledger", "no held files", held == 0, problem, remedy, otherwise=Level.WARNING)


def _queue_name(url: str) -> str:
    return url.rpartition("/")[2]
