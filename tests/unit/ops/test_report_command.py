"""Tests of `report`: what it reads from AWS, prints and writes."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from conftest import LAKE, MACHINE, PIPELINE, at, execution_item, file_item, stack
from fake_aws import error, stream
from test_status_commands import EVENTS, KEY, MANIFEST, RESULT, RUN, VERSION, described, history_of

from ops import tables
from ops.commands.report import write_report
from ops.deployment import Deployment
from ops.errors import CliError
from taxi_etl.identity import source_id
from tests.fixtures.report_documents import definition

MACHINE_OF_RUN = {
    "stateMachineArn": MACHINE,
    "name": "m",
    "definition": json.dumps(definition()),
    "roleArn": "arn:aws:iam::123456789012:role/workflow",
    "updateDate": at(0),
}
BAD = {
    **RESULT["files"][0],
    "rows": {"read": 8, "written": 6, "quarantined": 2, "reasons": {"unparseable": 2}},
}


class Quarantine:
    """A quarantine table with one row; keeps what scans asked for."""

    def __init__(self):
        self.scans = []

    def load_table(self, name):
        self.name = name
        return self

    def scan(self, rows, **options):
        self.scans.append((str(rows), options))
        return self

    def to_arrow(self):
        values = pa.array([[("fare", "x"), ("tip", None)]], pa.map_(pa.string(), pa.string()))
        columns = [pa.array([f"s3://lake/{KEY}"]), pa.array([4]), pa.array([["unparseable"]]), values]
        return pa.table(columns, ["source_file", "position", "reasons", "row_as_read"])


def documents(request):
    found = {"manifest.json": MANIFEST, "result.json": {**RESULT, "files": [BAD]}}
    return {"Body": stream(json.dumps(found[request["Key"].rsplit("/", 1)[1]]).encode())}


@pytest.fixture
def quarantine(monkeypatch):
    table = Quarantine()
    monkeypatch.setattr(tables, "glue_catalog", lambda session: table)
    return table


@pytest.fixture
def failed(taxi_etl, quarantine):
    """An execution that failed after its job had loaded the file."""
    taxi_etl.aws.answers |= {
        "stepfunctions.DescribeExecution": described(error="ExecutionFailed", cause="Spark gave up"),
        "stepfunctions.GetExecutionHistory": history_of(EVENTS),
        "stepfunctions.DescribeStateMachineForExecution": MACHINE_OF_RUN,
        "s3.GetObject": documents,
        "s3.HeadObject": {"LastModified": at(-90)},
    }
    return taxi_etl


def test_the_report_on_an_execution_is_written_and_its_path_printed(failed, tmp_path):
    path = tmp_path / "report.html"
    result = failed("report", "run", "--html", str(path))
    assert (result.exit_code, result.stdout) == (0, f"wrote {path}\n")
    html = path.read_text()
    assert html.startswith("<!doctype html>")
    assert "Why it failed" in html
    assert "<strong>ExecutionFailed</strong>: Spark gave up" in html


def test_the_data_of_an_execution_are_printed_without_a_page(failed):
    code, document = failed.json("report", "run")
    assert (code, document["html"], document["headline"]) == (0, None, "1 file loaded")
    assert [phase["name"] for phase in document["timeline"]] == ["Event queue", "Validation", "Job run"]
    assert document["timeline"][0]["seconds"] == 90
    assert document["states"][1]["cause"] == "Spark gave up"
    assert failed.aws.requests("s3.HeadObject") == [{"Bucket": "lake", "Key": KEY, "VersionId": "v7"}]


def test_example_rows_are_those_of_the_job_run_in_the_partitions_of_its_files(failed, quarantine):
    _, document = failed.json("report", "run")
    assert document["quarantine"] == [
        {
            "reason": "unparseable",
            "rows": 2,
            "examples": [{"key": KEY, "position": 4, "reasons": ["unparseable"], "values": {"fare": "x"}}],
        }
    ]
    [(rows, options)] = quarantine.scans
    assert (quarantine.name, options["limit"]) == (("taxi_dev", "quarantined_trips"), 1000)
    assert source_id("lake", KEY) in rows
    assert "jr_1" in rows


@pytest.mark.parametrize("trigger", ["replay", "backfill"])
def test_only_an_upload_waited_in_the_event_queue(trigger, failed):
    started = json.dumps({"bucket": "lake", "files": [VERSION], "trigger": trigger})
    failed.aws.answers["stepfunctions.DescribeExecution"] = described(input=started)
    _, document = failed.json("report", "run")
    assert document["trigger"] == trigger
    assert document["timeline"][0]["name"] == "Validation"


def test_a_deleted_file_leaves_the_event_queue_out(failed):
    failed.aws.answers["s3.HeadObject"] = error("404")
    _, document = failed.json("report", "run")
    assert document["timeline"][0]["name"] == "Validation"


def test_a_manual_input_that_is_not_an_object_has_no_trigger(failed):
    failed.aws.answers["stepfunctions.DescribeExecution"] = described(input='["a"]')
    _, document = failed.json("report", "run")
    assert document["trigger"] == ""


@pytest.fixture
def pipeline(taxi_etl):
    """A pipeline with one loaded and one rejected file, two executions and a job run."""
    entry = {"executionArn": RUN, "stateMachineArn": MACHINE, "name": "run", "status": "SUCCEEDED"}
    recent = datetime.now(UTC)
    listed = [
        {**entry, "startDate": recent, "stopDate": recent},
        {**entry, "status": "FAILED", "startDate": recent, "stopDate": recent},
    ]
    rows = {"read": 10, "written": 9, "quarantined": 1}
    updated = recent.isoformat().replace("+00:00", "Z")
    loaded = file_item(KEY, "v7", "loaded", dataset="green", rows=rows, updatedAt=updated)
    why = [{"code": "truncated", "message": "cut"}]
    rejected = file_item("raw/taxi/b.csv", "v1", "rejected", updatedAt=updated, reasons=why)
    items = {"loaded": [loaded], "rejected": [rejected]}

    def query(request):
        found = items.get(request["ExpressionAttributeValues"][":status"], [])
        return {"Count": len(found), "Items": found}

    run = {
        "Id": "jr_1",
        "StartedOn": recent,
        "DPUSeconds": 3600.0,
        "Arguments": {"--manifest": "s3://lake/runs/etl-pipeline-workflow/run/manifest.json"},
    }
    old = {**run, "StartedOn": datetime(2020, 1, 1, tzinfo=UTC)}
    taxi_etl.aws.answers |= {
        "stepfunctions.ListExecutions": {"executions": listed},
        "dynamodb.GetItem": lambda request: {"Item": execution_item("run", "closed", files=3)},
        "dynamodb.Query": query,
        "sqs.GetQueueAttributes": {"Attributes": {}},
        "cloudwatch.DescribeAlarms": {"MetricAlarms": [{"AlarmName": "slow", "StateValue": "ALARM"}]},
        "glue.GetJobRuns": {"JobRuns": [run, old]},
    }
    return taxi_etl


def test_the_overview_is_read_from_the_ledger_executions_and_job_runs(pipeline, tmp_path):
    month = f"{datetime.now(UTC):%Y-%m}"
    code, document = pipeline.json("report", "--html", str(tmp_path / "overview.html"))
    assert code == 0
    assert {each["status"]: each["executions"] for each in document["executions"]} == {
        "FAILED": 1,
        "SUCCEEDED": 1,
    }
    assert document["rows"] == [{"month": month, "dataset": "green", "amount": 9}]
    assert document["costs"] == [{"month": month, "dataset": "green", "amount": 0.308}]
    assert document["months"] == [{"dataset": "green", "loaded": ["2024-01"], "missing": []}]
    assert [problem["reasons"] for problem in document["problems"]] == [["truncated: cut"]]
    assert (document["alarms"], document["waiting"]) == (["slow"], 0)
    assert "green" in (tmp_path / "overview.html").read_text()


def test_the_cost_of_small_batches_is_the_metrics_sum_of_each_month(pipeline):
    name = "etl-run-small-batch-dev"
    day = datetime.now(UTC).replace(day=1)
    points = [{"Timestamp": day, "Sum": 0.25}, {"Timestamp": day, "Sum": 0.5}]
    pipeline.aws.answers |= {
        "cloudformation.DescribeStacks": lambda request: stack(request, SmallBatchFunctionName=name),
        "cloudwatch.GetMetricStatistics": {"Datapoints": points},
    }
    _, document = pipeline.json("report")
    amounts = {each["dataset"]: each["amount"] for each in document["costs"]}
    assert amounts == {"green": 0.308, "small batches": 0.75}
    [request] = pipeline.aws.requests("cloudwatch.GetMetricStatistics")
    assert (request["MetricName"], request["Dimensions"]) == (
        "SmallBatchCostUsd",
        [{"Name": "service", "Value": name}],
    )


def test_a_page_needs_a_file(taxi_etl):
    result = taxi_etl("report", "run")
    assert result.exit_code == 2
    assert "give the path of the page, or --json" in result.stderr


def test_a_wrong_period_is_wrong_usage(taxi_etl):
    assert taxi_etl("report", "--since", "soon", "--html", "x.html").exit_code == 2


def test_an_unknown_execution_is_an_error_with_the_list_command(taxi_etl):
    taxi_etl.aws.answers["stepfunctions.DescribeExecution"] = error("ExecutionDoesNotExist")
    code, document = taxi_etl.json("report", "nope")
    assert (code, document["nextStep"]) == (1, "list the recent ones: taxi-etl --environment dev list")


def test_a_file_that_cannot_be_written_is_an_error(failed, tmp_path):
    deployed = Deployment.from_outputs({**LAKE, **PIPELINE})
    with pytest.raises(CliError, match="cannot be written: No such file or directory"):
        write_report(failed.aws, deployed, tmp_path / "missing" / "x.html", "run")
