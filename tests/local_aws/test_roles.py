"""Tests that functions, jobs and crawlers are restricted to their roles, and their calls recorded."""

import pytest

from tests.fixtures.local_account import eventually
from tests.local_aws.conftest import ROLE

READS = """
import boto3
boto3.client("s3").get_object(Bucket="lake", Key="trips.csv")
"""


@pytest.fixture
def s3(factory):
    """The S3 client of an account with a bucket that holds a job's script and one file."""
    client = factory.aws.client("s3")
    client.create_bucket(Bucket="lake")
    client.put_object(Bucket="lake", Key="scripts/job.py", Body=READS)
    client.put_object(Bucket="lake", Key="trips.csv", Body="id,fare\n1,2.5\n")
    return client


def run_job(factory):
    """Run a job with the script and return its state, its error and its log groups."""
    glue, logs = factory.aws.client("glue"), factory.aws.client("logs")
    command = {"Name": "glueetl", "ScriptLocation": "s3://lake/scripts/job.py"}
    glue.create_job(Name="job", Role=ROLE, Command=command)
    run_id = glue.start_job_run(JobName="job")["JobRunId"]
    run = eventually(
        lambda: glue.get_job_run(JobName="job", RunId=run_id)["JobRun"],
        lambda run: run["JobRunState"] in ("SUCCEEDED", "FAILED"),
        seconds=40,
    )
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws-glue/jobs")["logGroups"]
    return run["JobRunState"], run.get("ErrorMessage", ""), {group["logGroupName"] for group in groups}


def test_enforced_roles_restrict_a_function_to_its_permissions(factory, s3):
    s3.create_bucket(Bucket="theirs")
    factory.allow(("s3:ListBucket", "arn:aws:s3:::lake"))
    call = factory.caller()
    assert call("s3", "list_objects_v2", Bucket="lake") == ""
    assert call("s3", "list_objects_v2", Bucket="theirs") == "AccessDenied"


def test_enforcing_roles_also_restricts_functions_that_already_ran(factory, s3):
    call = factory.caller()
    assert call("s3", "list_objects_v2", Bucket="lake") == ""
    factory.aws.settings(enforce_roles=True)
    assert call("s3", "list_objects_v2", Bucket="lake") == "AccessDenied"


def test_calls_of_enforced_roles_are_recorded(factory, s3):
    factory.allow(("s3:ListBucket", "arn:aws:s3:::lake"))
    call = factory.caller()
    for prefix in ("raw/", "raw/"):
        call("s3", "list_objects_v2", Bucket="lake", Prefix=prefix)
    call("s3", "get_object", Bucket="lake", Key="trips.csv")

    recorded = [call for call in factory.aws.calls() if call["action"].startswith("s3:")]

    listed = {"role": "anything", "action": "s3:ListBucket", "resource": "arn:aws:s3:::lake"}
    read = {"role": "anything", "action": "s3:GetObject", "resource": "arn:aws:s3:::lake/trips.csv"}
    assert recorded == [
        {**listed, "context": {"s3:prefix": "raw/"}, "allowed": True, "times": 2},
        {**read, "context": {}, "allowed": False, "times": 1},
    ]
    factory.aws.settings(enforce_roles=False)
    assert factory.aws.calls() == []


def test_a_job_whose_role_cannot_read_its_script_fails(factory, s3):
    factory.allow(("s3:GetObject", "arn:aws:s3:::lake/trips.csv"))
    state, error, _ = run_job(factory)
    assert (state, "not authorized to perform: s3:GetObject" in error) == ("FAILED", True)


def test_a_job_calls_services_and_logs_with_its_role(factory, s3):
    factory.allow(("s3:GetObject", "arn:aws:s3:::lake/scripts/*"))
    state, error, logs = run_job(factory)
    assert (state, "AccessDenied" in error, logs) == ("FAILED", True, set())


def test_a_job_with_the_needed_permissions_succeeds_and_logs_where_it_may_create_the_group(factory, s3):
    logs = "arn:aws:logs:us-east-1:000000000000:log-group:/aws-glue/jobs"
    factory.allow(
        ("s3:GetObject", "arn:aws:s3:::lake/*"),
        ("logs:CreateLogStream", f"{logs}/*"),
        ("logs:PutLogEvents", f"{logs}/*"),
        ("logs:CreateLogGroup", f"{logs}/output:*"),
    )
    assert run_job(factory) == ("SUCCEEDED", "", {"/aws-glue/jobs/output"})


@pytest.mark.parametrize(
    ("missing", "error"), [("s3:GetObject", "AccessDenied"), ("glue:CreateTable", "glue:CreateTable")]
)
def test_a_crawl_without_a_needed_permission_fails(factory, s3, missing, error):
    glue = factory.aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "raw"})
    targets = {"S3Targets": [{"Path": "s3://lake/trips.csv"}]}
    glue.create_crawler(Name="crawler", Role=ROLE, DatabaseName="raw", Targets=targets)
    factory.allow(
        *(
            (action, "*")
            for action in ("s3:ListBucket", "s3:GetObject", "glue:CreateTable")
            if action != missing
        )
    )
    factory.aws.settings(crawl_seconds=0)

    glue.start_crawler(Name="crawler")

    crawl = eventually(
        lambda: glue.get_crawler(Name="crawler")["Crawler"].get("LastCrawl"), lambda crawl: crawl, seconds=40
    )
    assert (crawl["Status"], error in crawl["ErrorMessage"]) == ("FAILED", True)
