"""Is what must not be lost kept well? Bucket, queues and ledger."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from ops.checks.finding import Finding, Level, Place, expect
from ops.file_outcomes import ledger
from taxi_etl.file_status import FileStatus
from taxi_etl.ledger import BY_EXECUTION, BY_STATUS
from taxi_etl.names import RAW_PREFIX

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def bucket(place: Place) -> Iterator[Finding]:
    """The bucket is versioned and private, and tells the queue about raw files."""
    part, name, s3 = "bucket", place.deployment.bucket_name, place.session.client("s3")
    versioned = s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
    yield expect(part, "versioning", versioned, "versions of a file cannot be told apart", place.redeploy)
    try:
        blocks = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        blocks = {}
    open_ways = [block for block in _BLOCKS if not blocks.get(block)]
    problem = f"{', '.join(open_ways)} are off"
    yield expect(part, "public access block", not open_ways, problem, place.redeploy)
    yield from _notification(place)


def _notification(place: Place) -> Iterator[Finding]:
    name = place.deployment.bucket_name
    found = place.session.client("s3").get_bucket_notification_configuration(Bucket=name)
    queue = _queue_name(place.deployment.queue_url)
    ours = [
        configuration
        for configuration in found.get("QueueConfigurations", [])
        if configuration["QueueArn"].rpartition(":")[2] == queue
    ]
    yield expect(
        "bucket", "notification", bool(ours), f"it does not tell queue {queue} of files", place.redeploy
    )
    for configuration in ours[:1]:
        rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        prefixes = [rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"]
        whole = prefixes == [RAW_PREFIX] and "s3:ObjectCreated:*" in configuration["Events"]
        problem = (
            f"it tells of {', '.join(configuration['Events'])} under {prefixes}, not of all files created"
        )
        yield expect("bucket", "notified events", whole, problem, place.redeploy)


def queues(place: Place) -> Iterator[Finding]:
    """The queue gives up to its dead-letter queue, and no event lies in a dead-letter queue."""
    sqs, deployment = place.session.client("sqs"), place.deployment
    attributes = sqs.get_queue_attributes(QueueUrl=deployment.queue_url, AttributeNames=["All"])["Attributes"]
    yield expect(
        "event queue",
        "gives up to the dead-letter queue",
        _queue_name(deployment.dead_letter_queue_url) in attributes.get("RedrivePolicy", ""),
        "events that never succeed would come back until they expire",
        place.redeploy,
    )
    for part, url in {
        "event dead-letter queue": deployment.dead_letter_queue_url,
        "closer's dead-letter queue": deployment.close_dead_letter_queue_url,
    }.items():
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        waiting = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        remedy = (
            f"read them (aws sqs receive-message --queue-url {url}), mend the cause, then redrive them "
            "(aws sqs start-message-move-task)"
        )
        yield expect(part, "empty", waiting == 0, f"{waiting} messages lie in it", remedy)


def ledger_table(place: Place) -> Iterator[Finding]:
    """The ledger is active, has its indexes, and can be restored to any point in time."""
    part, name, dynamodb = "ledger", place.deployment.ledger_table_name, place.session.client("dynamodb")
    table = dynamodb.describe_table(TableName=name)["Table"]
    status = table["TableStatus"]
    yield expect(part, "active", status in ("ACTIVE", "UPDATING"), f"it is {status}", place.redeploy)
    found = {
        index["IndexName"]: index.get("IndexStatus", "ACTIVE")
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    for index in (BY_EXECUTION, BY_STATUS):
        state = found.get(index, "missing")
        yield expect(part, f"index {index}", state == "ACTIVE", f"it is {state}", place.redeploy)
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    problem = "what was loaded could not be told after a loss of the table"
    yield expect(part, "point-in-time recovery", recovery == "ENABLED", problem, place.redeploy)


def work_waiting(place: Place) -> Iterator[Finding]:
    """No file is on hold."""
    held = ledger(place.session, place.deployment).count_files(FileStatus.HELD)
    remedy = place.session.target.command("replay", "--held")
    yield expect(
        "ledger", "no files on hold", held == 0, f"{held} files are on hold", remedy, otherwise=Level.WARNING
    )


def _queue_name(url: str) -> str:
    return url.rpartition("/")[2]
