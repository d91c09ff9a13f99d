"""Tests of every permission of every role against a handwritten list."""

import json
from typing import Any

import pytest

from .templates import Stacks, flat, permissions, resources

LAKE = "arn:aws:s3:::${AWS::AccountId}-oubt-datalake"
TABLE = "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/etl-file-ledger"
MACHINE = "${WorkflowStateMachine}"
GLUE = "arn:aws:glue:${AWS::Region}:${AWS::AccountId}"
LOGS = "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
TRACE = {"xray:PutTraceSegments on *", "xray:PutTelemetryRecords on *"}


def on(resource: str, *actions: str) -> set[str]:
    return {f"{action} on {resource}" for action in actions}


def listing(*prefixes: str) -> set[str]:
    return {f's3:ListBucket on {LAKE} if {{"StringLike": {{"s3:prefix": {json.dumps(prefixes)}}}}}'}


def database(name: str) -> set[str]:
    return on(f"{GLUE}:catalog", "glue:GetDatabase") | on(f"{GLUE}:database/{name}", "glue:GetDatabase")


def tables(database: str, *actions: str) -> set[str]:
    places = (f"{GLUE}:catalog", f"{GLUE}:database/{database}", f"{GLUE}:table/{database}/*")
    return {permission for place in places for permission in on(place, *actions)}


READ_RAW = on(f"{LAKE}/raw/taxi/*", "s3:GetObject") | listing("raw/taxi/*")
READ_RUNS = on(f"{LAKE}/runs/*", "s3:GetObject") | listing("runs/*")
WAREHOUSE = on(f"{LAKE}/warehouse/*", "s3:GetObject", "s3:PutObject", "s3:DeleteObject") | listing(
    "warehouse/*"
)
PUBLISH = {"sns:Publish on ${NotificationsTopic}"} | on(
    "${NotificationsKey.Arn}", "kms:Decrypt", "kms:GenerateDataKey"
)

