"""Tests of `verify`: a valid deployment with one defect at a time."""

import json
import re
from copy import deepcopy

import pytest
from conftest import ARN, LAKE, MACHINE, NOON, PIPELINE, TOPIC, stack
from fake_aws import error

from ops import checks
from ops.session import Target
from tests.conftest import ROOT

QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:etl-file-events-dev"
DEAD_LETTER_QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:etl-file-events-dlq-dev"
OPTIMIZER_ROLE = "taxi-table-optimizer-dev-eu-west-1"
ENVIRONMENTS = {
    "etl-orchestrator-dev": {
        "STATE_MACHINE_ARN": MACHINE,
        "ENABLE_ORCHESTRATION": "true",
        "LEDGER_TABLE": "ledger",
        "BATCH_MAX_FILES": "99",
        "BATCH_MAX_BYTES": "1000",
        "ENGINE": "glue",
    },
    "etl-orchestrator-validate-input-dev": {
        "RUNS_BUCKET": "lake",
        "MAX_FILE_BYTES": "1000",
        "INSTANTS": "reject",
        "ENGINE": "glue",
        "SMALL_BATCH_MAX_PARQUET_BYTES": "1000",
        "SMALL_BATCH_MAX_CSV_BYTES": "1000",
        "SMALL_BATCH_MAX_CSV_GZ_BYTES": "1000",
        "SMALL_BATCH_MAX_COLUMNS": "100",
    },
    "etl-close-execution-dev": {
        "STATE_MACHINE_ARN": MACHINE,
        "LEDGER_TABLE": "ledger",
        "RUNS_BUCKET": "lake",
        "TOPIC_ARN": TOPIC,
        "SWEEP_AFTER_SECONDS": "900",
        "CHAT_NOTIFICATIONS": "false",
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


VALID = {
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
            "DefaultArguments": {
                "--extra-py-files": "s3://assets/core.zip, s3://assets/more.zip",
                "--database": "taxi_dev",
            },
            "Role": "arn:aws:iam::123456789012:role/job",
        }
    },
    "glue.GetJobRuns": {"JobRuns": []},
    "glue.GetCrawler": {
        "Crawler": {
            "DatabaseName": "taxi_raw_dev",
            "LastCrawl": {"Status": "SUCCEEDED"},
            "Role": "arn:aws:iam::123456789012:role/crawler",
        }
    },
    "lakeformation.ListPermissions": {
        "PrincipalResourcePermissions": [
            {
                "Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
                "Permissions": ["ALL"],
            }
        ]
    },
    "glue.GetDatabase": {},
    "glue.GetTables": {
        "TableList": [
            {"Name": "yellow_trips", "Parameters": {"table_type": "ICEBERG"}},
            {"Name": "a_view_of_somebody"},
        ]
    },
    "glue.GetTableOptimizer": {
        "TableOptimizer": {
            "configuration": {"roleArn": f"arn:aws:iam::123456789012:role/{OPTIMIZER_ROLE}", "enabled": True},
            "lastRun": {"eventType": "completed"},
        }
    },
    "iam.GetRole": {
        "Role": {
            "Path": "/",
            "RoleName": OPTIMIZER_ROLE,
            "RoleId": "AROAEXAMPLEEXAMPLE",
            "Arn": f"arn:aws:iam::123456789012:role/{OPTIMIZER_ROLE}",
            "CreateDate": NOON,
        }
    },
    "logs.DescribeLogGroups": {"logGroups": []},
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
            "QueueArn": QUEUE_ARN,
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": DEAD_LETTER_QUEUE_ARN}),
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
    taxi_etl.aws.answers |= deepcopy(VALID)
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


def problems(deployed):
    """Run verify; return the exit code and the findings that are not ok as (part, check, level)."""
    code, document = deployed.json("verify")
    findings = [finding for finding in document["findings"] if finding["level"] != "ok"]
    for finding in findings:
        assert finding["problem"], finding
        assert finding["remedy"] or finding["level"] == "unknown here", finding
    return code, [(finding["part"], finding["check"], finding["level"]) for finding in findings]


def test_a_valid_deployment_passes(deployed):
    assert problems(deployed) == (0, [])
    assert deployed("verify").stdout == "57 ok; all checks: taxi-etl --environment dev verify --all\n"


def test_only_what_is_wrong_is_printed_and_all_on_request(deployed):
    replace_in_answer(deployed.aws.answers, "stepfunctions.DescribeStateMachine", ("type",), "EXPRESS")
    heading, wrong, rest = deployed("verify").stdout.splitlines()
    assert heading.split() == ["part", "check", "result", "problem", "remedy"]
    assert wrong.startswith("state machine  type   failed  ")
    assert rest == "56 ok, 1 failed; all checks: taxi-etl --environment dev verify --all"

    everything = deployed("verify", "--all").stdout.splitlines()
    assert len(everything) == 1 + 57 + 1
    assert everything[-1] == "56 ok, 1 failed"


def replace_in_answer(answers, call, path, value):
    """Replace one value in the answer to a call."""
    parent = answers[call]
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value


JOB, TABLE = ("Job",), ("Table",)
DEFECTS = [
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
    *(
        (
            "lambda.ListEventSourceMappings",
            ("EventSourceMappings", 0, "State"),
            state,
            ("event source mapping", "enabled"),
        )
        for state in ("Disabled", "Disabling", "Enabling", "Creating")
    ),
    (
        "lambda.ListEventSourceMappings",
        ("EventSourceMappings",),
        2 * VALID["lambda.ListEventSourceMappings"]["EventSourceMappings"],
        ("event source mapping", "exists"),
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
    *(
        (
            "s3.GetPublicAccessBlock",
            ("PublicAccessBlockConfiguration", flag),
            False,
            ("bucket", "public access block"),
        )
        for flag in VALID["s3.GetPublicAccessBlock"]["PublicAccessBlockConfiguration"]
    ),
    ("s3.GetBucketNotificationConfiguration", ("QueueConfigurations",), [], ("bucket", "notification")),
    (
        "s3.GetBucketNotificationConfiguration",
        ("QueueConfigurations", 0, "QueueArn"),
        QUEUE_ARN.replace("etl-file-events-dev", "other-etl-file-events-dev"),
        ("bucket", "notification"),
    ),
    (
        "s3.GetBucketNotificationConfiguration",
        ("QueueConfigurations", 0, "Filter", "Key", "FilterRules"),
        [{"Name": "Prefix", "Value": "raw/taxi/"}, {"Name": "Suffix", "Value": ".csv"}],
        ("bucket", "notified events"),
    ),
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
    *(
        (
            "dynamodb.DescribeTable",
            (*TABLE, "GlobalSecondaryIndexes", position, "IndexStatus"),
            "CREATING",
            ("ledger", f"index {index}"),
        )
        for position, index in enumerate(("by-execution", "by-status"))
    ),
    (
        "dynamodb.DescribeContinuousBackups",
        ("ContinuousBackupsDescription", "PointInTimeRecoveryDescription"),
        {"PointInTimeRecoveryStatus": "DISABLED"},
        ("ledger", "point-in-time recovery"),
    ),
    ("sns.GetTopicAttributes", ("Attributes",), {}, ("topic", "encryption")),
    ("cloudwatch.DescribeAlarms", ("MetricAlarms", 0, "AlarmActions"), [], ("alarm", "failed")),
    ("cloudwatch.DescribeAlarms", ("MetricAlarms", 0, "AlarmActions"), [f"{TOPIC}-x"], ("alarm", "failed")),
    ("cloudwatch.DescribeAlarms", ("MetricAlarms", 1, "ActionsEnabled"), False, ("alarm", "slow")),
    ("cloudwatch.DescribeAlarms", ("MetricAlarms", 1, "AlarmName"), "other", ("alarm", "slow")),
]


@pytest.mark.parametrize(("call", "path", "value", "finding"), DEFECTS)
def test_a_defect_fails_its_check_and_no_other(call, path, value, finding, deployed):
    replace_in_answer(deployed.aws.answers, call, path, value)
    assert problems(deployed) == (1, [(*finding, "failed")])


@pytest.mark.parametrize(
    ("call", "path", "value", "finding"),
    [
        ("dynamodb.Query", ("Count",), 1, ("ledger", "no held files")),
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
            ("alarm", "failed state"),
        ),
    ],
)
def test_a_minor_problem_is_a_warning_and_does_not_fail(call, path, value, finding, deployed):
    replace_in_answer(deployed.aws.answers, call, path, value)
    assert problems(deployed) == (0, [(*finding, "warning")])


@pytest.mark.parametrize(
    ("function", "variable", "value"),
    [
        ("etl-orchestrator-dev", "STATE_MACHINE_ARN", f"{ARN}:stateMachine:other"),
        ("etl-orchestrator-validate-input-dev", "RUNS_BUCKET", "elsewhere"),
        ("etl-close-execution-dev", "TOPIC_ARN", "arn:aws:sns:eu-west-1:1:other"),
        ("etl-close-execution-dev", "SWEEP_AFTER_SECONDS", "soon"),
    ],
)
def test_a_function_with_settings_of_another_deployment_fails(function, variable, value, deployed):
    deployed.environments[function][variable] = value
    assert problems(deployed) == (1, [(function, "settings", "failed")])


def test_a_function_without_a_required_setting_fails(deployed):
    del deployed.environments["etl-orchestrator-dev"]["BATCH_MAX_FILES"]
    assert problems(deployed) == (1, [("etl-orchestrator-dev", "settings", "failed")])


def test_disabled_orchestration_is_a_warning(deployed):
    deployed.environments["etl-orchestrator-dev"]["ENABLE_ORCHESTRATION"] = "false"
    assert problems(deployed) == (0, [("etl-orchestrator-dev", "orchestration", "warning")])


def test_a_disabled_or_missing_rule_fails(deployed):
    deployed.rules["sweep"]["State"] = "DISABLED"
    assert problems(deployed) == (1, [("finalizer", "reconcile schedule enabled", "failed")])
    deployed.aws.answers["cloudformation.ListStackResources"]["StackResourceSummaries"].pop(1)
    assert problems(deployed) == (1, [("finalizer", "reconcile schedule", "failed")])
    deployed.aws.answers["cloudformation.ListStackResources"]["StackResourceSummaries"].pop(0)
    assert problems(deployed) == (
        1,
        [("finalizer", "execution events", "failed"), ("finalizer", "reconcile schedule", "failed")],
    )


@pytest.mark.parametrize(
    ("url", "part"),
    [
        (LAKE["DeadLetterQueueUrl"], "event dead-letter queue"),
        (PIPELINE["CloseDeadLetterQueueUrl"], "finalizer's dead-letter queue"),
    ],
)
def test_one_message_in_a_dead_letter_queue_fails(url, part, deployed):
    empty = deployed.aws.answers["sqs.GetQueueAttributes"]
    waiting = {"Attributes": {"ApproximateNumberOfMessages": "1"}}
    deployed.aws.answers["sqs.GetQueueAttributes"] = lambda request: (
        waiting if request["QueueUrl"] == url else empty
    )
    assert problems(deployed) == (1, [(part, "empty", "failed")])


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{DEAD_LETTER_QUEUE_ARN}-old"})},
        {"RedrivePolicy": json.dumps({"deadLetterTargetArn": QUEUE_ARN})},
    ],
)
def test_an_event_queue_without_its_dead_letter_queue_fails(policy, deployed):
    attributes = {"QueueArn": QUEUE_ARN, "ApproximateNumberOfMessages": "0", **policy}
    deployed.aws.answers["sqs.GetQueueAttributes"] = {"Attributes": attributes}
    assert problems(deployed) == (1, [("event queue", "dead-letter queue", "failed")])


