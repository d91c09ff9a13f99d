"""Tests of state machines that run a Glue job."""

import json

import pytest

from tests.fixtures.local_account import eventually

SPARK = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
trips = spark.read.option("header", True).csv("s3://lake/raw/trips.csv")
spark.sql("CREATE DATABASE IF NOT EXISTS glue_catalog.taxi")
trips.writeTo("glue_catalog.taxi.trips").using("iceberg").createOrReplace()
print(spark.table("glue_catalog.taxi.trips").count(), spark.conf.get("spark.sql.session.timeZone"))
if "--fail" in sys.argv:
    spark.table("glue_catalog.taxi.missing").count()
"""
CONF = " --conf ".join(
    (
        "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.glue_catalog=org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.glue_catalog.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog",
        "spark.sql.catalog.glue_catalog.io-impl=org.apache.iceberg.aws.s3.S3FileIO",
        "spark.sql.catalog.glue_catalog.warehouse=s3://lake/warehouse/",
    )
)
SLEEP = "import time\ntime.sleep(60)\n"


@pytest.fixture
def job(factory):
    """A function that creates the job `job` with a script."""

    def make(script, **options):
        s3 = factory.aws.client("s3")
        s3.create_bucket(Bucket="lake")
        s3.put_object(Bucket="lake", Key="raw/trips.csv", Body="id,fare\n1,2.5\n2,7.5\n3,1\n")
        s3.put_object(Bucket="lake", Key="scripts/job.py", Body=script)
        factory.aws.client("glue").create_job(
            Name="job",
            Role="arn:aws:iam::000000000000:role/anything",
            Command={"Name": "glueetl", "ScriptLocation": "s3://lake/scripts/job.py"},
            DefaultArguments={"--conf": CONF, "--datalake-formats": "iceberg"},
            **options,
        )

    return make


def running(sync=True, **task):
    resource = "arn:aws:states:::glue:startJobRun" + (".sync" if sync else "")
    return {
        "Run": {
            "Type": "Task",
            "Resource": resource,
            "Arguments": {"JobName": "job", "Arguments": "{% $states.input %}"},
            "End": True,
            **task,
        }
    }


def only_run(factory):
    [run] = factory.aws.client("glue").get_job_runs(JobName="job")["JobRuns"]
    return run


def test_spark_reads_s3_and_commits_an_iceberg_table(factory, job):
    job(SPARK, WorkerType="G.1X", NumberOfWorkers=2)
    execution = factory.start(factory.machine(running()))
    outcome = factory.outcome(execution, seconds=90)
    assert outcome["status"] == "SUCCEEDED", outcome
    run = json.loads(outcome["output"])
    assert (run["JobRunState"], run["JobName"], run["MaxCapacity"]) == ("SUCCEEDED", "job", 2.0)
    assert run["CompletedOn"] >= run["StartedOn"] > 1_700_000_000_000
    [event] = factory.aws.client("logs").get_log_events(
        logGroupName="/aws-glue/jobs/output", logStreamName=run["Id"]
    )["events"]
    assert event["message"] == "3 UTC"
    table = factory.aws.client("glue").get_table(DatabaseName="taxi", Name="trips")["Table"]
    assert table["Parameters"]["metadata_location"].startswith("s3://lake/warehouse/taxi.db/trips/metadata/")
    assert "TaskSubmitted" in [event["type"] for event in factory.history(execution)]


def test_a_failed_run_raises_with_the_job_run_in_its_cause(factory, job):
    job(SPARK)
    caught = [{"ErrorEquals": ["States.TaskFailed"], "Output": "{% $states.errorOutput %}", "Next": "Done"}]
    states = {**running(Catch=caught), "Done": {"Type": "Succeed"}}
    execution = factory.start(factory.machine(states), {"--fail": "true"})
    outcome = factory.outcome(execution, seconds=90)
    output = json.loads(outcome["output"])
    assert output["Error"] == "States.TaskFailed"
    run = json.loads(output["Cause"])
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(
        "pyspark.errors.exceptions.captured.AnalysisException: [TABLE_OR_VIEW"
    )


def test_without_sync_the_task_ends_when_the_run_starts(factory, job):
    job(SLEEP)
    outcome = factory.run(running(sync=False))
    assert json.loads(outcome["output"]) == {"JobRunId": only_run(factory)["Id"]}


def test_a_run_beyond_the_limit_has_glues_error(factory, job):
    job(SLEEP)
    factory.aws.client("glue").start_job_run(JobName="job")
    outcome = factory.run(running())
    assert outcome["error"] == "Glue.ConcurrentRunsExceededException"
    assert "Error Code: ConcurrentRunsExceededException" in outcome["cause"]


def test_a_missing_job_has_glues_error(factory):
    assert factory.run(running())["error"] == "Glue.EntityNotFoundException"


def test_stopping_the_execution_stops_the_run(factory, job):
    job(SLEEP)
    execution = factory.start(factory.machine(running()))
    eventually(
        lambda: factory.aws.client("glue").get_job_runs(JobName="job")["JobRuns"],
        lambda runs: [run["JobRunState"] for run in runs] == ["RUNNING"],
    )
    factory.aws.client("stepfunctions").stop_execution(executionArn=execution)
    eventually(lambda: only_run(factory)["JobRunState"], lambda state: state == "STOPPED")
    assert factory.outcome(execution)["status"] == "ABORTED"


def test_the_tasks_timeout_stops_the_run(factory, job):
    job(SLEEP)
    outcome = factory.run(running(TimeoutSeconds=2))
    assert outcome["error"] == "States.Timeout"
    eventually(lambda: only_run(factory)["JobRunState"], lambda state: state == "STOPPED")


def test_a_manually_stopped_run_returns_as_ended(factory, job):
    job(SLEEP)
    execution = factory.start(factory.machine(running()))
    glue = factory.aws.client("glue")
    [run] = eventually(lambda: glue.get_job_runs(JobName="job")["JobRuns"])
    glue.batch_stop_job_run(JobName="job", JobRunIds=[run["Id"]])
    outcome = factory.outcome(execution)
    assert json.loads(outcome["output"])["JobRunState"] == "STOPPED"
