"""Does cleanup find what may go and nothing else, and does it act only when told to?"""

from datetime import UTC, datetime, timedelta

import pytest
from conftest import ARN, LAKE, NOON, PIPELINE, QUEUES, execution_item
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


def run_document(execution, name, written):
    return {"Key": f"runs/etl-pipeline-workflow/{execution}/{name}", "LastModified": written}


class Account:
    """What an account answers to cleanup: nothing to clean until a test says otherwise."""

    def __init__(self, taxi_etl):
        self.taxi_etl, self.aws = taxi_etl, taxi_etl.aws
        self.states = {LAKE_STACK: "UPDATE_COMPLETE", PIPELINE_STACK: "UPDATE_COMPLETE"}
        self.aws.answers |= {
            "cloudformation.DescribeStacks": self.stack,
            "stepfunctions.ListExecutions": {"executions": []},
            "glue.GetJobRuns": {"JobRuns": []},
            "s3.ListObjectsV2": {},
            "dynamodb.Query": {"Items": []},
            **GONE,
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
        """The exit code, the items as (kind, name), and the document."""
        code, document = self.taxi_etl.json("cleanup", *words)
        return code, [(item["kind"], item["name"]) for item in document["items"]], document

    def deletions(self):
        return [(call, request) for call, request in self.aws.calls if call in DELETIONS]


@pytest.fixture
def account(taxi_etl, monkeypatch):
    monkeypatch.setattr(cleanup, "now", lambda: NOW)
    return Account(taxi_etl)


def test_where_nothing_is_to_do_it_says_so(account):
    assert account.cleanup()[:2] == (0, [])
    assert "there is nothing to clean up" in account.taxi_etl("cleanup").stdout


@pytest.fixture
def untidy(account):
    """One execution and one job run too many, and documents of one old execution."""
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
        "s3.ListObjectsV2": {
            "Contents": [
                run_document("old", "manifest.json", ago(days=91)),
                run_document("old", "result.json", ago(days=91)),
                run_document("replayed", "manifest.json", ago(days=91)),
                run_document("replayed", "result.json", ago(days=2)),
                run_document("open", "manifest.json", ago(days=91)),
                run_document("young", "manifest.json", ago(days=91)),
            ]
        },
        "dynamodb.Query": lambda request: {
            "Items": [execution_item("open", "running")]
            if request["ExpressionAttributeValues"][":status"] in ("running", {"S": "running"})
            else []
        },
    }
    return account


FOUND = [("execution", "stuck"), ("job run", "jr_old"), ("run documents", "old")]


def test_it_finds_what_is_too_old_and_leaves_what_is_young_done_or_open(untidy):
    code, items, document = untidy.cleanup()
    assert (code, items) == (0, FOUND)
    assert document["items"][0]["why"] == "runs for 25.0 hours"
    assert document["done"] is False


def test_without_yes_nothing_is_done_and_the_command_that_acts_is_named(untidy):
    result = untidy.taxi_etl("cleanup")
    assert untidy.deletions() == []
    assert "cleanup --older-than-hours 24 --runs-older-than-days 90 --yes" in result.stderr


def test_with_yes_it_stops_and_removes_exactly_that(untidy):
    code, items, document = untidy.cleanup("--yes")
    assert (code, items, document["done"]) == (0, FOUND, True)
    calls = dict(untidy.deletions())
    assert len(untidy.deletions()) == 3
    stopped = calls["stepfunctions.StopExecution"]
    assert stopped["executionArn"] == f"{ARN}:execution:m:stuck"
    assert stopped["error"] == "StoppedByCleanup"
    assert calls["glue.BatchStopJobRun"] == {"JobName": "job-process-taxi-data-dev", "JobRunIds": ["jr_old"]}
    deleted = calls["s3.DeleteObjects"]
    assert [entry["Key"].rpartition("/")[2] for entry in deleted["Delete"]["Objects"]] == [
        "manifest.json",
        "result.json",
    ]
    assert all("/old/" in entry["Key"] for entry in deleted["Delete"]["Objects"])


def test_the_ages_can_be_chosen(untidy):
    _, items, _ = untidy.cleanup("--older-than-hours", "28", "--runs-older-than-days", "92")
    assert items == [("job run", "jr_old")]