OPTIMIZER_CHECKS = [
    ("table optimizers", f"{kind} of yellow_trips", "warning")
    for kind in ("compaction", "retention", "orphan_file_deletion")
]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("configuration", "enabled"), False),
        (("lastRun",), {"eventType": "failed", "error": "access denied"}),
    ],
)
def test_an_optimizer_that_is_disabled_or_fails_is_a_warning(path, value, deployed):
    replace_in_answer(deployed.aws.answers, "glue.GetTableOptimizer", ("TableOptimizer", *path), value)
    assert problems(deployed) == (0, OPTIMIZER_CHECKS)


def test_a_missing_optimizer_is_a_warning(deployed):
    found = deployed.aws.answers["glue.GetTableOptimizer"]
    deployed.aws.answers["glue.GetTableOptimizer"] = lambda request: (
        error("EntityNotFoundException") if request["Type"] == "compaction" else found
    )
    assert problems(deployed) == (0, OPTIMIZER_CHECKS[:1])
    [request, *_] = deployed.aws.requests("glue.GetTableOptimizer")
    assert (request["CatalogId"], request["DatabaseName"]) == ("123456789012", "taxi_dev")


def test_optimizers_with_a_deleted_role_are_warnings(deployed):
    deployed.aws.answers["iam.GetRole"] = error("NoSuchEntity")
    assert problems(deployed) == (0, OPTIMIZER_CHECKS)
    assert len(deployed.aws.requests("iam.GetRole")) == 1


