"""May a state machine do what its role allows, and nothing else?"""

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
def shop(workshop):
    """A workshop in whose account all that the tasks ask for is there."""
    workshop.function("hello", "def handler(event, context): return 'hello'")
    workshop.aws.client("sns").create_topic(Name="topic")
    s3, glue = workshop.aws.client("s3"), workshop.aws.client("glue")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="hello.txt", Body="hello")
    s3.put_object(Bucket="lake", Key="job.py", Body=SLEEP)
    role = "arn:aws:iam::000000000000:role/anything"
    glue.create_database(DatabaseInput={"Name": "raw"})
    glue.create_crawler(Name="crawler", Role=role, DatabaseName="raw", Targets={"S3Targets": []})
    glue.create_job(Name="job", Role=role, Command={"Name": "glueetl", "ScriptLocation": "s3://lake/job.py"})
    return workshop


def task(resource, arguments):
    return {
        "Do": {
            "Type": "Task",
            "Resource": f"arn:aws:states:::{resource}",
            "Arguments": arguments,
            "End": True,
        }
    }


@pytest.mark.parametrize(("resource", "arguments", "right", "error"), TASKS, ids=[task[0] for task in TASKS])
def test_a_task_needs_exactly_its_permission(shop, resource, arguments, right, error):
    action, on = right
    shop.allow((action, f"{on}-not-this-one"), (f"{action}s", on))
    refused = shop.run(task(resource, arguments))
    assert (refused["status"], refused["error"]) == ("FAILED", error)
    assert f"not authorized to perform: {action} on resource: {on}" in refused["cause"]

    shop.allow(right)
    assert shop.outcome(shop.start(refused["stateMachineArn"]))["status"] == "SUCCEEDED"
    told = [(call["action"], call["resource"], call["allowed"]) for call in shop.aws.calls()]
    assert (action, on, False) in told
    assert (action, on, True) in told


def test_waiting_for_a_job_run_needs_glue_get_job_run(shop):
    shop.allow(("glue:StartJobRun", JOB))
    ended = shop.run(task("glue:startJobRun.sync", {"JobName": "job"}))
    assert (ended["status"], ended["error"]) == ("FAILED", "Glue.AccessDeniedException")
    assert "glue:GetJobRun" in ended["cause"]


@pytest.mark.parametrize(("rights", "state"), [([], "RUNNING"), (["glue:BatchStopJobRun"], "STOPPED")])
def test_stopping_the_job_run_needs_glue_batch_stop_job_run(shop, rights, state):
    shop.allow(*((action, JOB) for action in ("glue:StartJobRun", "glue:GetJobRun", *rights)), ("s3:*", "*"))
    glue = shop.aws.client("glue")
    started = shop.start(shop.machine(task("glue:startJobRun.sync", {"JobName": "job"})))

    def states():
        return [run["JobRunState"] for run in glue.get_job_runs(JobName="job")["JobRuns"]]

    eventually(states, lambda found: found == ["RUNNING"])
    shop.aws.client("stepfunctions").stop_execution(executionArn=started)

    asked = "glue:BatchStopJobRun"
    eventually(lambda: [call for call in shop.aws.calls() if call["action"] == asked])
    assert eventually(states, lambda found: found[0] in ("RUNNING", "STOPPED")) == [state]
    glue.batch_stop_job_run(
        JobName="job", JobRunIds=[run["Id"] for run in glue.get_job_runs(JobName="job")["JobRuns"]]
    )


def test_a_scripted_answer_needs_no_permission(shop):
    shop.aws.settings(enforce_roles=True)
    shop.aws.script("scripted", {"Do": [{"Return": "hello"}]})
    machine = shop.machine(task("sns:publish", {"TopicArn": TOPIC, "Message": "hello"}))
    outcome = shop.outcome(shop.start(machine, name="scripted"))
    assert json.loads(outcome["output"]) == "hello"
