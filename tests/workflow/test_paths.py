"""Tests that each scenario, executed, takes its path, ends as expected and publishes its notifications."""

import json
from typing import Any

import pytest

from tests.fixtures.local_account import Aws
from tests.workflow.differences import differences
from tests.workflow.executions import Execution
from tests.workflow.scenario import Scenario
from tests.workflow.scenarios import BY_NAME, SCENARIOS
from tests.workflow.service_answers import BUCKET, FILE_KEY, FILE_NAME, MANIFEST


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_path(executions: Any, scenario: Scenario) -> None:
    (execution,) = executions.all([scenario])

    assert differences(scenario, execution) == []


@pytest.fixture(scope="module")
def crawled(executions: Any) -> Execution:
    """An execution that calls every service."""
    (execution,) = executions.all([BY_NAME["crawl-runs-then-succeeds"]])
    return execution


def test_a_success_notification_has_every_field(crawled: Execution, topic_arn: str) -> None:
    (published,) = crawled.arguments("NotifySuccess")
    texts = published.pop("Message")
    message = json.loads(texts["default"])
    assert texts["email"].startswith(f"Loaded {FILE_NAME}: 8 rows written, 2 quarantined.\n\nFiles:\n- ")
    assert texts["sms"] == f"Taxi ETL SUCCESS: {FILE_NAME}: 8 rows written, 2 quarantined"
    assert message.pop("timestamp")[-1] == "Z"
    assert "8 rows written" in message.pop("message")
    assert published == {
        "TopicArn": topic_arn,
        "Subject": f"Taxi ETL SUCCESS: {FILE_NAME}",
        "MessageStructure": "json",
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
        "key": FILE_KEY,
        "crawlerState": "READY",
        "workflowExecutionId": crawled.arn,
        "schemaVersion": "1",
        "files": [
            {
                "key": FILE_KEY,
                "versionId": "v1",
                "status": "loaded",
                "dataset": "yellow",
                "rows": {"read": 10, "written": 8, "quarantined": 2, "reasons": {}},
                "newColumns": [],
                "missingColumns": [],
            }
        ],
        "rows": {"read": 10, "written": 8, "quarantined": 2},
        "jobCostUsd": 0.0231,  # 90 s x 3 DPU / 3600 x 0.308 USD
        "crawlCostUsd": 0.1467,  # 600 s x 2 DPU / 3600 x 0.44 USD
        "filesOmitted": 0,
        "manifest": MANIFEST,
    }


def test_a_subscription_filters_notifications_by_status(
    workflow_aws: Aws, topic_arn: str, machines: Any, executable: Any
) -> None:
    sqs, sns = workflow_aws.client("sqs"), workflow_aws.client("sns")
    url = sqs.create_queue(QueueName="partial-successes")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"FilterPolicy": json.dumps({"status": ["PARTIAL_SUCCESS"]})}
    subscription = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=policy)
    (execution,) = machines.execute_all([(executable(), BY_NAME["rejected-beside-good"])])
    (received,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])

    envelope = json.loads(received["Body"])
    assert envelope["Subject"].startswith("Taxi ETL PARTIAL_SUCCESS: ")
    assert json.loads(envelope["Message"])["workflowExecutionId"] == execution.arn