@pytest.mark.parametrize("key", ["core.zip", "more.zip"])
def test_a_missing_python_file_fails(key, deployed):
    deployed.aws.answers["s3.HeadObject"] = lambda request: (
        error("404") if request["Key"] == key else {"ContentLength": 1}
    )
    assert problems(deployed) == (1, [("job", "Python files", "failed")])


def test_a_script_that_may_not_be_read_is_not_reported_as_missing(deployed):
    deployed.aws.answers["s3.HeadObject"] = error("403", "Forbidden")
    assert problems(deployed) == (1, [("job", "permission", "failed")])
    assert finding(deployed, "permission")["problem"] == "permission denied for HeadObject: Forbidden"


def test_a_canceled_crawl_is_not_a_failed_crawl(deployed):
    deployed.aws.answers["glue.GetCrawler"]["Crawler"]["LastCrawl"] = {"Status": "CANCELLED"}
    assert problems(deployed) == (0, [])


@pytest.mark.parametrize("database", ["taxi_raw_dev", "taxi_dev"])
def test_a_missing_database_fails(database, deployed):
    deployed.aws.answers["glue.GetDatabase"] = lambda request: (
        error("EntityNotFoundException") if request["Name"] == database else {}
    )
    assert problems(deployed) == (1, [("catalog", f"database {database}", "failed")])


