"""Tests of the events that job runs send when they end."""

import json

import pytest

from tests.fixtures.local_account import eventually


def job(factory, name, script, **options):
    s3 = factory.aws.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key=f"{name}.py", Body=script)
    factory.aws.client("glue").create_job(
        Name=name,
        Role="arn:aws:iam::000000000000:role/anything",
        Command={"Name": "glueetl", "ScriptLocation": f"s3://lake/{name}.py"},
        **options,
    )


def subscribe(factory, **detail):
    """Create a queue for matching state changes of job runs, and return its URL."""
    url, arn = factory.queue("received")
    events = factory.aws.client("events")
    pattern = {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"], "detail": detail}
    events.put_rule(Name="ends", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="ends", Targets=[{"Id": "queue", "Arn": arn}])
    return url


@pytest.mark.parametrize(
    ("script", "state", "severity"),
    [
        ("print('well')", "SUCCEEDED", "INFO"),
        ("raise ValueError('column x is missing')", "FAILED", "ERROR"),
        ("import time; time.sleep(60)", "STOPPED", "INFO"),
        ("import time; time.sleep(60)", "TIMEOUT", "WARN"),
    ],
)
def test_every_end_of_a_run_is_an_event(factory, script, state, severity):
    url = subscribe(factory, jobName=["job"])
    job(factory, "job", script)
    glue = factory.aws.client("glue")
    if state == "TIMEOUT":
        factory.aws.settings(glue_minute_seconds=0.001)
    run = glue.start_job_run(JobName="job")["JobRunId"]
    if state == "STOPPED":
        eventually(lambda: glue.get_job_run(JobName="job", RunId=run)["JobRun"]["JobRunState"] == "RUNNING")
        glue.batch_stop_job_run(JobName="job", JobRunIds=[run])

    (message,) = eventually(lambda: factory.messages(url))

    detail = json.loads(message["Body"])["detail"]
    assert (detail["jobName"], detail["jobRunId"]) == ("job", run)
    assert (detail["state"], detail["severity"]) == (state, severity)
    assert ("column x is missing" in detail["message"]) == (state == "FAILED")


def test_a_run_stopped_in_the_queue_sends_an_event(factory):
    url = subscribe(factory, state=["STOPPED"])
    job(factory, "job", "import time; time.sleep(60)", JobRunQueuingEnabled=True)
    glue = factory.aws.client("glue")
    runs = [glue.start_job_run(JobName="job")["JobRunId"] for _ in range(2)]

    glue.batch_stop_job_run(JobName="job", JobRunIds=runs[1:])

    (message,) = eventually(lambda: factory.messages(url))
    assert json.loads(message["Body"])["detail"]["jobRunId"] == runs[1]
