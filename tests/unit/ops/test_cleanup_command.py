"""Tests of `cleanup`: what it finds, and that it stops and removes nothing without --yes."""

from datetime import UTC, datetime, timedelta

import pytest
from conftest import ARN, LAKE, NOON, PIPELINE, QUEUES
from fake_aws import error

from ops.commands import cleanup

LAKE_STACK, PIPELINE_STACK = "TaxiDataLake-dev", "TaxiPipeline-dev"
DELETIONS = (
    *("stepfunctions.StopExecution", "glue.BatchStopJobRun", "s3.DeleteObjects", "s3.DeleteBucket"),
    *("cloudformation.DeleteStack", "dynamodb.DeleteTable", "glue.DeleteDatabase", "sqs.DeleteQueue"),
    *("dynamodb.UpdateTable",),
)
NOW = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
GONE = {
    "s3.ListObjectVersions": error("NoSuchBucket"),
    "dynamodb.Scan": error("ResourceNotFoundException"),
    "glue.GetDatabase": error("EntityNotFoundException"),
    "sqs.GetQueueUrl": error("AWS.SimpleQueueService.NonExistentQueue"),
    "sts.GetCallerIdentity": {"Account": "123456789012"},
}


def ago(**time):
    return NOW - timedelta(**time)


def running(name, started):
    return {
        "executionArn": f"{ARN}:execution:m:{name}",
        "stateMachineArn": f"{ARN}:stateMachine:m",
        "name": name,
        "status": "RUNNING",
        "startDate": started,
    }


class Account:
    """An account with nothing to clean up, until a test changes an answer."""

    def __init__(self, taxi_etl):
        self.taxi_etl, self.aws = taxi_etl, taxi_etl.aws
        self.states = {LAKE_STACK: "UPDATE_COMPLETE", PIPELINE_STACK: "UPDATE_COMPLETE"}
        self.aws.answers |= {
            "cloudformation.DescribeStacks": self.stack,
            "stepfunctions.ListExecutions": {"executions": []},
            "glue.GetJobRuns": {"JobRuns": []},
            **GONE,
            "cloudformation.UpdateTerminationProtection": {},
            **{call: {} for call in DELETIONS},
        }
        self.aws.answers["stepfunctions.StopExecution"] = {"stopDate": NOW}
        self.aws.answers["dynamodb.DescribeTable"] = {"Table": {}}

    def stack(self, request):
        name = request["StackName"]
        if not self.states[name]:
            return error("ValidationError", "does not exist")
        outputs = LAKE if name == LAKE_STACK else PIPELINE
        pairs = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        state = self.states[name]
        return {"Stacks": [{"StackName": name, "CreationTime": NOON, "StackStatus": state, "Outputs": pairs}]}

    def cleanup(self, *words):
        """Run cleanup; return the exit code, the items as (kind, name), and the document."""
        code, document = self.taxi_etl.json("cleanup", *words)
        return code, [(item["kind"], item["name"]) for item in document["items"]], document

    def deletions(self):
        return [(call, request) for call, request in self.aws.calls if call in DELETIONS]


@pytest.fixture
def account(taxi_etl, monkeypatch):
    monkeypatch.setattr(cleanup, "now", lambda: NOW)
    return Account(taxi_etl)


def test_an_account_with_nothing_to_clean_up_is_reported(account):
    assert account.cleanup()[:2] == (0, [])
    assert "there is nothing to clean up" in account.taxi_etl("cleanup").stdout


@pytest.fixture
def with_stuck_runs(account):
    """One execution and one job run that run too long, among younger and ended ones."""
    account.aws.answers |= {
        "stepfunctions.ListExecutions": {
            "executions": [running("stuck", ago(hours=25)), running("young", ago(hours=23))]
        },
        "glue.GetJobRuns": {
            "JobRuns": [
                {"Id": "jr_old", "JobRunState": "RUNNING", "StartedOn": ago(hours=30)},
                {"Id": "jr_done", "JobRunState": "SUCCEEDED", "StartedOn": ago(hours=30)},
                {"Id": "jr_young", "JobRunState": "RUNNING", "StartedOn": ago(hours=2)},
            ]
        },
    }
    return account


STUCK = [("execution", "stuck"), ("job run", "jr_old")]


def test_it_finds_executions_and_job_runs_that_run_too_long(with_stuck_runs):
    code, items, document = with_stuck_runs.cleanup()
    assert (code, items) == (0, STUCK)
    assert document["items"][0]["why"] == "running for 25.0 hours"
    assert document["done"] is False


