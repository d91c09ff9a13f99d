"""Does verify notice what is wrong with a deployment? A sound one, damaged in one place at a time."""

import json
from copy import deepcopy

import pytest
from conftest import ARN, LAKE, MACHINE, NOON, PIPELINE, QUEUES, TOPIC
from fake_aws import error

from ops import checks
from ops.session import Target

QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:etl-file-events-dev"
ENVIRONMENTS = {
    "etl-orchestrator-dev": {
        "STATE_MACHINE_ARN": MACHINE,
        "ENABLE_ORCHESTRATION": "true",
        "LEDGER_TABLE": "ledger",
        "BATCH_MAX_FILES": "99",
        "BATCH_MAX_BYTES": "1000",
    },
    "etl-orchestrator-validate-input-dev": {"RUNS_BUCKET": "lake", "MAX_FILE_BYTES": "1000"},
    "etl-close-execution-dev": {
        "STATE_MACHINE_ARN": MACHINE,
        "LEDGER_TABLE": "ledger",
        "RUNS_BUCKET": "lake",
        "TOPIC_ARN": TOPIC,
        "SWEEP_AFTER_SECONDS": "900",
        "COMMAND": "taxi-etl --environment dev",
    },
}
RULES = {
    "ended": {"Name": "ended", "State": "ENABLED", "EventPattern": '{"source":["aws.states"]}'},
    "run": {"Name": "run", "State": "ENABLED", "EventPattern": '{"source":["aws.glue"]}'},
    "sweep": {"Name": "sweep", "State": "ENABLED", "ScheduleExpression": "rate(15 minutes)"},
}


def resource(kind, name):
    return {
        "LogicalResourceId": name.title(),
        "PhysicalResourceId": name,
        "ResourceType": kind,
        "LastUpdatedTimestamp": NOON,
        "ResourceStatus": "CREATE_COMPLETE",
    }


SOUND = {
    "stepfunctions.DescribeStateMachine": {
        "stateMachineArn": MACHINE,
        "name": "m",
        "status": "ACTIVE",
        "definition": json.dumps({"QueryLanguage": "JSONata"}),
        "roleArn": "arn:aws:iam::123456789012:role/r",
        "type": "STANDARD",
        "creationDate": NOON,
        "loggingConfiguration": {"level": "ALL"},
        "tracingConfiguration": {"enabled": True},
    },
    "lambda.ListEventSourceMappings": {
        "EventSourceMappings": [
            {
                "UUID": "0e3a4f7c-7d6c-4b0e-9f52-3c1b7c2d1a55",
                "State": "Enabled",
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            }
        ]
    },
    "cloudformation.ListStackResources": {
        "StackResourceSummaries": [
            resource("AWS::Events::Rule", "ended"),
            resource("AWS::Events::Rule", "sweep"),
            resource("AWS::Events::Rule", "run"),
            resource("AWS::SNS::Topic", "t"),
        ]
    },
    "glue.GetJob": {
        "Job": {
            "GlueVersion": "6.0",
            "MaxRetries": 0,
            "JobRunQueuingEnabled": True,
            "Command": {"ScriptLocation": "s3://assets/script.py"},
            "DefaultArguments": {"--extra-py-files": "s3://assets/core.zip", "--database": "taxi_dev"},
        }
    },
    "glue.GetCrawler": {"Crawler": {"DatabaseName": "taxi_raw_dev", "LastCrawl": {"Status": "SUCCEEDED"}}},
    "glue.GetDatabase": {},
    "s3.HeadObject": {"ContentLength": 1},
    "s3.GetBucketVersioning": {"Status": "Enabled"},
    "s3.GetBucketEncryption": error("ServerSideEncryptionConfigurationNotFoundError"),
    "s3.GetPublicAccessBlock": {
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        }
    },
    "s3.GetBucketNotificationConfiguration": {
        "QueueConfigurations": [
            {
                "QueueArn": QUEUE_ARN,
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "raw/taxi/"}]}},
            }
        ]
    },
    "sqs.GetQueueAttributes": {
        "Attributes": {
            "RedrivePolicy": '{"deadLetterTargetArn":"arn:…:etl-file-events-dlq-dev"}',
            "ApproximateNumberOfMessages": "0",
        }
    },
    "dynamodb.DescribeTable": {
        "Table": {
            "TableStatus": "ACTIVE",
            "GlobalSecondaryIndexes": [
                {"IndexName": "by-execution", "IndexStatus": "ACTIVE"},
                {"IndexName": "by-status", "IndexStatus": "ACTIVE"},
            ],
        }
    },
    "dynamodb.DescribeContinuousBackups": {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"},
        }
    },
    "dynamodb.Query": {"Count": 0},
    "sns.GetTopicAttributes": {"Attributes": {"KmsMasterKeyId": "key"}},
    "sns.ListSubscriptionsByTopic": {
        "Subscriptions": [{"SubscriptionArn": f"{TOPIC}:1", "Endpoint": "a@example.com"}]
    },
    "cloudwatch.DescribeAlarms": {
        "MetricAlarms": [
            {"AlarmName": name, "AlarmActions": [TOPIC], "ActionsEnabled": True, "StateValue": "OK"}
            for name in ("failed", "slow")
        ]
    },
}


