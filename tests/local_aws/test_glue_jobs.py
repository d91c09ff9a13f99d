"""Tests of job runs: their script, arguments, limits and queue."""

import json

import pytest

from tests.fixtures.local_account import eventually

REPORT = """
import json, os, sys
from importlib.util import find_spec
import boto3
from helper import NAME
print("to standard output")
boto3.client("s3").put_object(Bucket="lake", Key="report.json", Body=json.dumps(
    {"arguments": sys.argv[1:], "helper": NAME,
     "here": [name for name in ("pyspark", "boto3", "taxi_etl", "local_aws") if find_spec(name)]}))
"""
SLEEP = "import time\ntime.sleep(60)\n"
FAIL = """
def deep():
    raise ValueError("column x is missing")
deep()
"""


@pytest.fixture
def lake(factory):
    s3 = factory.aws.client("s3")
    s3.create_bucket(Bucket="lake")
    return s3


@pytest.fixture
def job(factory, lake):
    """A function that creates a job with a script. Scripts without Spark run quickly."""

    def make(script, arguments=None, **options):
        lake.put_object(Bucket="lake", Key="scripts/job.py", Body=script)
        factory.aws.client("glue").create_job(
            Name="job",
            Role="arn:aws:iam::000000000000:role/anything",
            Command={"Name": "glueetl", "ScriptLocation": "s3://lake/scripts/job.py"},
            DefaultArguments=arguments or {},
            **options,
        )
        return factory.aws.client("glue")

    return make


def start(glue, **options):
    return glue.start_job_run(JobName="job", **options)["JobRunId"]


def describe(glue, run_id):
    return glue.get_job_run(JobName="job", RunId=run_id)["JobRun"]


def ended(glue, run_id):
    unfinished = {"STARTING", "RUNNING", "STOPPING", "WAITING"}
    return eventually(lambda: describe(glue, run_id), lambda run: run["JobRunState"] not in unfinished)


def running(glue, run_id):
    return eventually(lambda: describe(glue, run_id), lambda run: run["JobRunState"] == "RUNNING")


def states(glue, run_ids):
    return [describe(glue, run_id)["JobRunState"] for run_id in run_ids]


def test_the_script_gets_its_arguments_and_python_files(factory, lake, job):
    lake.put_object(Bucket="lake", Key="scripts/helper.py", Body="NAME = 'helper'")
    lake.put_object(Bucket="lake", Key="scripts/more.zip", Body=b"PK\x05\x06" + b"\0" * 18)
    glue = job(
        REPORT,
        {
            "--database": "taxi",
            "--level": "low",
            "--extra-py-files": "s3://lake/scripts/helper.py,s3://lake/scripts/more.zip",
            "--conf": "spark.a=1 --conf spark.b=2",
            "--custom-logGroup-prefix": "/jobs/mine",
        },
    )
    run = ended(glue, start(glue, Arguments={"--level": "high", "--manifest": "s3://lake/m.json"}))
    assert run["JobRunState"] == "SUCCEEDED"
    assert run["Arguments"] == {"--level": "high", "--manifest": "s3://lake/m.json"}
    report = json.load(lake.get_object(Bucket="lake", Key="report.json")["Body"])
    pairs = dict(zip(report["arguments"][::2], report["arguments"][1::2], strict=True))
    assert pairs.pop("--JOB_ID").startswith("j_")
    assert pairs == {
        "--database": "taxi",
        "--custom-logGroup-prefix": "/jobs/mine",
        "--level": "high",
        "--manifest": "s3://lake/m.json",
        "--JOB_NAME": "job",
        "--JOB_RUN_ID": run["Id"],
    }
    assert report["helper"] == "helper"
    assert report["here"] == ["pyspark", "boto3"]
    logs = factory.aws.client("logs").get_log_events(
        logGroupName="/jobs/mine/output", logStreamName=run["Id"]
    )
    assert [event["message"] for event in logs["events"]] == ["to standard output"]


def test_a_failed_run_reports_its_last_error(job):
    glue = job(FAIL)
    run = ended(glue, start(glue))
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: column x is missing")
    assert "DPUSeconds" not in run


def test_a_script_that_exits_with_a_message_fails_with_it(job):
    glue = job("import sys\nsys.exit('nothing to do here')")
    assert ended(glue, start(glue))["ErrorMessage"] == "nothing to do here"