def test_without_yes_nothing_is_stopped_and_the_command_with_yes_is_printed(with_stuck_runs):
    result = with_stuck_runs.taxi_etl("cleanup")
    assert with_stuck_runs.deletions() == []
    assert "cleanup --older-than-hours 24 --yes" in result.stderr


def test_with_yes_it_stops_exactly_the_listed_runs(with_stuck_runs):
    code, items, document = with_stuck_runs.cleanup("--yes")
    assert (code, items, document["done"]) == (0, STUCK, True)
    calls = dict(with_stuck_runs.deletions())
    assert len(with_stuck_runs.deletions()) == 2
    stopped = calls["stepfunctions.StopExecution"]
    assert stopped["executionArn"] == f"{ARN}:execution:m:stuck"
    assert stopped["error"] == "StoppedByCleanup"
    assert calls["glue.BatchStopJobRun"] == {"JobName": "job-process-taxi-data-dev", "JobRunIds": ["jr_old"]}


def test_the_age_can_be_chosen(with_stuck_runs):
    _, items, _ = with_stuck_runs.cleanup("--older-than-hours", "28")
    assert items == [("job run", "jr_old")]


def test_the_former_option_for_documents_is_accepted_without_effect(with_stuck_runs):
    result = with_stuck_runs.taxi_etl("cleanup", "--runs-older-than-days", "1", "--yes")
    assert result.exit_code == 0
    assert "--runs-older-than-days has no effect" in result.stderr
    assert "runs-older-than-days" not in with_stuck_runs.taxi_etl("cleanup", "--help").stdout


def test_a_failure_is_reported_and_the_other_items_are_still_tried(with_stuck_runs):
    with_stuck_runs.aws.answers["stepfunctions.StopExecution"] = error("AccessDenied", "not you")
    with_stuck_runs.aws.answers["glue.BatchStopJobRun"] = {
        "Errors": [{"JobRunId": "jr_old", "ErrorDetail": {"ErrorCode": "Nope"}}]
    }
    with_stuck_runs.aws.answers["glue.GetJobRun"] = {"JobRun": {"JobRunState": "RUNNING"}}
    code, _, document = with_stuck_runs.cleanup("--yes")
    assert code == 1
    problems = [item["problem"] for item in document["items"]]
    assert problems[0] == "AccessDenied: not you"
    assert "Nope" in problems[1]


def test_a_job_run_that_stopped_with_its_execution_is_not_a_failure(with_stuck_runs):
    with_stuck_runs.aws.answers["glue.BatchStopJobRun"] = {"Errors": [{"JobRunId": "jr_old"}]}
    with_stuck_runs.aws.answers["glue.GetJobRun"] = {"JobRun": {"JobRunState": "STOPPING"}}
    code, _, document = with_stuck_runs.cleanup("--yes")
    assert (code, document["items"][1]["problem"]) == (0, None)


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "REVIEW_IN_PROGRESS"])
def test_stacks_whose_creation_failed_are_deleted_the_dependent_one_first(state, account):
    account.states = {LAKE_STACK: state, PIPELINE_STACK: state}
    code, items, _ = account.cleanup("--yes")
    assert (code, items) == (0, [("stack", PIPELINE_STACK), ("stack", LAKE_STACK)])
    assert [request["StackName"] for _, request in account.deletions()] == [PIPELINE_STACK, LAKE_STACK]
    # CDK protects a stack before its first deployment fails.
    unprotected = account.aws.requests("cloudformation.UpdateTerminationProtection")
    assert unprotected == [
        {"StackName": name, "EnableTerminationProtection": False} for name in (PIPELINE_STACK, LAKE_STACK)
    ]


@pytest.mark.parametrize("state", ["UPDATE_ROLLBACK_FAILED", "UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"])
def test_a_stack_in_use_or_in_progress_is_not_deleted(state, account):
    account.states[PIPELINE_STACK] = state
    assert account.cleanup("--yes")[:2] == (0, [])
    assert account.deletions() == []


def test_a_stack_whose_deletion_failed_is_reported_and_not_deleted(account):
    account.states = {LAKE_STACK: "DELETE_FAILED", PIPELINE_STACK: ""}
    code, items, document = account.cleanup("--yes")
    assert (code, items, account.deletions()) == (0, [], [])
    [kept] = document["kept"]
    assert (kept["kind"], kept["name"]) == ("stack", LAKE_STACK)
    assert "delete-stack --stack-name TaxiDataLake-dev" in kept["why"]