@pytest.fixture
def deployed(taxi_etl):
    environments = deepcopy(ENVIRONMENTS)
    rules = deepcopy(RULES)
    taxi_etl.aws.answers |= deepcopy(SOUND)
    taxi_etl.aws.answers |= {
        "lambda.GetFunctionConfiguration": lambda request: {
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "Environment": {"Variables": environments[request["FunctionName"]]},
        },
        "events.DescribeRule": lambda request: rules[request["Name"]],
    }
    taxi_etl.environments, taxi_etl.rules = environments, rules
    return taxi_etl


def wrong(deployed):
    """The exit code, and the findings that are not ok as (part, check, level)."""
    code, document = deployed.json("verify")
    findings = [finding for finding in document["findings"] if finding["level"] != "ok"]
    for finding in findings:
        assert finding["problem"], finding
        assert finding["remedy"] or finding["level"] == "unknown here", finding
    return code, [(finding["part"], finding["check"], finding["level"]) for finding in findings]


def test_a_sound_deployment_passes(deployed):
    assert wrong(deployed) == (0, [])
    result = deployed("verify")
    assert "0 failed" in result.stdout
    assert "state machine" in result.stdout


def change(answers, call, path, value):
    place = answers[call]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value


JOB, TABLE = ("Job",), ("Table",)
DAMAGES = [
    ("stepfunctions.DescribeStateMachine", ("type",), "EXPRESS", ("state machine", "type")),
    ("stepfunctions.DescribeStateMachine", ("status",), "DELETING", ("state machine", "active")),
    (
        "stepfunctions.DescribeStateMachine",
        ("loggingConfiguration",),
        {"level": "OFF"},
        ("state machine", "logging"),
    ),
    ("stepfunctions.DescribeStateMachine", ("tracingConfiguration",), {}, ("state machine", "tracing")),
    ("stepfunctions.DescribeStateMachine", ("definition",), "{}", ("state machine", "definition")),
    ("lambda.ListEventSourceMappings", ("EventSourceMappings",), [], ("event source mapping", "exists")),
    (
        "lambda.ListEventSourceMappings",
        ("EventSourceMappings", 0, "State"),
        "Disabled",
        ("event source mapping", "enabled"),
    ),
    (
        "lambda.ListEventSourceMappings",
        ("EventSourceMappings", 0, "FunctionResponseTypes"),
        [],
        ("event source mapping", "partial responses"),
    ),
    ("glue.GetJob", (*JOB, "GlueVersion"), "5.1", ("job", "Glue version")),
    ("glue.GetJob", (*JOB, "MaxRetries"), 1, ("job", "MaxRetries")),
    ("glue.GetJob", (*JOB, "JobRunQueuingEnabled"), False, ("job", "queuing")),
    ("glue.GetJob", (*JOB, "DefaultArguments", "--database"), "other", ("job", "database")),
    ("glue.GetJob", (*JOB, "Command", "ScriptLocation"), "", ("job", "script")),
    ("glue.GetCrawler", ("Crawler", "DatabaseName"), "other", ("crawler", "database")),
    ("glue.GetCrawler", ("Crawler", "LastCrawl"), {"Status": "FAILED"}, ("crawler", "last crawl")),
    ("s3.GetBucketVersioning", ("Status",), "Suspended", ("bucket", "versioning")),
    (
        "s3.GetPublicAccessBlock",
        ("PublicAccessBlockConfiguration", "BlockPublicPolicy"),
        False,
        ("bucket", "public access block"),
    ),
    ("s3.GetBucketNotificationConfiguration", ("QueueConfigurations",), [], ("bucket", "notification")),
    (
        "s3.GetBucketNotificationConfiguration",
        ("QueueConfigurations", 0, "Events"),
        ["s3:ObjectCreated:Put"],
        ("bucket", "notified events"),
    ),
    (
        "s3.GetBucketNotificationConfiguration",
        ("QueueConfigurations", 0, "Filter", "Key", "FilterRules", 0, "Value"),
        "raw/taxi/2024/",
        ("bucket", "notified events"),
    ),
    ("dynamodb.DescribeTable", (*TABLE, "TableStatus"), "DELETING", ("ledger", "active")),
    (
        "dynamodb.DescribeTable",
        (*TABLE, "GlobalSecondaryIndexes", 1, "IndexStatus"),
        "CREATING",
        ("ledger", "index by-status"),
    ),
    (
        "dynamodb.DescribeContinuousBackups",
        ("ContinuousBackupsDescription", "PointInTimeRecoveryDescription"),
        {"PointInTimeRecoveryStatus": "DISABLED"},
        ("ledger", "point-in-time recovery"),
    ),
    ("sns.GetTopicAttributes", ("Attributes",), {}, ("topic", "encryption")),
    ("cloudwatch.DescribeAlarms", ("MetricAlarms", 0, "AlarmActions"), [], ("alarm", "failed")),
    ("cloudwatch.DescribeAlarms", ("MetricAlarms", 1, "ActionsEnabled"), False, ("alarm", "slow")),
    ("cloudwatch.DescribeAlarms", ("MetricAlarms", 1, "AlarmName"), "other", ("alarm", "slow")),
]