def test_what_could_not_be_removed_is_told_and_the_rest_still_goes(untidy):
    untidy.aws.answers["stepfunctions.StopExecution"] = error("AccessDenied", "not you")
    untidy.aws.answers["glue.BatchStopJobRun"] = {
        "Errors": [{"JobRunId": "jr_old", "ErrorDetail": {"ErrorCode": "Nope"}}]
    }
    untidy.aws.answers["glue.GetJobRun"] = {"JobRun": {"JobRunState": "RUNNING"}}
    code, _, document = untidy.cleanup("--yes")
    assert code == 1
    problems = [item["problem"] for item in document["items"]]
    assert problems[0] == "AccessDenied: not you"
    assert "Nope" in problems[1]
    assert problems[2] is None


def test_a_job_run_that_its_execution_took_along_is_no_problem(untidy):
    untidy.aws.answers["glue.BatchStopJobRun"] = {"Errors": [{"JobRunId": "jr_old"}]}
    untidy.aws.answers["glue.GetJobRun"] = {"JobRun": {"JobRunState": "STOPPING"}}
    code, _, document = untidy.cleanup("--yes")
    assert (code, document["items"][1]["problem"]) == (0, None)


def test_a_document_that_s3_did_not_delete_is_a_problem(untidy):
    untidy.aws.answers["s3.DeleteObjects"] = {
        "Errors": [{"Key": "k", "Code": "SlowDown", "Message": "later"}]
    }
    code, _, document = untidy.cleanup("--yes")
    assert (code, document["items"][2]["problem"]) == (1, "k: SlowDown: later")


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_never_stood_up_is_deleted_the_dependent_one_first(state, account):
    account.states = {LAKE_STACK: state, PIPELINE_STACK: state}
    code, items, _ = account.cleanup("--yes")
    assert (code, items) == (0, [("stack", PIPELINE_STACK), ("stack", LAKE_STACK)])
    assert [request["StackName"] for _, request in account.deletions()] == [PIPELINE_STACK, LAKE_STACK]


@pytest.mark.parametrize("state", ["UPDATE_ROLLBACK_FAILED", "UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"])
def test_a_stack_in_use_or_in_work_is_left_alone(state, account):
    account.states[PIPELINE_STACK] = state
    assert account.cleanup("--yes")[:2] == (0, [])
    assert account.deletions() == []


def test_a_stack_whose_deletion_failed_may_hold_data_and_is_only_told(account):
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
def left(account):
    """Empty parts of stacks that are gone."""
    account.states = {LAKE_STACK: "", PIPELINE_STACK: ""}
    account.aws.answers |= LEFT
    return account


def test_empty_parts_of_stacks_that_are_gone_are_removed(left):
    code, items, _ = left.cleanup("--yes")
    assert (code, items) == (0, ORPHANS)
    assert [call for call, _ in left.deletions()] == [
        *("s3.DeleteBucket", "dynamodb.DeleteTable", "glue.DeleteDatabase", "glue.DeleteDatabase"),
        *("sqs.DeleteQueue", "sqs.DeleteQueue", "sqs.DeleteQueue"),
    ]


def test_parts_whose_stack_stands_are_no_leftovers(left):
    left.states[LAKE_STACK] = "UPDATE_COMPLETE"
    assert left.cleanup()[1] == [("queue", "etl-close-execution-dlq-dev")]


def test_parts_of_a_stack_that_is_to_be_deleted_wait_until_it_is(left):
    left.states = {LAKE_STACK: "ROLLBACK_COMPLETE", PIPELINE_STACK: "ROLLBACK_COMPLETE"}
    assert [kind for kind, _ in left.cleanup()[1]] == ["stack", "stack"]


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
def test_what_holds_data_is_never_removed_and_told(call, answer, name, left):
    left.aws.answers[call] = answer
    _, items, document = left.cleanup("--yes")
    assert name in [each["name"] for each in document["kept"]]
    assert name not in [item for _, item in items]
    removed = str(left.deletions())
    assert f"'{name}'" not in removed
    assert f"/{name}'" not in removed


def test_a_ledger_that_is_protected_is_unprotected_first(left):
    left.aws.answers["dynamodb.DescribeTable"] = {
        "Table": {"DeletionProtectionEnabled": True, "TableStatus": "ACTIVE"}
    }
    left.cleanup("--yes")
    calls = [call for call, _ in left.deletions() if call.startswith("dynamodb")]
    assert calls == ["dynamodb.UpdateTable", "dynamodb.DeleteTable"]


def test_a_leftover_that_one_may_not_look_at_is_no_reason_to_call_it_gone(left):
    left.aws.answers["dynamodb.Scan"] = error("AccessDeniedException", "not you")
    result = left.taxi_etl("cleanup", "--yes")
    assert result.exit_code == 1
    assert "AccessDeniedException" in result.stderr
    assert left.deletions() == []
