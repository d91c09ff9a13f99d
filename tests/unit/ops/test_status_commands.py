"""Tests of `list`, `history` and `status`."""

import json

import pytest
from conftest import ARN, LAKE, NOON, PIPELINE, at, execution_item, file_item
from fake_aws import FakeAws, error, stream

from ops.console_links import links
from ops.deployment import Deployment
from ops.session import Target
from taxi_etl.names import RAW_PREFIX

RUN = f"{ARN}:execution:etl-pipeline-workflow-dev:run"
KEY = f"{RAW_PREFIX}green_tripdata_2024-01.parquet"
VERSION = {"key": KEY, "size": 10, "etag": "e", "versionId": "v7", "sequencer": "1"}
INPUT = json.dumps({"bucket": "lake", "files": [VERSION], "trigger": "s3"})
JOB_RUN = {"Id": "jr_1", "JobRunState": "FAILED", "ErrorMessage": "Spark gave up"}
EVENTS = [
    {"type": "ExecutionStarted", "executionStartedEventDetails": {"input": INPUT}},
    {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "ValidateInput"}},
    {"type": "TaskScheduled"},
    {"type": "TaskFailed", "taskFailedEventDetails": {"error": "Lambda.TooManyRequests", "cause": "busy"}},
    {"type": "TaskScheduled"},
    {"type": "TaskSucceeded", "taskSucceededEventDetails": {"resourceType": "lambda", "resource": "invoke"}},
    {"type": "TaskStateExited", "stateExitedEventDetails": {"name": "ValidateInput"}},
    {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "RunGlueETLJob"}},
    {"type": "TaskScheduled"},
    {
        "type": "TaskFailed",
        "taskFailedEventDetails": {
            "resourceType": "glue",
            "resource": "startJobRun.sync",
            "error": "States.TaskFailed",
            "cause": json.dumps(JOB_RUN),
        },
    },
    {"type": "TaskStateExited", "stateExitedEventDetails": {"name": "RunGlueETLJob"}},
    {"type": "FailStateEntered", "stateEnteredEventDetails": {"name": "ExecutionFailed"}},
    {
        "type": "ExecutionFailed",
        "executionFailedEventDetails": {"error": "ExecutionFailed", "cause": "Spark gave up"},
    },
]


def history_of(events):
    numbered = [
        {**event, "id": number + 1, "timestamp": at(10 * number)} for number, event in enumerate(events)
    ]

    def page(request):
        """Return four events a page, so that code that reads only the first page fails."""
        start = int(request.get("nextToken", 0))
        more = {"nextToken": str(start + 4)} if start + 4 < len(numbered) else {}
        return {"events": [_complete(event) for event in numbered[start : start + 4]], **more}

    return page


def _complete(event):
    """Return the event with the fields that AWS always sends for a task."""
    task = {"resourceType": "lambda", "resource": "invoke"}
    return {name: {**task, **value} if name.startswith("task") else value for name, value in event.items()}


def described(status="FAILED", **more):
    ended = {} if status == "RUNNING" else {"stopDate": at(120)}
    return {
        "executionArn": RUN,
        "stateMachineArn": f"{ARN}:stateMachine:etl-pipeline-workflow-dev",
        "name": "run",
        "status": status,
        "startDate": NOON,
        "input": INPUT,
        **ended,
        **more,
    }


MANIFEST = {
    "schemaVersion": "1",
    "execution": "run",
    "bucket": "lake",
    "trigger": "s3",
    "accepted": [
        {
            **VERSION,
            "dataset": "green",
            "format": "parquet",
            "columns": [],
            "compression": "none",
            "encoding": "utf-8",
        }
    ],
    "rejected": [],
    "superseded": [],
}


def documents(**found):
    def answer(request):
        name = request["Key"].removeprefix("runs/etl-pipeline-workflow/run/")
        return {"Body": stream(json.dumps(found[name]).encode())} if name in found else error("NoSuchKey")

    return answer