LEFT = {
    "s3.ListObjectVersions": {},
    "dynamodb.Scan": {"Count": 0},
    "glue.GetDatabase": {},
    "glue.GetTables": {"TableList": []},
    "sqs.GetQueueUrl": lambda request: {"QueueUrl": f"{QUEUES}/{request['QueueName']}"},
    "sqs.GetQueueAttributes": {
        "Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}
    },
}
ORPHANS = [
    ("bucket", "123456789012-oubt-datalake-dev"),
    ("table", "etl-file-ledger-dev"),
    ("database", "taxi_raw_dev"),
    ("database", "taxi_dev"),
    ("queue", "etl-file-events-dev"),
    ("queue", "etl-file-events-dlq-dev"),
    ("queue", "etl-close-execution-dlq-dev"),
]


@pytest.fixture
def orphaned(account):
    """Empty parts of stacks that do not exist."""
    account.states = {LAKE_STACK: "", PIPELINE_STACK: ""}
    account.aws.answers |= LEFT
    return account


def test_empty_parts_of_missing_stacks_are_removed(orphaned):
    code, items, _ = orphaned.cleanup("--yes")
    assert (code, items) == (0, ORPHANS)
    assert [call for call, _ in orphaned.deletions()] == [
        *("s3.DeleteBucket", "dynamodb.DeleteTable", "glue.DeleteDatabase", "glue.DeleteDatabase"),
        *("sqs.DeleteQueue", "sqs.DeleteQueue", "sqs.DeleteQueue"),
    ]


def test_parts_of_existing_stacks_are_not_leftovers(orphaned):
    orphaned.states[LAKE_STACK] = "UPDATE_COMPLETE"
    assert orphaned.cleanup()[1] == [("queue", "etl-close-execution-dlq-dev")]


def test_parts_of_a_stack_to_delete_are_not_listed_before_it_is_deleted(orphaned):
    orphaned.states = {LAKE_STACK: "ROLLBACK_COMPLETE", PIPELINE_STACK: "ROLLBACK_COMPLETE"}
    assert [kind for kind, _ in orphaned.cleanup()[1]] == ["stack", "stack"]


@pytest.mark.parametrize(
    ("call", "answer", "name"),
    [
        ("s3.ListObjectVersions", {"Versions": [{"Key": "k"}]}, "123456789012-oubt-datalake-dev"),
        ("s3.ListObjectVersions", {"DeleteMarkers": [{"Key": "k"}]}, "123456789012-oubt-datalake-dev"),
        ("dynamodb.Scan", {"Count": 1}, "etl-file-ledger-dev"),
        ("glue.GetTables", {"TableList": [{"Name": "green_trips"}]}, "taxi_dev"),
        (
            "sqs.GetQueueAttributes",
            {
                "Attributes": {
                    "ApproximateNumberOfMessages": "0",
                    "ApproximateNumberOfMessagesNotVisible": "1",
                }
            },
            "etl-file-events-dev",
        ),
    ],
)
def test_parts_with_data_are_reported_and_never_removed(call, answer, name, orphaned):
    orphaned.aws.answers[call] = answer
    _, items, document = orphaned.cleanup("--yes")
    assert name in [each["name"] for each in document["kept"]]
    assert name not in [item for _, item in items]
    removed = str(orphaned.deletions())
    assert f"'{name}'" not in removed
    assert f"/{name}'" not in removed


def test_deletion_protection_of_an_empty_ledger_is_removed_first(orphaned):
    orphaned.aws.answers["dynamodb.DescribeTable"] = {
        "Table": {"DeletionProtectionEnabled": True, "TableStatus": "ACTIVE"}
    }
    orphaned.cleanup("--yes")
    calls = [call for call, _ in orphaned.deletions() if call.startswith("dynamodb")]
    assert calls == ["dynamodb.UpdateTable", "dynamodb.DeleteTable"]


def test_a_denied_permission_is_an_error_and_nothing_is_removed(orphaned):
    orphaned.aws.answers["dynamodb.Scan"] = error("AccessDeniedException", "not you")
    result = orphaned.taxi_etl("cleanup", "--yes")
    assert result.exit_code == 1
    assert "AccessDeniedException" in result.stderr
    assert orphaned.deletions() == []
