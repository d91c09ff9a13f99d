"""Tests that tasks need the permissions of the state machine's role."""

import json

import pytest

from tests.fixtures.local_account import eventually

SCOPE = "us-east-1:000000000000"
TOPIC = f"arn:aws:sns:{SCOPE}:topic"
SLEEP = "import time\ntime.sleep(60)\n"
TASKS = [
    (
        "lambda:invoke",
        {"FunctionName": "hello", "Payload": {}},
        ("lambda:InvokeFunction", f"arn:aws:lambda:{SCOPE}:function:hello"),
        "Lambda.AWSLambdaException",
    ),
    (
        "sns:publish",
        {"TopicArn": TOPIC, "Message": "hello"},
        ("sns:Publish", TOPIC),
        "SNS.AuthorizationErrorException",
    ),
    (
        "aws-sdk:s3:getObject",
        {"Bucket": "lake", "Key": "hello.txt"},
        ("s3:GetObject", "arn:aws:s3:::lake/hello.txt"),
        "S3.S3Exception",
    ),
    (
        "aws-sdk:glue:getCrawler",
        {"Name": "crawler"},
        ("glue:GetCrawler", f"arn:aws:glue:{SCOPE}:crawler/crawler"),
        "Glue.AccessDeniedException",
    ),
    (
        "aws-sdk:glue:startCrawler",
        {"Name": "crawler"},
        ("glue:StartCrawler", f"arn:aws:glue:{SCOPE}:crawler/crawler"),
        "Glue.AccessDeniedException",
    ),
    (
        "glue:startJobRun",
        {"JobName": "job"},
        ("glue:StartJobRun", f"arn:aws:glue:{SCOPE}:job/job"),
        "Glue.AccessDeniedException",
    ),
]
JOB = f"arn:aws:glue:{SCOPE}:job/job"


@pytest.fixture
def factory(factory):
    """The factory, in an account with all resources that the tasks use."""
    factory.function("hello", "def handler(event, context): return 'hello'")
    factory.aws.client("sns").create_topic(Name="topic")
    s3, glue = factory.aws.client("s3"), factory.aws.client("glue")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="hello.txt", Body="hello")
    s3.put_object(Bucket="lake", Key="job.py", Body=SLEEP)
    role = "arn:aws:iam::000000000000:role/anything"
    glue.create_database(DatabaseInput={"Name": "raw"})
    glue.create_crawler(Name="crawler", Role=role, DatabaseName="raw", Targets={"S3Targets": []})
    glue.create_job(Name="job", Role=role, Command={"Name": "glueetl", "ScriptLocation": "s3://lake/job.py"})
    return factory


def task(resource, arguments):
    return {
        "Call": {
            "Type": "Task",
            "Resource": f"arn:aws:states:::{resource}",
            "Arguments": arguments,
            "End": True,
        }
    }


@pytest.mark.parametrize(
    ("resource", "arguments", "permission", "error"), TASKS, ids=[task[0] for task in TASKS]
)
def test_a_task_needs_exactly_its_permission(factory, resource, arguments, permission, error):
    action, on = permission
    factory.allow((action, f"{on}-not-this-one"), (f"{action}s", on))
    denied = factory.run(task(resource, arguments))
    assert (denied["status"], denied["error"]) == ("FAILED", error)
    assert f"not authorized to perform: {action} on resource: {on}" in denied["cause"]

    factory.allow(permission)
    assert factory.outcome(factory.start(denied["stateMachineArn"]))["status"] == "SUCCEEDED"
    recorded = [(call["action"], call["resource"], call["allowed"]) for call in factory.aws.calls()]
    assert (action, on, False) in recorded
    assert (action, on, True) in recorded


def test_waiting_for_a_job_run_needs_glue_get_job_run(factory):
    factory.allow(("glue:StartJobRun", JOB))
    ended = factory.run(task("glue:startJobRun.sync", {"JobName": "job"}))
    assert (ended["status"], ended["error"]) == ("FAILED", "Glue.AccessDeniedException")
    assert "glue:GetJobRun" in ended["cause"]


@pytest.mark.parametrize(("permissions", "state"), [([], "RUNNING"), (["glue:BatchStopJobRun"], "STOPPED")])
def test_stopping_the_job_run_needs_glue_batch_stop_job_run(factory, permissions, state):
    factory.allow(
        *((action, JOB) for action in ("glue:StartJobRun", "glue:GetJobRun", *permissions)), ("s3:*", "*")
    )
    glue = factory.aws.client("glue")
    started = factory.start(factory.machine(task("glue:startJobRun.sync", {"JobName": "job"})))

    def states():
        return [run["JobRunState"] for run in glue.get_job_runs(JobName="job")["JobRuns"]]

    eventually(states, lambda found: found == ["RUNNING"])
    factory.aws.client("stepfunctions").stop_execution(executionArn=started)

    stop = "glue:BatchStopJobRun"
    eventually(lambda: [call for call in factory.aws.calls() if call["action"] == stop])
    assert eventually(states, lambda found: found[0] in ("RUNNING", "STOPPED")) == [state]
    glue.batch_stop_job_run(
        JobName="job", JobRunIds=[run["Id"] for run in glue.get_job_runs(JobName="job")["JobRuns"]]
    )


def test_a_scripted_answer_needs_no_permission(factory):
    factory.aws.settings(enforce_roles=True)
    factory.aws.script("scripted", {"Call": [{"Return": "hello"}]})
    machine = factory.machine(task("sns:publish", {"TopicArn": TOPIC, "Message": "hello"}))
    outcome = factory.outcome(factory.start(machine, name="scripted"))
    assert json.loads(outcome["output"]) == "hello"
