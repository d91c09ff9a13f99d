"""Tests of the stateful stack's template: retention, access and encryption."""

from typing import Any

import pytest

from .templates import Stacks, flat, only, resources

# CloudFormation deletes a resource whose logical id changes; these hold the data.
PINNED = {
    "LakeBucketB1D32E10": "AWS::S3::Bucket",
    "EventsQueue7396B467": "AWS::SQS::Queue",
    "EventsDeadLetters8A90034E": "AWS::SQS::Queue",
    "LedgerTable9343E4AA": "AWS::DynamoDB::Table",
    "CatalogRaw48AD472D": "AWS::Glue::Database",
    "CatalogTaxiF69859D3": "AWS::Glue::Database",
}
BUCKET_ARN = "arn:aws:s3:::${AWS::AccountId}-oubt-datalake"


def stateful(template: dict[str, Any]) -> dict[str, Any]:
    policies = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy")
    return {each.id: each for each in resources(template) if each.type not in policies}


@pytest.mark.parametrize("environment", ["dev", "prod", "local", "custom"])
def test_stateful_logical_ids_never_change(environments: dict[str, Stacks], environment: str) -> None:
    found = stateful(environments[environment].lake)

    assert {name: each.type for name, each in found.items()} == PINNED


def test_prod_retains_its_data_when_the_stack_is_deleted(prod: Stacks) -> None:
    for each in stateful(prod.lake).values():
        assert each.raw["DeletionPolicy"].startswith("Retain"), each.path
        assert each.raw["UpdateReplacePolicy"] == "Retain", each.path
    assert only(prod.lake, "AWS::DynamoDB::Table").properties["DeletionProtectionEnabled"] is True


def test_a_deployment_that_fails_deletes_the_empty_resources_that_it_created(prod: Stacks) -> None:
    for each in stateful(prod.lake).values():
        assert each.raw["DeletionPolicy"] == "RetainExceptOnCreate", each.path


def test_the_protected_table_is_created_after_everything_that_could_fail(prod: Stacks) -> None:
    table = only(prod.lake, "AWS::DynamoDB::Table")

    assert set(table.raw["DependsOn"]) == {each.id for each in resources(prod.lake)} - {table.id}


def test_dev_deletes_its_data_with_the_stack(environments: dict[str, Stacks]) -> None:
    for each in stateful(environments["dev"].lake).values():
        assert each.raw["DeletionPolicy"] == "Delete", each.path


@pytest.mark.parametrize(
    ("environment", "suffix", "database"),
    [("prod", "", ""), ("dev", "-dev", "_dev"), ("local", "-local", "_local")],
)
def test_names_have_the_environments_suffix_except_in_prod(
    environments, environment, suffix, database
) -> None:
    lake = environments[environment].lake
    bucket = only(lake, "AWS::S3::Bucket").properties["BucketName"]

    assert flat(bucket) == f"${{AWS::AccountId}}-oubt-datalake{suffix}"
    assert only(lake, "AWS::DynamoDB::Table").properties["TableName"] == f"etl-file-ledger{suffix}"
    assert {
        each.properties["QueueName"]
        for each in resources(lake, "AWS::SQS::Queue")
        if "QueueName" in each.properties
    } == {
        f"etl-file-events{suffix}",
        f"etl-file-events-dlq{suffix}",
    }
    assert {each.properties["DatabaseInput"]["Name"] for each in resources(lake, "AWS::Glue::Database")} == {
        f"taxi_raw{database}",
        f"taxi{database}",
    }


def test_the_bucket_is_versioned_private_and_encrypted(prod: Stacks) -> None:
    bucket = only(prod.lake, "AWS::S3::Bucket").properties

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    ]


def test_an_existing_key_encrypts_the_bucket_with_few_calls(custom: Stacks) -> None:
    (rule,) = only(custom.lake, "AWS::S3::Bucket").properties["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]

    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    }