PERMISSIONS = {
    "ValidateInput/Role": READ_RAW
    | on(f"{LAKE}/raw/taxi/*", "s3:GetObjectVersion")
    | on(f"{LAKE}/runs/*", "s3:PutObject")
    | on("${ValidateInputLogs.Arn}", "logs:CreateLogStream", "logs:PutLogEvents")
    | TRACE,
    "Orchestrator/Role": on(
        TABLE, "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"
    )
    | on(f"{TABLE}/index/by-execution", "dynamodb:Query")
    | on(f"{TABLE}/index/by-status", "dynamodb:Query")
    | {f"states:StartExecution on {MACHINE}"}
    | on(
        "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:etl-file-events",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    )
    | on("${OrchestratorLogs.Arn}", "logs:CreateLogStream", "logs:PutLogEvents")
    | TRACE,
    "CloseExecution/Role": on(TABLE, "dynamodb:GetItem", "dynamodb:UpdateItem")
    | on(f"{TABLE}/index/by-status", "dynamodb:Query")
    | READ_RUNS
    | PUBLISH
    | on(MACHINE, "states:StartExecution", "states:ListExecutions")
    | on(
        "arn:aws:states:${AWS::Region}:${AWS::AccountId}:execution:${${WorkflowStateMachine}[6]}:*",
        "states:DescribeExecution",
    )
    | {f"glue:GetJobRun on {GLUE}:job/${{Job}}"}
    | on("${CloserDeadLetters.Arn}", "sqs:SendMessage")
    | on("${CloseExecutionLogs.Arn}", "logs:CreateLogStream", "logs:PutLogEvents")
    | TRACE,
    "Workflow/StateMachine/Role": READ_RUNS
    | PUBLISH
    | on("${ValidateInputFunction.Arn}", "lambda:InvokeFunction")
    | on(
        f"{GLUE}:job/${{Job}}",
        "glue:StartJobRun",
        "glue:GetJobRun",
        "glue:GetJobRuns",
        "glue:BatchStopJobRun",
    )
    | on(f"{GLUE}:crawler/crawler-taxi-raw", "glue:StartCrawler", "glue:GetCrawler")
    | on(
        "*",
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    )
    | TRACE,
    "Job/Role": READ_RAW
    | on(f"{LAKE}/runs/*", "s3:GetObject", "s3:PutObject")
    | WAREHOUSE
    | {f"s3:AbortMultipartUpload on {LAKE}/warehouse/*"}
    | {f"s3:GetBucketLocation on {LAKE}"}
    | {"s3:GetObject on arn:aws:s3:::cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}/*"}
    | database("taxi")
    | tables(
        "taxi",
        "glue:GetTable",
        "glue:CreateTable",
        "glue:UpdateTable",
        "glue:CreateTableOptimizer",
        "glue:UpdateTableOptimizer",
    )
    | {"iam:PassRole on ${JobOptimizerRole.Arn}"}
    | on("${JobOutput.Arn}", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
    | on("${JobError.Arn}", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
    "Job/OptimizerRole": WAREHOUSE
    | tables("taxi", "glue:GetTable", "glue:UpdateTable")
    | on(f"{LOGS}/aws-glue/iceberg-*", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
    "Crawler/Role": on(f"{LAKE}/raw/taxi/*", "s3:GetObject")
    | listing("raw/taxi/*", "raw/taxi")  # a crawler lists its target without the slash too
    | {f"s3:GetBucketLocation on {LAKE}"}
    | database("taxi_raw")
    | tables(
        "taxi_raw",
        "glue:GetTable",
        "glue:GetTables",
        "glue:CreateTable",
        "glue:UpdateTable",
        "glue:GetPartition",
        "glue:GetPartitions",
        "glue:BatchGetPartition",
        "glue:BatchCreatePartition",
        "glue:CreatePartition",
        "glue:UpdatePartition",
    )
    | on(f"{LOGS}/aws-glue/crawlers*", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
}


def test_there_are_no_other_roles(prod: Stacks) -> None:
    assert set(permissions(prod.pipeline)) == set(PERMISSIONS)
    assert permissions(prod.lake) == {}
    assert len(resources(prod.pipeline, "AWS::IAM::Role")) == len(PERMISSIONS)


@pytest.mark.parametrize("role", PERMISSIONS)
def test_a_role_has_exactly_the_permissions_it_needs(prod: Stacks, role: str) -> None:
    found = permissions(prod.pipeline)[role]

    assert found - PERMISSIONS[role] == set(), "permissions that are not in the list"
    assert PERMISSIONS[role] - found == set(), "permissions that are missing"


def test_the_job_may_publish_metrics_only_when_they_are_on(prod: Stacks, custom: Stacks) -> None:
    publish = 'cloudwatch:PutMetricData on * if {"StringEquals": {"cloudwatch:namespace": "Glue"}}'

    assert publish in permissions(custom.pipeline)["Job/Role"]
    assert publish not in permissions(prod.pipeline)["Job/Role"]


def test_no_role_has_a_managed_policy(prod: Stacks) -> None:
    for role in resources(prod.pipeline, "AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role.properties, role.path


def test_a_role_is_assumed_only_by_its_service(prod: Stacks) -> None:
    services = {
        "Job": "glue",
        "Crawler": "glue",
        "ValidateInput": "lambda",
        "Orchestrator": "lambda",
        "CloseExecution": "lambda",
        "Workflow": "states",
    }
    for role in resources(prod.pipeline, "AWS::IAM::Role"):
        (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        service = services[role.path.split("/")[1]]
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}, role.path


# Actions that IAM cannot restrict to a resource, with the reason.
UNSCOPED = {
    "lakeformation:GetDataAccess": "Lake Formation decides by table",
    "xray:": "X-Ray has no resources",
    "logs:CreateLogDelivery": "log deliveries have no ARNs, likewise the next",
    "logs:GetLogDelivery": "",
    "logs:UpdateLogDelivery": "",
    "logs:DeleteLogDelivery": "",
    "logs:ListLogDeliveries": "",
    "logs:PutResourcePolicy": "resource policies of logs belong to the account",
    "logs:DescribeResourcePolicies": "",
    "logs:DescribeLogGroups": "",
    "cloudwatch:PutMetricData": "metrics have no ARNs; the namespace narrows it",
}


@pytest.mark.parametrize("environment", ["dev", "prod", "local", "custom", "auto"])
def test_wildcards_are_used_only_where_aws_requires_them(
    environments: dict[str, Stacks], environment: str
) -> None:
    for role, granted in permissions(environments[environment].pipeline).items():
        for permission in granted:
            action, resource = permission.split(" on ", 1)
            assert "*" not in action, f"{role}: {permission}"
            if resource.split(" if ")[0] == "*":
                assert action.startswith(tuple(UNSCOPED)), f"{role}: {permission}"


def test_existing_buckets_are_read_only(custom: Stacks) -> None:
    theirs = {
        permission
        for granted in permissions(custom.pipeline).values()
        for permission in granted
        if "our-old-bucket" in permission
    }

    assert {permission.split(" on ")[0] for permission in theirs} == {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:GetBucketLocation",
    }


def test_roles_that_read_existing_buckets_may_decrypt_with_their_keys(custom: Stacks, prod: Stacks) -> None:
    allowed = {
        role: {permission.split(" on ")[0] for permission in granted if ":key/0ld0ld0l" in permission}
        for role, granted in permissions(custom.pipeline).items()
    }

    assert {role: actions for role, actions in allowed.items() if actions} == {
        "ValidateInput/Role": {"kms:Decrypt"},
        "Job/Role": {"kms:Decrypt"},
        "Crawler/Role": {"kms:Decrypt"},
    }
    # `taxi-etl trigger` reads from the output which keys are deployed.
    assert custom.lake["Outputs"]["ReadableKeyArns"]["Value"].split(",") == [
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-central-1:111122223333:key/0ld0ld0l-12ab-34cd-56ef-1234567890ab",
    ]
    assert "ReadableKeyArns" not in prod.lake["Outputs"]


def senders(stacks: Stacks) -> dict[str, str]:
    """The services that may send to the event queue, with the source condition of each."""
    return {
        statement["Principal"]["Service"]: json.dumps(statement["Condition"])
        for policy in resources(stacks.lake, "AWS::SQS::QueuePolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    }


def test_only_s3_may_send_events_unless_there_are_existing_buckets(prod: Stacks) -> None:
    assert list(senders(prod)) == ["s3.amazonaws.com"]


def test_rules_of_trigger_and_named_topics_may_send_events_of_existing_buckets(custom: Stacks) -> None:
    found = senders(custom)
    assert sorted(found) == ["events.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com"]
    assert ":rule/taxi-etl-custom-*" in found["events.amazonaws.com"]
    assert ":our-uploads" in found["sns.amazonaws.com"]


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("Job/Role", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("ValidateInput/Role", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("CloseExecution/Role", {"kms:Decrypt"}),
        ("Crawler/Role", {"kms:Decrypt"}),
    ],
)
def test_with_a_key_for_the_bucket_its_users_may_use_the_key(custom: Stacks, role: str, actions: Any) -> None:
    found = {
        permission.split(" on ")[0]
        for permission in permissions(custom.pipeline)[role]
        if ":key/1234abcd" in permission
    }

    assert found == actions


@pytest.mark.parametrize("environment", ["dev", "prod", "local", "custom", "auto"])
def test_no_resource_allows_other_accounts(environments: dict[str, Stacks], environment: str) -> None:
    for template in environments[environment].all().values():
        for each in resources(template):
            document = each.properties.get("PolicyDocument") or each.properties.get("KeyPolicy")
            for statement in (document or {}).get("Statement", []):
                if statement["Effect"] == "Deny" or "Principal" not in statement:
                    continue
                assert statement["Principal"] != "*", each.path
                account = statement["Principal"].get("AWS")
                if account is not None:
                    assert flat(account) == "arn:aws:iam::${AWS::AccountId}:root", each.path
                elif (
                    each.type != "AWS::KMS::Key"
                ):  # useless without the topic, whose policy names the account
                    assert "aws:Source" in json.dumps(statement["Condition"]), each.path


@pytest.mark.parametrize("environment", ["dev", "prod", "local", "custom", "auto"])
def test_every_queue_topic_and_bucket_is_encrypted_and_refuses_plain_http(
    environments: dict[str, Stacks], environment: str
) -> None:
    guards = {
        "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", "SqsManagedSseEnabled"),
        "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics", "KmsMasterKeyId"),
        "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", "BucketEncryption"),
    }
    checked = 0
    for template in environments[environment].all().values():
        for kind, (policy, guarded, encryption) in guards.items():
            for each in resources(template, kind):
                if each.type != kind:
                    continue
                assert each.properties[encryption], each.path
                refusals = [
                    statement
                    for found in resources(template, policy)
                    if {"Ref": each.id} in (found.properties[guarded], *found.properties[guarded])
                    for statement in found.properties["PolicyDocument"]["Statement"]
                    if statement["Effect"] == "Deny"
                    and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                ]
                assert len(refusals) == 1, each.path
                assert refusals[0]["Principal"] in ("*", {"AWS": "*"}), each.path
                checked += 1
    assert checked == 5  # the bucket, the queue of events, two dead-letter queues, the topic