@pytest.mark.parametrize(("call", "path", "value", "finding"), DAMAGES)
def test_a_damaged_part_fails_and_only_it(call, path, value, finding, deployed):
    change(deployed.aws.answers, call, path, value)
    assert wrong(deployed) == (1, [(*finding, "failed")])


@pytest.mark.parametrize(
    ("call", "path", "value", "finding"),
    [
        ("dynamodb.Query", ("Count",), 3, ("ledger", "no files on hold")),
        ("sns.ListSubscriptionsByTopic", ("Subscriptions",), [], ("topic", "subscriptions")),
        (
            "sns.ListSubscriptionsByTopic",
            ("Subscriptions", 0, "SubscriptionArn"),
            "PendingConfirmation",
            ("topic", "subscriptions"),
        ),
        (
            "cloudwatch.DescribeAlarms",
            ("MetricAlarms", 0, "StateValue"),
            "ALARM",
            ("alarm", "failed is quiet"),
        ),
    ],
)
def test_what_deserves_a_look_warns_and_does_not_fail(call, path, value, finding, deployed):
    change(deployed.aws.answers, call, path, value)
    assert wrong(deployed) == (0, [(*finding, "warning")])


@pytest.mark.parametrize(
    ("function", "variable", "value"),
    [
        ("etl-orchestrator-dev", "STATE_MACHINE_ARN", f"{ARN}:stateMachine:other"),
        ("etl-orchestrator-validate-input-dev", "RUNS_BUCKET", "elsewhere"),
        ("etl-close-execution-dev", "TOPIC_ARN", "arn:aws:sns:eu-west-1:1:other"),
        ("etl-close-execution-dev", "SWEEP_AFTER_SECONDS", "soon"),
    ],
)
def test_a_functions_settings_must_be_those_of_this_deployment(function, variable, value, deployed):
    deployed.environments[function][variable] = value
    assert wrong(deployed) == (1, [(function, "settings", "failed")])