@pytest.fixture
def failed(taxi_etl):
    taxi_etl.aws.answers |= {
        "stepfunctions.DescribeExecution": described(error="ExecutionFailed", cause="Spark gave up"),
        "stepfunctions.GetExecutionHistory": history_of(EVENTS),
        "s3.GetObject": documents(**{"manifest.json": MANIFEST}),
    }
    return taxi_etl


def test_history_shows_states_with_times_attempts_and_errors(failed):
    code, document = failed.json("history", "run")
    assert code == 0
    columns = ("state", "seconds", "attempts", "error")
    assert [tuple(step[name] for name in columns) for step in document["steps"]] == [
        ("ValidateInput", 50.0, 2, "Lambda.TooManyRequests"),
        ("RunGlueETLJob", 30.0, 1, "States.TaskFailed"),
        ("ExecutionFailed", 10.0, 0, "ExecutionFailed"),
    ]
    assert document["steps"][1]["cause"] == "Spark gave up", "the message, not JSON in a string"
    assert (document["status"], document["seconds"], document["jobRunId"]) == ("FAILED", 120.0, "jr_1")


def test_history_shows_the_outcome_and_reason_of_each_file(failed):
    _, document = failed.json("history", "run")
    [file] = document["files"]
    assert (file["key"], file["versionId"], file["status"], file["dataset"]) == (KEY, "v7", "failed", "green")
    assert file["reasons"] == ["run_failed: Spark gave up"]


RESULT = {
    "execution": "run",
    "bucket": "lake",
    "jobRunId": "jr_1",
    "schemaChanged": False,
    "files": [
        {
            **VERSION,
            "status": "loaded",
            "dataset": "green",
            "variant": "P-G3",
            "rows": {"read": 8, "written": 8, "quarantined": 0, "reasons": {}},
            "newColumns": [],
            "missingColumns": [],
            "columnsLeftOut": [{"name": "path", "type": "list<double>"}],
            "columnsFromKey": {"payment_type": "1", "trip_type": None},
            "dateOrders": {"pickup": "mdy"},
            "instants": {"dropoff": "utc_is_wall_clock"},
            "error": None,
            "warnings": [{"code": "same_trips", "message": "remove with `taxi-etl remove s3://lake/b`"}],
        }
    ],
}
NOTES = [
    "same_trips: remove with `taxi-etl remove s3://lake/b`",
    "columns_left_out: left out, because no exact text form exists: path (list<double>)",
    "columns_from_key: the folders of the key have payment_type=1, trip_type=null",
    "date_orders: pickup mdy",
    "instants: dropoff utc_is_wall_clock",
]


def test_history_shows_warnings_and_how_each_loaded_file_was_read(failed):
    failed.aws.answers["s3.GetObject"] = documents(**{"manifest.json": MANIFEST, "result.json": RESULT})
    _, document = failed.json("history", "run")
    assert document["files"][0]["notes"] == NOTES
    printed = failed("history", "run").stdout
    assert [f"note: {KEY}: {note}" in printed.splitlines() for note in NOTES] == [True] * 5


def test_history_links_to_the_logs_of_the_function_and_of_the_job_run(failed):
    _, document = failed.json("history", "run")
    console = "https://eu-west-1.console.aws.amazon.com"
    logs = f"{console}/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group"
    assert document["links"] == {
        "execution": f"{console}/states/home?region=eu-west-1#/v2/executions/details/{RUN}",
        "validation log": f"{logs}/$252Faws$252Flambda$252Fetl-orchestrator-validate-input-dev",
        "closing log": f"{logs}/$252Faws$252Flambda$252Fetl-close-execution-dev",
        "job run": f"{console}/gluestudio/home?region=eu-west-1#/job/job-process-taxi-data-dev/run/jr_1",
        "job output": f"{logs}/$252Faws-glue$252Fjobs$252Fjob-process-taxi-data-dev$252Foutput"
        "/log-events$3FlogStreamNameFilter$3Djr_1",
        "job errors": f"{logs}/$252Faws-glue$252Fjobs$252Fjob-process-taxi-data-dev$252Ferror"
        "/log-events$3FlogStreamNameFilter$3Djr_1",
    }


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
    ],
)
def test_links_use_the_console_of_the_regions_partition(region, console):
    session = FakeAws({}, Target("dev", region=region))
    found = links(session, Deployment.from_outputs({**LAKE, **PIPELINE}), RUN, "jr_1")
    assert len(found) == 6
    assert {address.startswith(console) for address in found.values()} == {True}


