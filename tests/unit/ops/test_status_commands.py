"""Tests of `list`, `history` and `status`."""

import json

import pytest
from conftest import ARN, LAKE, NOON, PIPELINE, at, execution_item, file_item
from fake_aws import FakeAws, error, stream

from ops.commands import options
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
    ("partition", "region", "console"),
    [
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
        ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
    ],
)
def test_links_use_the_console_of_the_regions_partition(partition, region, console):
    session = FakeAws({}, Target("dev", region=region))
    execution = f"arn:{partition}:states:{region}:1:execution:m:run"
    found = links(session, Deployment.from_outputs({**LAKE, **PIPELINE}), execution, "jr_1")
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


def test_list_with_an_unknown_status_is_wrong_usage(taxi_etl):
    assert taxi_etl("list", "--status", "broken").exit_code == 2


@pytest.fixture
def listed(taxi_etl, monkeypatch):
    """Executions in the order of AWS, two a page; `early` started before `late`, and ended after it."""
    ended = {"early": (at(-60), at(60)), "late": (at(30), at(50)), "old": (at(-86400), at(-86000))}
    entries = [
        {"name": "other", "status": "RUNNING", "startDate": at(-86400)},
        *(
            {"name": name, "status": "SUCCEEDED", "startDate": started, "stopDate": stopped}
            for name, (started, stopped) in ended.items()
        ),
        {"name": "never-read", "status": "SUCCEEDED", "startDate": at(100), "stopDate": at(101)},
    ]
    for entry in entries:
        entry.update(executionArn=f"{RUN}-{entry['name']}", stateMachineArn=f"{ARN}:stateMachine:m")
    inputs = {"other": "a.csv", "early": "b.csv", "late": "b.csv.gz", "old": "c.csv"}

    def record(request):
        name = request["Key"]["pk"].removeprefix("execution#")
        files = [{"key": f"{RAW_PREFIX}{inputs[name]}", "versionId": "v"}]
        document = json.dumps({"bucket": "lake", "files": files, "trigger": "s3"})
        return {"Item": execution_item(name, "closed", input=document)}

    def page(request):
        start = int(request.get("nextToken", 0))
        more = {"nextToken": str(start + 2)} if start + 2 < len(entries) else {}
        return {"executions": entries[start : start + 2], **more}

    taxi_etl.aws.answers |= {"stepfunctions.ListExecutions": page, "dynamodb.GetItem": record}
    monkeypatch.setattr(options, "now", lambda: at(120))
    return lambda *words: [each["name"] for each in taxi_etl.json("list", *words)[1]["executions"]]


def test_list_since_an_age_or_a_date_leaves_out_earlier_starts(listed):
    assert listed("--since", "2m") == ["late"]
    assert listed("--since", "2024-06-01T11:59:00+00:00") == ["late", "early"]


def test_list_of_a_file_or_prefix_shows_the_executions_with_it_in_their_input(listed):
    assert listed("--file", f"s3://lake/{RAW_PREFIX}b.csv", "--count", "2") == ["late", "early"]
    assert listed("--file", "b.csv.gz", "--count", "1") == ["late"]
    assert listed("--file", f"{RAW_PREFIX}a", "--count", "1") == ["other"]
    assert listed("--file", f"s3://another/{RAW_PREFIX}b.csv", "--since", "2m") == []


def test_list_reads_the_input_of_an_execution_without_a_record_from_step_functions(taxi_etl):
    taxi_etl.aws.answers |= {
        "stepfunctions.ListExecutions": {"executions": [described("SUCCEEDED")]},
        "stepfunctions.DescribeExecution": described("SUCCEEDED"),
        "dynamodb.GetItem": {},
    }
    del taxi_etl.aws.answers["stepfunctions.ListExecutions"]["executions"][0]["input"]
    code, document = taxi_etl.json("list", "--file", KEY)
    assert (code, [each["name"] for each in document["executions"]]) == (0, ["run"])
    assert taxi_etl.json("list", "--file", f"{KEY}.gz") == (0, {"executions": []})
    assert "no execution matches" in taxi_etl("list", "--file", f"{KEY}.gz").stderr


def test_list_since_something_else_is_wrong_usage(taxi_etl):
    result = taxi_etl("list", "--since", "yesterday")
    assert result.exit_code == 2
    assert "'yesterday' is neither an age such as 12h or 7d nor a date such as 2024-06-01" in result.stderr


def entered(number, state):
    return {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": state}, "timestamp": at(number)}


def small_batch_history(*after):
    """Return the history of an execution that enters RunSmallBatch, followed by these events."""
    return history_of([entered(1, "RunSmallBatch"), *after])


def invoked(payload):
    """Return the event of a function's answer."""
    output = json.dumps({"StatusCode": 200, "Payload": payload})
    return {"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": output}, "timestamp": at(2)}


THROTTLED = {
    "type": "TaskFailed",
    "taskFailedEventDetails": {"error": "Lambda.TooManyRequestsException", "cause": "Rate Exceeded."},
    "timestamp": at(2),
}


@pytest.mark.parametrize(
    ("after", "engine", "declined"),
    [
        ([invoked({"costUsd": 0.1})], "duckdb", None),
        ([THROTTLED, invoked({"costUsd": 0.1})], "duckdb", None),
        (
            [invoked({"declined": "odd quotes", "costUsd": 0.1}), entered(3, "RunGlueETLJob")],
            "glue",
            "odd quotes",
        ),
        (
            [THROTTLED, entered(3, "RunGlueETLJob")],
            "glue",
            "Lambda.TooManyRequestsException: Rate Exceeded.",
        ),
    ],
)
def test_history_names_the_engine_and_why_the_function_did_not_load_the_files(
    failed, after, engine, declined
):
    failed.aws.answers["stepfunctions.GetExecutionHistory"] = small_batch_history(*after)
    _, document = failed.json("history", "run")
    assert (document["engine"], document["declined"]) == (engine, declined)


def test_history_of_an_execution_without_a_load_names_no_engine(failed):
    failed.aws.answers["stepfunctions.GetExecutionHistory"] = history_of([entered(1, "ValidateInput")])
    _, document = failed.json("history", "run")
    assert (document["engine"], document["declined"]) == (None, None)


def test_history_shows_why_a_small_batch_was_declined(failed):
    declined = [invoked({"declined": "odd quotes", "costUsd": 0.1}), entered(3, "RunGlueETLJob")]
    failed.aws.answers["stepfunctions.GetExecutionHistory"] = small_batch_history(*declined)
    result = failed("history", "run")
    assert "small batch declined" in result.stdout
    assert "odd quotes" in result.stdout