def test_a_failed_update_of_a_function_fails(deployed):
    valid = deployed.aws.answers["lambda.GetFunctionConfiguration"]
    deployed.aws.answers["lambda.GetFunctionConfiguration"] = lambda request: (
        valid(request) | {"LastUpdateStatus": "Failed"}
    )
    assert problems(deployed) == (1, [(function, "active", "failed") for function in ENVIRONMENTS])


def test_alarms_on_every_page_are_checked(deployed):
    first, second = deployed.aws.answers["cloudwatch.DescribeAlarms"]["MetricAlarms"]
    deployed.aws.answers["cloudwatch.DescribeAlarms"] = lambda request: (
        {"MetricAlarms": [second]}
        if request.get("NextToken") == "2"
        else {"MetricAlarms": [first], "NextToken": "2"}
    )
    assert problems(deployed) == (0, [])


def test_a_second_notification_does_not_hide_the_one_that_is_right(deployed):
    notifications = deployed.aws.answers["s3.GetBucketNotificationConfiguration"]["QueueConfigurations"]
    removed = {"QueueArn": QUEUE_ARN, "Events": ["s3:ObjectRemoved:*"]}
    notifications.insert(0, removed)
    assert problems(deployed) == (0, [])


def test_a_missing_part_fails_and_the_other_parts_are_still_checked(deployed):
    deployed.aws.answers["glue.GetJob"] = error("EntityNotFoundException", "no such job")
    deployed.aws.answers["s3.GetPublicAccessBlock"] = error("NoSuchPublicAccessBlockConfiguration")
    assert problems(deployed) == (
        1,
        [("job", "exists", "failed"), ("bucket", "public access block", "failed")],
    )