def test_a_function_without_one_of_its_settings_fails(deployed):
    del deployed.environments["etl-orchestrator-dev"]["BATCH_MAX_FILES"]
    assert wrong(deployed) == (1, [("etl-orchestrator-dev", "settings", "failed")])


def test_orchestration_that_is_off_warns(deployed):
    deployed.environments["etl-orchestrator-dev"]["ENABLE_ORCHESTRATION"] = "false"
    assert wrong(deployed) == (0, [("etl-orchestrator-dev", "orchestration", "warning")])


def test_a_disabled_rule_fails_and_a_missing_one_too(deployed):
    deployed.rules["sweep"]["State"] = "DISABLED"
    assert wrong(deployed) == (1, [("closer", "sweep schedule enabled", "failed")])
    deployed.aws.answers["cloudformation.ListStackResources"]["StackResourceSummaries"].pop(1)
    assert wrong(deployed) == (1, [("closer", "sweep schedule", "failed")])
    deployed.aws.answers["cloudformation.ListStackResources"]["StackResourceSummaries"].pop(0)
    assert wrong(deployed) == (
        1,
        [("closer", "ending events", "failed"), ("closer", "sweep schedule", "failed")],
    )


@pytest.mark.parametrize(
    ("url", "part"),
    [
        (LAKE["DeadLetterQueueUrl"], "event dead-letter queue"),
        (PIPELINE["CloseDeadLetterQueueUrl"], "closer's dead-letter queue"),
    ],
)
def test_messages_in_a_dead_letter_queue_fail(url, part, deployed):
    sound = deployed.aws.answers["sqs.GetQueueAttributes"]
    waiting = {"Attributes": {"ApproximateNumberOfMessages": "2"}}
    deployed.aws.answers["sqs.GetQueueAttributes"] = lambda request: (
        waiting if request["QueueUrl"] == url else sound
    )
    assert wrong(deployed) == (1, [(part, "empty", "failed")])


def test_a_queue_that_never_gives_up_fails(deployed):
    deployed.aws.answers["sqs.GetQueueAttributes"]["Attributes"]["RedrivePolicy"] = f"{QUEUES}/other"
    assert wrong(deployed) == (1, [("event queue", "gives up to the dead-letter queue", "failed")])


def test_a_script_that_is_gone_fails(deployed):
    deployed.aws.answers["s3.HeadObject"] = lambda request: (
        error("404") if request["Key"] == "core.zip" else {"ContentLength": 1}
    )
    assert wrong(deployed) == (1, [("job", "Python files", "failed")])


def test_a_part_that_is_gone_fails_and_the_others_are_still_looked_at(deployed):
    deployed.aws.answers["glue.GetJob"] = error("EntityNotFoundException", "no such job")
    deployed.aws.answers["s3.GetPublicAccessBlock"] = error("NoSuchPublicAccessBlockConfiguration")
    assert wrong(deployed) == (1, [("job", "exists", "failed"), ("bucket", "public access block", "failed")])


def test_a_part_one_may_not_look_at_fails_with_what_to_do(deployed):
    deployed.aws.answers["sns.GetTopicAttributes"] = error("AuthorizationError", "not you")
    _, document = deployed.json("verify")
    [finding] = [finding for finding in document["findings"] if finding["level"] == "failed"]
    assert finding["problem"] == "not allowed to look: not you"


