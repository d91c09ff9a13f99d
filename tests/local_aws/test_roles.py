"""Can functions, jobs and crawlers be held to their roles, and is it known what they did?"""

import pytest

from tests.fixtures.local_account import eventually
from tests.local_aws.conftest import ROLE

READS = """
import boto3
boto3.client("s3").get_object(Bucket="lake", Key="trips.csv")
"""


@pytest.fixture
def s3(workshop):
    """The S3 client of an account with a bucket that holds a job's script and one file."""
    client = workshop.aws.client("s3")
    client.create_bucket(Bucket="lake")
    client.put_object(Bucket="lake", Key="scripts/job.py", Body=READS)
    client.put_object(Bucket="lake", Key="trips.csv", Body="id,fare\n1,2.5\n")
    return client


def ran(workshop):
    """How a job of the script ended: its state and error, and what its log has."""
    glue, logs = workshop.aws.client("glue"), workshop.aws.client("logs")
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


def test_enforced_roles_restrict_a_function_to_its_permissions(workshop, s3):
    s3.create_bucket(Bucket="theirs")
    workshop.allow(("s3:ListBucket", "arn:aws:s3:::lake"))
    call = workshop.calling()
    assert call("s3", "list_objects_v2", Bucket="lake") == ""
    assert call("s3", "list_objects_v2", Bucket="theirs") == "AccessDenied"


def test_enforcing_roles_also_restricts_functions_that_already_ran(workshop, s3):
    call = workshop.calling()
    assert call("s3", "list_objects_v2", Bucket="lake") == ""
    workshop.aws.settings(enforce_roles=True)
    assert call("s3", "list_objects_v2", Bucket="lake") == "AccessDenied"


def test_calls_of_enforced_roles_are_recorded(workshop, s3):
    workshop.allow(("s3:ListBucket", "arn:aws:s3:::lake"))
    call = workshop.calling()
    for prefix in ("raw/", "raw/"):
        call("s3", "list_objects_v2", Bucket="lake", Prefix=prefix)
    call("s3", "get_object", Bucket="lake", Key="trips.csv")

    told = [call for call in workshop.aws.calls() if call["action"].startswith("s3:")]

    listed = {"role": "anything", "action": "s3:ListBucket", "resource": "arn:aws:s3:::lake"}
    read = {"role": "anything", "action": "s3:GetObject", "resource": "arn:aws:s3:::lake/trips.csv"}
    assert told == [
        {**listed, "context": {"s3:prefix": "raw/"}, "allowed": True, "times": 2},
        {**read, "context": {}, "allowed": False, "times": 1},
    ]
    workshop.aws.settings(enforce_roles=False)
    assert workshop.aws.calls() == []


def test_a_job_whose_role_cannot_read_its_script_fails(workshop, s3):
    workshop.allow(("s3:GetObject", "arn:aws:s3:::lake/trips.csv"))
    state, error, _ = ran(workshop)
    assert (state, "not authorized to perform: s3:GetObject" in error) == ("FAILED", True)


def test_a_job_calls_services_and_logs_with_its_role(workshop, s3):
    workshop.allow(("s3:GetObject", "arn:aws:s3:::lake/scripts/*"))
    state, error, logs = ran(workshop)
    assert (state, "AccessDenied" in error, logs) == ("FAILED", True, set())


def test_a_job_with_the_needed_permissions_succeeds(workshop, s3):
    logs = "arn:aws:logs:us-east-1:000000000000:log-group:/aws-glue/jobs/output:*"
    workshop.allow(
        ("s3:GetObject", "arn:aws:s3:::lake/*"), ("logs:CreateLogStream", logs), ("logs:PutLogEvents", logs)
    )
    assert ran(workshop) == ("SUCCEEDED", "", {"/aws-glue/jobs/output"})


@pytest.mark.parametrize(
    ("missing", "told"), [("s3:GetObject", "AccessDenied"), ("glue:CreateTable", "glue:CreateTable")]
)
def test_a_crawl_without_a_needed_permission_fails(workshop, s3, missing, told):
    glue = workshop.aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "raw"})
    targets = {"S3Targets": [{"Path": "s3://lake/trips.csv"}]}
    glue.create_crawler(Name="crawler", Role=ROLE, DatabaseName="raw", Targets=targets)
    workshop.allow(
        *(
            (action, "*")
            for action in ("s3:ListBucket", "s3:GetObject", "glue:CreateTable")
            if action != missing
        )
    )
    workshop.aws.settings(crawl_seconds=0)

    glue.start_crawler(Name="crawler")

    crawl = eventually(
        lambda: glue.get_crawler(Name="crawler")["Crawler"].get("LastCrawl"), lambda crawl: crawl, seconds=40
    )
    assert (crawl["Status"], told in crawl["ErrorMessage"]) == ("FAILED", True)
