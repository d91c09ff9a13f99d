"""Does every way through the state machine, executed, end where the design says, and say what it says?"""

import json
from typing import Any

import pytest

from tests.fixtures.local_account import Aws
from tests.workflow.error_scenarios import SETBACKS
from tests.workflow.executions import Run
from tests.workflow.expected import misses
from tests.workflow.path_scenarios import JOURNEYS
from tests.workflow.scenarios import Scenario
from tests.workflow.service_answers import BUCKET, KEY, MANIFEST, NAME

SCENARIOS = [*JOURNEYS, *SETBACKS]


def named(name: str) -> Scenario:
    """The scenario of that name."""
    (found,) = [scenario for scenario in SCENARIOS if scenario.name == name]
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_path(runs: Any, scenario: Scenario) -> None:
    (run,) = runs.all([scenario])

    assert misses(scenario, run) == []


@pytest.fixture(scope="module")
def crawled(runs: Any) -> Run:
    """A run in which every kind of service was called."""
    (run,) = runs.all([named("crawl-runs-then-succeeds")])
    return run


def test_a_success_is_published_with_every_field(crawled: Run, topic_arn: str) -> None:
    (published,) = crawled.arguments("NotifySuccess")
    message = json.loads(published.pop("Message"))
    assert message.pop("timestamp")[-1] == "Z"
    assert "8 rows written" in message.pop("message")
    assert published == {
        "TopicArn": topic_arn,
        "Subject": f"Taxi ETL SUCCESS: {NAME}",
        "MessageAttributes": {
            "status": {"DataType": "String", "StringValue": "SUCCESS"},
            "dataset": {"DataType": "String.Array", "StringValue": '["yellow"]'},
        },
    }
    assert message == {
        "status": "SUCCESS",
        "jobName": "job-process-taxi-data",
        "jobRunId": "jr_0123456789abcdef",
        "executionTimeSeconds": 90,
        "bucket": BUCKET,
        "key": KEY,
        "crawlerState": "READY",
        "workflowExecutionId": crawled.arn,
        "schemaVersion": "1",
        "files": [{"key": KEY, "status": "loaded", "dataset": "yellow"}],
        "rows": {"read": 10, "written": 8, "quarantined": 2},
        "jobCostUsd": 0.0231,  # 90 s x 3 DPU / 3600 x 0.308 USD
        "filesOmitted": 0,
        "manifest": MANIFEST,
    }


def test_what_is_published_reaches_a_subscriber_by_its_attributes(
    workflow_aws: Aws, topic_arn: str, machines: Any, executable: Any
) -> None:
    sqs, sns = workflow_aws.client("sqs"), workflow_aws.client("sns")
    url = sqs.create_queue(QueueName="partial-successes")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"FilterPolicy": json.dumps({"status": ["PARTIAL_SUCCESS"]})}
    subscription = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=policy)
    (run,) = machines.run_all([(executable(), named("rejected-beside-good"))])
    (received,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])

    envelope = json.loads(received["Body"])
    assert envelope["Subject"].startswith("Taxi ETL PARTIAL_SUCCESS: ")
    assert json.loads(envelope["Message"])["workflowExecutionId"] == run.arn


def test_scenarios_have_names_of_their_own() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