def test_history_prints_the_failure_and_the_replay_command(failed):
    result = failed("history", "run")
    assert "ExecutionFailed: Spark gave up" in result.stdout
    assert "taxi-etl --environment dev replay --execution run" in result.stdout


def test_history_of_a_running_execution_reads_its_files_from_the_ledger(failed):
    failed.aws.answers |= {
        "stepfunctions.DescribeExecution": described("RUNNING"),
        "stepfunctions.GetExecutionHistory": history_of(EVENTS[:3]),
        "dynamodb.Query": {
            "Items": [
                file_item(KEY, "v7", "running"),
                execution_item("run", "running"),
            ]
        },
    }
    _, document = failed.json("history", RUN)
    assert [(file["key"], file["status"]) for file in document["files"]] == [(KEY, "running")]
    assert (document["stopped"], document["seconds"], document["steps"][-1]["left"]) == (None, None, None)
    assert not failed.aws.requests("s3.GetObject")


def test_history_of_an_unknown_execution_is_an_error_with_the_list_command(taxi_etl):
    taxi_etl.aws.answers["stepfunctions.DescribeExecution"] = error("ExecutionDoesNotExist")
    code, document = taxi_etl.json("history", "nope")
    assert (code, document["nextStep"]) == (1, "list the recent ones: taxi-etl --environment dev list")


def test_list_shows_executions_with_files_and_duration(taxi_etl):
    entry = {
        "executionArn": RUN,
        "stateMachineArn": f"{ARN}:stateMachine:m",
        "name": "run",
        "status": "SUCCEEDED",
        "startDate": NOON,
        "stopDate": at(245),
    }
    running = {**entry, "name": "other", "status": "RUNNING", "startDate": at(1)}
    del running["stopDate"]
    taxi_etl.aws.answers |= {
        "stepfunctions.ListExecutions": {"executions": [entry, running]},
        "dynamodb.GetItem": lambda request: (
            {"Item": execution_item("run", "closed", files=3)}
            if request["Key"]["pk"] == "execution#run"
            else {}
        ),
    }
    code, document = taxi_etl.json("list", "--status", "succeeded")
    assert code == 0
    columns = ("name", "seconds", "files", "trigger")
    assert [tuple(each[name] for name in columns) for each in document["executions"]] == [
        ("other", None, None, ""),
        ("run", 245.0, 3, "s3"),
    ]
    assert taxi_etl.aws.requests("stepfunctions.ListExecutions")[0]["statusFilter"] == "SUCCEEDED"
    assert "4 min 05 s" in taxi_etl("list").stdout


def test_status_counts_running_files_and_running_executions_separately(taxi_etl):
    def query(request):
        kind = "executions" if request["FilterExpression"] == "#sk = :kind" else "files"
        counts = {("files", "running"): 7, ("executions", "running"): 2, ("files", "held"): 1}
        return {"Count": counts.get((kind, request["ExpressionAttributeValues"][":status"]), 0)}

    taxi_etl.aws.answers |= {
        "dynamodb.Query": query,
        "sqs.GetQueueAttributes": {
            "Attributes": {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "2"}
        },
        "cloudwatch.DescribeAlarms": {"MetricAlarms": [{"AlarmName": "failed", "StateValue": "ALARM"}]},
    }
    code, document = taxi_etl.json("status")
    assert code == 0
    assert document["files"] == {"received": 0, "running": 7, "held": 1, "failed": 0, "rejected": 0}
    assert document["executions"] == {"claimed": 0, "running": 2}
    assert document["queues"] == {"events": 5, "events, dead letters": 5, "closer, dead letters": 5}
    assert document["alarms"] == {"failed": "ALARM"}
