"""Tests of the unpatched emulator's behavior that the pipeline relies on."""

import json
import urllib.parse

import pytest
from botocore.exceptions import ClientError

from tests.fixtures.local_account import eventually


@pytest.fixture
def ledger(factory):
    """A table with the ledger's keys and its two indexes."""
    dynamodb = factory.aws.client("dynamodb")
    names = ("pk", "sk", "execution", "status", "updatedAt")
    indexes = (("by-execution", "execution", "sk"), ("by-status", "status", "updatedAt"))
    dynamodb.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {"IndexName": name, "KeySchema": keys(first, second), "Projection": {"ProjectionType": "ALL"}}
            for name, first, second in indexes
        ],
    )
    return dynamodb


def keys(first, second):
    return [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}]


def claim(number):
    return {
        "Put": {
            "TableName": "ledger",
            "Item": {
                "pk": {"S": f"lake/{number}"},
                "sk": {"S": "v1"},
                "execution": {"S": "e1"},
                "status": {"S": "running"},
                "updatedAt": {"S": f"2024-01-01T00:00:{number:02d}Z"},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


def items(dynamodb):
    return dynamodb.scan(TableName="ledger")["Count"]


def test_a_transaction_of_a_hundred_items_is_written_completely(ledger):
    ledger.transact_write_items(TransactItems=[claim(number) for number in range(100)])
    assert items(ledger) == 100


def test_a_failed_condition_cancels_the_transaction_and_is_named(ledger):
    ledger.transact_write_items(TransactItems=[claim(1)])
    with pytest.raises(ledger.exceptions.TransactionCanceledException) as caught:
        ledger.transact_write_items(TransactItems=[claim(0), claim(1), claim(2)])
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed", "None"]
    assert items(ledger) == 1


def test_a_transaction_of_more_than_a_hundred_is_refused(ledger):
    with pytest.raises(ClientError, match="100"):
        ledger.transact_write_items(TransactItems=[claim(number) for number in range(101)])


def test_an_index_returns_items_in_order_and_reflects_changes(ledger):
    ledger.transact_write_items(TransactItems=[claim(2), claim(1), claim(3)])
    ledger.update_item(
        TableName="ledger",
        Key={"pk": {"S": "lake/1"}, "sk": {"S": "v1"}},
        UpdateExpression="SET #s = :loaded",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":loaded": {"S": "loaded"}},
    )
    answer = ledger.query(
        TableName="ledger",
        IndexName="by-status",
        KeyConditionExpression="#s = :running AND updatedAt > :since",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":running": {"S": "running"}, ":since": {"S": "2024-01-01T00:00:00Z"}},
    )
    assert [item["pk"]["S"] for item in answer["Items"]] == ["lake/2", "lake/3"]


@pytest.fixture
def lake(factory):
    """The S3 client and the URL of a queue that gets the events of a versioned bucket's raw objects."""
    s3 = factory.aws.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    url, arn = factory.queue("events")
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    factory.aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    rule = {"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}}}
    configuration = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], **rule}
    s3.put_bucket_notification_configuration(
        Bucket="lake", NotificationConfiguration={"QueueConfigurations": [configuration]}
    )
    eventually(lambda: factory.messages(url))  # the test event
    for message in factory.messages(url):
        factory.aws.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return s3, url


def event(factory, url):
    """Return the S3 object in the next message."""
    [message] = eventually(lambda: factory.messages(url))
    [record] = json.loads(message["Body"])["Records"]
    return record["s3"]["object"]


def test_an_event_names_key_version_and_a_rising_sequencer(factory, lake):
    s3, url = lake
    key = "raw/a b+ü.csv"
    first = s3.put_object(Bucket="lake", Key=key, Body=b"1")
    first_event = event(factory, url)
    assert urllib.parse.unquote_plus(first_event["key"]) == key
    assert (first_event["versionId"], first_event["size"]) == (first["VersionId"], 1)
    s3.put_object(Bucket="lake", Key="other/without event", Body=b"1")
    s3.put_object(Bucket="lake", Key=key, Body=b"2")
    assert event(factory, url)["sequencer"] > first_event["sequencer"]


def test_versions_stay_readable_after_a_delete(lake):
    s3, _ = lake
    old = s3.put_object(Bucket="lake", Key="raw/k", Body=b"old")["VersionId"]
    new = s3.put_object(Bucket="lake", Key="raw/k", Body=b"newer")["VersionId"]
    assert s3.head_object(Bucket="lake", Key="raw/k")["VersionId"] == new
    assert s3.head_object(Bucket="lake", Key="raw/k", VersionId=old)["ContentLength"] == 3
    assert s3.delete_object(Bucket="lake", Key="raw/k")["DeleteMarker"] is True
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="lake", Key="raw/k")
    assert s3.get_object(Bucket="lake", Key="raw/k", VersionId=new)["Body"].read() == b"newer"


RECORDING = """
import boto3, json
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=event["queue"] if "queue" in event else QUEUE,
        MessageBody=json.dumps(event))
"""


def rule_to_function(factory, name, **rule):
    """Create a rule whose function puts each event into a queue, and return the queue's URL."""
    url, _ = factory.queue(f"{name}-seen")
    function = factory.function(name, f"QUEUE = {url!r}\n{RECORDING}")
    events = factory.aws.client("events")
    rule_arn = events.put_rule(Name=name, **rule)["RuleArn"]
    factory.aws.client("lambda").add_permission(
        FunctionName=name,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )
    events.put_targets(Rule=name, Targets=[{"Id": "function", "Arn": function}])
    return url


def test_every_ending_of_an_execution_reaches_a_rule(factory):
    machine = factory.machine({"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}, TimeoutSeconds=1)
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [machine], "status": ["FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"]},
    }
    url = rule_to_function(factory, "ended", EventPattern=json.dumps(pattern))
    timed_out = factory.start(machine)
    stopped = factory.start(machine)
    factory.aws.client("stepfunctions").stop_execution(executionArn=stopped)
    seen = {}

    def look():
        for message in factory.messages(url):
            detail = json.loads(message["Body"])["detail"]
            seen[detail["executionArn"]] = detail["status"]
        return seen

    eventually(look, lambda found: len(found) == 2)
    assert seen == {timed_out: "TIMED_OUT", stopped: "ABORTED"}