def test_a_missing_script_fails_the_run(lake, job):
    glue = job(REPORT)
    lake.delete_object(Bucket="lake", Key="scripts/job.py")
    run = ended(glue, start(glue))
    assert run["JobRunState"] == "FAILED"
    assert "s3://lake/scripts/job.py" in run["ErrorMessage"]


def test_a_run_beyond_the_limit_is_refused(job):
    glue = job(SLEEP, ExecutionProperty={"MaxConcurrentRuns": 1})
    first = start(glue)
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        start(glue)
    glue.batch_stop_job_run(JobName="job", JobRunIds=[first])


def test_queued_runs_start_in_order(job):
    glue = job(SLEEP, ExecutionProperty={"MaxConcurrentRuns": 1}, JobRunQueuingEnabled=True)
    first, second, third = start(glue), start(glue), start(glue)
    running(glue, first)
    assert states(glue, [first, second, third]) == ["RUNNING", "WAITING", "WAITING"]
    glue.batch_stop_job_run(JobName="job", JobRunIds=[first])
    running(glue, second)
    assert states(glue, [first, second, third]) == ["STOPPED", "RUNNING", "WAITING"]
    stopped = glue.batch_stop_job_run(JobName="job", JobRunIds=[third, second, "jr_unknown"])
    assert len(stopped["SuccessfulSubmissions"]) == 2
    assert stopped["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert {ended(glue, second)["JobRunState"], ended(glue, third)["JobRunState"]} == {"STOPPED"}


def test_a_run_longer_than_its_timeout_ends_as_timeout(factory, job):
    factory.aws.settings(glue_minute_seconds=1)
    glue = job(SLEEP, Timeout=2)
    run = ended(glue, start(glue))
    assert run["JobRunState"] == "TIMEOUT"
    assert 2 <= run["ExecutionTime"] < 10


def test_held_runs_stay_starting_until_released_or_stopped(factory, job):
    factory.aws.settings(hold_job_runs=True)
    glue = job("print('done')", ExecutionProperty={"MaxConcurrentRuns": 2})
    first, second = start(glue), start(glue)
    glue.batch_stop_job_run(JobName="job", JobRunIds=[second])
    assert ended(glue, second)["JobRunState"] == "STOPPED"
    assert states(glue, [first]) == ["STARTING"]
    factory.aws.settings(hold_job_runs=False)
    assert ended(glue, first)["JobRunState"] == "SUCCEEDED"


def test_a_jobs_properties_are_kept(job):
    glue = job(
        REPORT,
        ExecutionProperty={"MaxConcurrentRuns": 3},
        JobRunQueuingEnabled=True,
        Timeout=30,
        WorkerType="G.2X",
        NumberOfWorkers=5,
        GlueVersion="6.0",
    )
    shown = glue.get_job(JobName="job")["Job"]
    kept = ("ExecutionProperty", "JobRunQueuingEnabled", "Timeout", "WorkerType", "NumberOfWorkers")
    assert [shown[name] for name in kept] == [{"MaxConcurrentRuns": 3}, True, 30, "G.2X", 5]
    run = describe(glue, start(glue))
    assert (run["WorkerType"], run["NumberOfWorkers"], run["MaxCapacity"]) == ("G.2X", 5, 10.0)


def test_cloudformation_keeps_a_jobs_properties(factory):
    template = {
        "Resources": {
            "Job": {
                "Type": "AWS::Glue::Job",
                "Properties": {
                    "Name": "templated",
                    "Role": "arn:aws:iam::000000000000:role/anything",
                    "Command": {"Name": "glueetl", "ScriptLocation": "s3://lake/none.py"},
                    "ExecutionProperty": {"MaxConcurrentRuns": 4},
                    "JobRunQueuingEnabled": True,
                    "Timeout": 15,
                },
            }
        }
    }
    formation = factory.aws.client("cloudformation")
    formation.create_stack(StackName="stack", TemplateBody=json.dumps(template))
    eventually(
        lambda: formation.describe_stacks(StackName="stack")["Stacks"][0]["StackStatus"],
        lambda status: status == "CREATE_COMPLETE",
    )
    shown = factory.aws.client("glue").get_job(JobName="templated")["Job"]
    assert shown["ExecutionProperty"] == {"MaxConcurrentRuns": 4}
    assert (shown["JobRunQueuingEnabled"], shown["Timeout"]) == (True, 15)