def finding(deployed, check):
    """Run verify; return the one finding of a check."""
    _, document = deployed.json("verify")
    [found] = [each for each in document["findings"] if each["check"] == check]
    return found


def test_a_denied_permission_fails_with_the_operation_and_the_next_step(deployed):
    deployed.aws.answers["sns.GetTopicAttributes"] = error("AuthorizationError", "not you")
    found = finding(deployed, "permission")
    assert (found["part"], found["level"]) == ("topic", "failed")
    assert found["problem"] == "permission denied for GetTopicAttributes: not you"
    assert found["remedy"] == "use a role that may read this part"


def test_settings_that_the_local_account_does_not_keep_are_unknown_there_only(deployed, monkeypatch):
    for call, path in (
        ("stepfunctions.DescribeStateMachine", ("loggingConfiguration",)),
        ("stepfunctions.DescribeStateMachine", ("tracingConfiguration",)),
    ):
        replace_in_answer(deployed.aws.answers, call, path, {})
    scope = checks.Scope(deployed.aws, _deployment(deployed))
    levels = {finding.check: str(finding.level) for finding in checks.all_findings(scope)}
    assert (levels["logging"], levels["tracing"]) == ("failed", "failed")
    describe = deployed.aws.answers["cloudformation.DescribeStacks"]
    deployed.aws.answers["cloudformation.DescribeStacks"] = lambda request: describe(
        {"StackName": request["StackName"].replace("-local", "-dev")}
    )
    monkeypatch.setattr(deployed.aws, "target", Target("local"))
    levels = {finding.check: str(finding.level) for finding in checks.all_findings(scope)}
    assert (levels["logging"], levels["tracing"], levels["type"]) == ("unknown here", "unknown here", "ok")


def _deployment(deployed):
    from ops.deployment import discover

    return discover(deployed.aws)


@pytest.mark.parametrize(
    ("status", "code", "level"),
    [
        ("CREATE_COMPLETE", 0, None),
        ("IMPORT_COMPLETE", 0, None),
        ("UPDATE_ROLLBACK_COMPLETE", 0, None),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", 0, "warning"),
        ("ROLLBACK_COMPLETE", 1, "failed"),
        ("UPDATE_ROLLBACK_FAILED", 1, "failed"),
        ("DELETE_COMPLETE", 1, "failed"),
    ],
)
def test_a_stack_that_is_rolled_back_or_failed_fails(status, code, level, deployed):
    describe = deployed.aws.answers["cloudformation.DescribeStacks"]

    def with_status(request):
        document = describe(request)
        if request["StackName"] == "TaxiPipeline-dev":
            document["Stacks"][0]["StackStatus"] = status
        return document

    deployed.aws.answers["cloudformation.DescribeStacks"] = with_status
    assert problems(deployed) == (code, [("stack", "TaxiPipeline-dev", level)] if level else [])


KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def statement(**more):
    """A statement of a key policy; the default lets IAM grant every action."""
    root = {"AWS": "arn:aws:iam::123456789012:root"}
    return {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*", **more}


@pytest.fixture
def with_key(deployed):
    """Give the bucket a key with this state and these statements in its policy."""

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
def test_a_key_policy_that_lets_iam_grant_its_use_passes(statements, with_key):
    assert problems(with_key(*statements)) == (0, [])


@pytest.mark.parametrize(
    ("statements", "missing"),
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
def test_a_key_policy_that_does_not_let_iam_grant_its_use_is_a_warning(statements, missing, with_key):
    deployed = with_key(*statements)
    assert problems(deployed) == (0, [("bucket's key", "policy", "warning")])
    _, document = deployed.json("verify")
    [problem] = [finding["problem"] for finding in document["findings"] if finding["problem"]]
    assert f"does not let IAM grant {missing};" in problem


def test_a_key_scheduled_for_deletion_fails(with_key):
    deployed = with_key(statement(), state="PendingDeletion")
    assert problems(deployed) == (1, [("bucket's key", "enabled", "failed")])


def test_the_key_of_an_existing_bucket_needs_only_to_decrypt(with_key):
    other = KEY.replace("1234abcd-", "0ld0ld0l-")
    deployed = with_key(statement(Action=["kms:Decrypt", "kms:GenerateDataKey"]))

    def with_output(request):
        return stack(request, ReadableKeyArns=f"{KEY},{other}")

    def policy(request):
        found = statement() if request["KeyId"] == KEY else statement(Action=["kms:Describe*"])
        return {"Policy": json.dumps({"Statement": [found]})}

    deployed.aws.answers["cloudformation.DescribeStacks"] = with_output
    assert problems(deployed) == (0, [])
    deployed.aws.answers["kms.GetKeyPolicy"] = policy
    assert problems(deployed) == (0, [("existing bucket's key", "policy", "warning")])


def test_a_key_of_another_account_is_a_warning_that_says_whom_to_ask(with_key):
    deployed = with_key(statement())
    foreign = KEY.replace("123456789012", "999999999999")
    deployed.aws.answers["cloudformation.DescribeStacks"] = lambda request: stack(
        request, ReadableKeyArns=f"{KEY},{foreign}"
    )
    assert problems(deployed) == (0, [("existing bucket's key", "policy", "warning")])
    assert {request["KeyId"] for request in deployed.aws.requests("kms.GetKeyPolicy")} == {KEY}


def test_log_groups_that_glue_created_without_a_retention_are_named_with_the_command(deployed):
    groups = {
        "/aws-glue/crawlers": [{"logGroupName": "/aws-glue/crawlers"}],
        "/aws-glue/iceberg-": [{"logGroupName": "/aws-glue/iceberg-compaction/logs", "retentionInDays": 30}],
        "/aws/lambda/etl-orchestrator-dev": [
            {"logGroupName": "/aws/lambda/etl-orchestrator-dev", "retentionInDays": 90},
            {"logGroupName": "/aws/lambda/etl-orchestrator-dev-2", "retentionInDays": 1},
        ],
    }
    deployed.aws.answers["logs.DescribeLogGroups"] = lambda request: {
        "logGroups": groups[request["logGroupNamePrefix"]]
    }
    assert problems(deployed) == (0, [("Glue's log groups", "/aws-glue/crawlers", "warning")])
    _, document = deployed.json("verify")
    [remedy] = [finding["remedy"] for finding in document["findings"] if finding["problem"]]
    assert remedy == (
        "aws logs put-retention-policy --log-group-name /aws-glue/crawlers --retention-in-days 90"
    )


REFUSED = "Insufficient Lake Formation permission(s): Required Create Table on taxi_dev"


def granted(principal, *permissions):
    return {
        "Principal": {"DataLakePrincipalIdentifier": f"arn:aws:iam::123456789012:role/{principal}"},
        "Permissions": list(permissions),
    }


def test_in_a_governed_account_each_role_needs_its_own_grant(deployed):
    grants = {
        "taxi_dev": [granted("job", "DESCRIBE", "CREATE_TABLE")],
        "taxi_raw_dev": [granted("job", "CREATE_TABLE"), granted("crawler", "DESCRIBE")],
    }
    deployed.aws.answers["lakeformation.ListPermissions"] = lambda request: {
        "PrincipalResourcePermissions": grants[request["Resource"]["Database"]["Name"]]
    }
    assert problems(deployed) == (0, [("Lake Formation", "database taxi_raw_dev", "warning")])

    pages = {None: {"NextToken": "more"}, "more": {"PrincipalResourcePermissions": grants["taxi_dev"]}}
    grants["taxi_raw_dev"] += [granted("crawler", "CREATE_TABLE")]
    deployed.aws.answers["lakeformation.ListPermissions"] = lambda request: (
        pages[request.get("NextToken")]
        if request["Resource"]["Database"]["Name"] == "taxi_dev"
        else {"PrincipalResourcePermissions": grants["taxi_raw_dev"]}
    )
    assert problems(deployed) == (0, [])


def test_a_role_that_may_not_list_permissions_gets_a_warning(deployed):
    deployed.aws.answers["lakeformation.ListPermissions"] = error("AccessDeniedException", "not authorized")
    assert problems(deployed) == (
        0,
        [
            ("Lake Formation", "database taxi_dev", "warning"),
            ("Lake Formation", "database taxi_raw_dev", "warning"),
        ],
    )


def test_a_job_run_that_lake_formation_refused_is_recognized(deployed):
    deployed.aws.answers["glue.GetJobRuns"] = {"JobRuns": [{"ErrorMessage": f"SystemExit: {REFUSED}"}]}
    assert problems(deployed) == (1, [("Lake Formation", "last job run", "failed")])
    assert "lake_formation=True" in deployed("verify").stdout.replace("\n", "")


def test_another_failed_job_run_is_no_refusal(deployed):
    deployed.aws.answers["glue.GetJobRuns"] = {"JobRuns": [{"ErrorMessage": "SystemExit: no space left"}]}
    assert problems(deployed) == (0, [])


def test_a_crawl_that_lake_formation_refused_names_the_setting(deployed):
    replace_in_answer(
        deployed.aws.answers,
        "glue.GetCrawler",
        ("Crawler", "LastCrawl"),
        {"Status": "FAILED", "ErrorMessage": REFUSED},
    )
    _, document = deployed.json("verify")
    (remedy,) = [each["remedy"] for each in document["findings"] if each["level"] == "failed"]
    assert "lake_formation=True" in remedy


def test_a_call_that_lake_formation_refuses_names_the_setting(deployed):
    deployed.aws.answers["glue.GetTables"] = error("AccessDeniedException", REFUSED)
    assert problems(deployed) == (1, [("table optimizers", "Lake Formation", "failed")])


FIRST_LOAD = {
    "lambda.GetAccountSettings": {"AccountLimit": {"ConcurrentExecutions": 1000}},
    "glue.GetJobRuns": {
        "JobRuns": [
            {"JobRunState": "FAILED", "ErrorMessage": "SystemExit: no space left"},
            {"JobRunState": "SUCCEEDED", "DPUSeconds": 130.0},
        ]
    },
    "logs.DescribeLogStreams": {"logStreams": [{"logStreamName": "one"}]},
    "cloudwatch.ListMetrics": {"Metrics": [{"MetricName": "m"}]},
    "xray.GetTraceSummaries": {"TraceSummaries": [{"Id": "1-67891233-abcdef012345678912345678"}]},
}


@pytest.fixture
def loaded(deployed):
    """A valid deployment that has loaded a file; every log group exists and holds a log."""
    below = {"/aws-glue/jobs/job-process-taxi-data-dev": "/error"}
    deployed.aws.answers |= deepcopy(FIRST_LOAD)
    deployed.aws.answers["logs.DescribeLogGroups"] = lambda request: {
        "logGroups": [
            {
                "logGroupName": request["logGroupNamePrefix"] + below.get(request["logGroupNamePrefix"], ""),
                "retentionInDays": 14,
            },
            {"logGroupName": f"{request['logGroupNamePrefix']}-of-another", "retentionInDays": 14},
        ]
    }
    return deployed


def first_problems(deployed):
    code, document = deployed.json("verify", "--first")
    findings = [finding for finding in document["findings"] if finding["level"] != "ok"]
    assert all(finding["problem"] and finding["remedy"] for finding in findings)
    return code, [(finding["part"], finding["check"], finding["level"]) for finding in findings]


def test_the_command_for_all_checks_includes_those_of_the_first_load(loaded):
    assert loaded("verify", "--first").stdout.endswith("taxi-etl --environment dev verify --first --all\n")


def test_a_first_load_that_left_everything_passes(loaded):
    assert first_problems(loaded) == (0, [])
    groups = {request["logGroupName"] for request in loaded.aws.requests("logs.DescribeLogStreams")}
    assert groups == {
        "/aws/lambda/etl-orchestrator-dev",
        "/aws/lambda/etl-orchestrator-validate-input-dev",
        "/aws/lambda/etl-close-execution-dev",
        f"/aws/vendedlogs/states/{MACHINE.rpartition(':')[2]}",
        "/aws-glue/jobs/job-process-taxi-data-dev/error",
    }
    [loaded_files, cost] = loaded.aws.requests("cloudwatch.ListMetrics")
    assert (loaded_files["MetricName"], cost["MetricName"]) == ("FilesLoaded", "JobCostUsd")
    assert cost["Dimensions"] == [{"Name": "service", "Value": "etl-close-execution-dev"}]


def test_without_the_option_a_first_load_is_not_asked_for(loaded):
    assert problems(loaded) == (0, [])
    assert loaded.aws.requests("lambda.GetAccountSettings") == []


@pytest.mark.parametrize(
    ("runs", "problem"),
    [([], "none was started"), ([{"JobRunState": "TIMEOUT"}], "the last one ended TIMEOUT")],
)
def test_before_a_job_run_succeeds_nothing_else_of_the_first_load_is_checked(loaded, runs, problem):
    loaded.aws.answers["glue.GetJobRuns"] = {"JobRuns": runs}
    _, document = loaded.json("verify", "--first")
    [finding] = [finding for finding in document["findings"] if finding["level"] != "ok"]
    assert (finding["check"], finding["level"], finding["problem"]) == ("job run", "failed", problem)


@pytest.mark.parametrize(
    ("call", "answer", "expected"),
    [
        (
            "lambda.GetAccountSettings",
            {"AccountLimit": {"ConcurrentExecutions": 10}},
            (0, [("account", "concurrent functions", "warning")]),
        ),
        (
            "glue.GetJobRuns",
            {"JobRuns": [{"JobRunState": "SUCCEEDED", "ExecutionTime": 90}]},
            (0, [("first load", "job run's cost", "warning")]),
        ),
        ("xray.GetTraceSummaries", {"TraceSummaries": []}, (0, [("first load", "traces", "warning")])),
        (
            "cloudwatch.ListMetrics",
            {"Metrics": []},
            (
                1,
                [
                    ("first load", "metric FilesLoaded", "failed"),
                    ("first load", "metric JobCostUsd", "failed"),
                ],
            ),
        ),
    ],
)
def test_what_a_first_load_did_not_leave_is_named(loaded, call, answer, expected):
    loaded.aws.answers[call] = answer
    assert first_problems(loaded) == expected


def test_a_part_without_a_log_is_named(loaded):
    loaded.aws.answers["logs.DescribeLogStreams"] = lambda request: {
        "logStreams": [] if "states" in request["logGroupName"] else [{"logStreamName": "one"}]
    }
    group = f"/aws/vendedlogs/states/{MACHINE.rpartition(':')[2]}"
    assert first_problems(loaded) == (1, [("first load", f"logs {group}", "failed")])


def test_every_check_of_the_first_load_is_explained(loaded):
    _, document = loaded.json("verify", "--first")
    page = (ROOT / "docs" / "first-deployment.md").read_text()
    checks = [each["check"] for each in document["findings"] if each["part"] in ("account", "first load")]
    assert len(checks) == 11
    for check in checks:
        name = re.sub(r"^(logs /[a-z-]+/).*", r"\1", check)
        assert name in page, f"docs/first-deployment.md does not explain {check}"


SMALL_BATCH = {
    "DATABASE": "taxi_dev",
    "WAREHOUSE": "s3://lake/warehouse/",
    "MAX_QUARANTINE_SHARE": "0.5",
    "ANOMALY_POLICY": "warn",
    "COMMAND": "taxi-etl --environment dev",
    "OPTIMIZER_ROLE": f"arn:aws:iam::123456789012:role/{OPTIMIZER_ROLE}",
    "RETENTION_DAYS": "7",
    "STORAGE_MB": "4096",
}


@pytest.mark.parametrize(("database", "found"), [("taxi_dev", []), ("taxi_other", ["settings"])])
def test_the_function_for_small_batches_is_checked_if_the_app_has_it(deployed, database, found):
    name = "etl-run-small-batch-dev"
    deployed.environments[name] = {**SMALL_BATCH, "DATABASE": database}
    deployed.aws.answers["cloudformation.DescribeStacks"] = lambda request: stack(
        request, SmallBatchFunctionName=name
    )
    assert problems(deployed) == (len(found), [(name, check, "failed") for check in found])