def test_what_the_local_account_forgets_is_unknown_there_and_nowhere_else(deployed, monkeypatch):
    for call, path in (
        ("stepfunctions.DescribeStateMachine", ("loggingConfiguration",)),
        ("stepfunctions.DescribeStateMachine", ("tracingConfiguration",)),
    ):
        change(deployed.aws.answers, call, path, {})
    place = checks.Place(deployed.aws, _deployment(deployed))
    levels = {finding.check: str(finding.level) for finding in checks.all_findings(place)}
    assert (levels["logging"], levels["tracing"]) == ("failed", "failed")
    sound = deployed.aws.answers["cloudformation.DescribeStacks"]
    deployed.aws.answers["cloudformation.DescribeStacks"] = lambda request: sound(
        {"StackName": request["StackName"].replace("-local", "-dev")}
    )
    monkeypatch.setattr(deployed.aws, "target", Target("local"))
    levels = {finding.check: str(finding.level) for finding in checks.all_findings(place)}
    assert (levels["logging"], levels["tracing"], levels["type"]) == ("unknown here", "unknown here", "ok")


def _deployment(deployed):
    from ops.deployment import discover

    return discover(deployed.aws)


def test_a_stack_that_failed_is_told(deployed):
    sound = deployed.aws.answers["cloudformation.DescribeStacks"]

    def failed(request):
        document = sound(request)
        if request["StackName"] == "TaxiPipeline-dev":
            document["Stacks"][0]["StackStatus"] = "UPDATE_ROLLBACK_FAILED"
        return document

    deployed.aws.answers["cloudformation.DescribeStacks"] = failed
    assert wrong(deployed) == (1, [("stack", "TaxiPipeline-dev", "failed")])


KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def statement(**more):
    """A statement of a key's policy; the default one of every key leaves all to IAM."""
    root = {"AWS": "arn:aws:iam::123456789012:root"}
    return {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*", **more}


@pytest.fixture
def with_key(deployed):
    """Damage the bucket's key: its state, or the statements of its policy."""

    def key(*statements, state="Enabled"):
        default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
        deployed.aws.answers |= {
            "s3.GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": [default]}},
            "kms.DescribeKey": {"KeyMetadata": {"KeyId": KEY, "KeyState": state}},
            "kms.GetKeyPolicy": {"Policy": json.dumps({"Statement": list(statements)})},
        }
        return deployed

    return key


@pytest.mark.parametrize(
    "statements",
    [
        [statement()],
        [statement(Principal={"AWS": ["123456789012"]}, Action=["kms:Decrypt", "kms:GenerateDataKey*"])],
        [statement(Action="kms:Decrypt"), statement(Action="kms:Generate*")],
    ],
)
def test_a_key_that_leaves_its_use_to_iam_is_sound(statements, with_key):
    assert wrong(with_key(*statements)) == (0, [])


@pytest.mark.parametrize(
    ("statements", "lacking"),
    [
        ([statement(Action="kms:Decrypt")], "kms:GenerateDataKey"),
        ([statement(Action="kms:Describe*")], "kms:Decrypt and kms:GenerateDataKey"),
        (
            [statement(Principal={"AWS": "arn:aws:iam::999999999999:root"})],
            "kms:Decrypt and kms:GenerateDataKey",
        ),
        ([statement(Principal={"Service": "s3.amazonaws.com"})], "kms:Decrypt and kms:GenerateDataKey"),
        (
            [statement(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})],
            "kms:Decrypt and kms:GenerateDataKey",
        ),
        ([statement(Effect="Deny")], "kms:Decrypt and kms:GenerateDataKey"),
    ],
)
def test_a_key_whose_policy_shuts_roles_out_warns(statements, lacking, with_key):
    deployed = with_key(*statements)
    assert wrong(deployed) == (0, [("bucket's key", "policy", "warning")])
    _, document = deployed.json("verify")
    [problem] = [finding["problem"] for finding in document["findings"] if finding["problem"]]
    assert f"does not leave {lacking} " in problem


def test_a_key_that_is_to_be_deleted_fails(with_key):
    deployed = with_key(statement(), state="PendingDeletion")
    assert wrong(deployed) == (1, [("bucket's key", "enabled", "failed")])