def test_the_bucket_refuses_plain_http_and_old_tls(prod: Stacks) -> None:
    statements = only(prod.lake, "AWS::S3::BucketPolicy").properties["PolicyDocument"]["Statement"]

    assert [each["Effect"] for each in statements] == ["Deny", "Deny"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [each["Condition"] for each in statements]
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in [each["Condition"] for each in statements]


def test_current_raw_and_warehouse_objects_never_expire(prod: Stacks) -> None:
    rules = only(prod.lake, "AWS::S3::Bucket").properties["LifecycleConfiguration"]["Rules"]

    assert rules == [
        {
            "Id": "raw-noncurrent",
            "Prefix": "raw/taxi/",
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
            "ExpiredObjectDeleteMarker": True,
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "Id": "warehouse-noncurrent",
            "Prefix": "warehouse/",
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
            "ExpiredObjectDeleteMarker": True,
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "Id": "runs-expire",
            "Prefix": "runs/",
            "Status": "Enabled",
            "ExpirationInDays": 365,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
    ]


def test_the_bucket_sends_events_after_the_queue_allows_it(prod: Stacks) -> None:
    bucket = only(prod.lake, "AWS::S3::Bucket")
    (rule,) = bucket.properties["NotificationConfiguration"]["QueueConfigurations"]

    assert rule == {
        "Event": "s3:ObjectCreated:*",
        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "raw/taxi/"}]}},
        "Queue": {"Fn::GetAtt": ["EventsQueue7396B467", "Arn"]},
    }
    policy = send_policy(prod)
    assert bucket.raw["DependsOn"] == [policy.id]


def send_policy(stacks: Stacks) -> Any:
    return only(stacks.lake, "AWS::SQS::QueuePolicy", Queues=[{"Ref": "EventsQueue7396B467"}])


def test_only_s3_and_connected_rules_and_topics_may_send_events_and_only_over_tls(
    prod: Stacks, custom: Stacks
) -> None:
    deny, allow = send_policy(prod).properties["PolicyDocument"]["Statement"]

    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (allow["Effect"], allow["Action"]) == ("Allow", "sqs:SendMessage")
    assert allow["Principal"] == {"Service": "s3.amazonaws.com"}
    assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert [flat(arn) for arn in allow["Condition"]["ArnEquals"]["aws:SourceArn"]] == [BUCKET_ARN]
    # The policy names the bucket, because a reference would be a cycle.
    assert "LakeBucket" not in str(allow)

    _, allow, *connected = send_policy(custom).properties["PolicyDocument"]["Statement"]
    assert [flat(arn) for arn in allow["Condition"]["ArnEquals"]["aws:SourceArn"]] == [
        "arn:aws:s3:::our-taxi-lake",
        "arn:aws:s3:::our-old-bucket",
    ]
    assert [statement["Principal"]["Service"] for statement in connected] == [
        "events.amazonaws.com",
        "sns.amazonaws.com",
    ]


@pytest.mark.parametrize("environment", ["dev", "prod", "local"])
def test_events_stay_invisible_for_six_timeouts_and_the_window(environments, environment) -> None:
    stacks = environments[environment]
    queue = only(stacks.lake, "AWS::SQS::Queue", QueueName=_queue_name(environment)).properties
    orchestrator = next(
        each.properties
        for each in resources(stacks.pipeline, "AWS::Lambda::Function")
        if "etl_orchestrator" in each.properties["Handler"]
    )
    window = only(stacks.pipeline, "AWS::Lambda::EventSourceMapping").properties[
        "MaximumBatchingWindowInSeconds"
    ]

    assert queue["VisibilityTimeout"] >= 6 * orchestrator["Timeout"] + window
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["EventsDeadLetters8A90034E", "Arn"]},
        "maxReceiveCount": 5,
    }


def _queue_name(environment: str) -> str:
    return "etl-file-events" if environment == "prod" else f"etl-file-events-{environment}"


def test_the_ledger_has_its_keys_and_indexes(prod: Stacks) -> None:
    table = only(prod.lake, "AWS::DynamoDB::Table").properties

    assert keys(table) == ["pk", "sk"]
    assert {index["IndexName"]: keys(index) for index in table["GlobalSecondaryIndexes"]} == {
        "by-execution": ["execution", "sk"],
        "by-status": ["status", "updatedAt"],
    }
    assert {index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]} == {"ALL"}
    assert {each["AttributeType"] for each in table["AttributeDefinitions"]} == {"S"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert "TimeToLiveSpecification" not in table


def keys(table: dict[str, Any]) -> list[str]:
    assert [key["KeyType"] for key in table["KeySchema"]] == ["HASH", "RANGE"]
    return [key["AttributeName"] for key in table["KeySchema"]]


def test_the_stack_has_the_outputs_that_the_command_line_reads(prod: Stacks) -> None:
    assert set(prod.lake["Outputs"]) == {
        "BucketName",
        "LedgerTableName",
        "QueueUrl",
        "DeadLetterQueueUrl",
        "RawDatabaseName",
        "TaxiDatabaseName",
    }
