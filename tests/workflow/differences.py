"""Differences between an execution and its scenario, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.workflow.definition import ACCOUNT
from tests.workflow.executions import Execution
from tests.workflow.scenario import ExpectedNotification, Scenario
from tests.workflow.service_answers import BUCKET, MANIFEST

CRAWL_POLL_SECONDS = 30


def differences(scenario: Scenario, execution: Execution) -> list[str]:
    """Return every difference between an execution and its scenario; empty when they agree."""
    return [
        *_ending_differences(scenario, execution),
        *_retry_differences(scenario, execution),
        *_task_differences(scenario, execution),
        *_notification_differences(scenario, execution),
    ]


def _ending_differences(scenario: Scenario, execution: Execution) -> Iterator[str]:
    if execution.path != list(scenario.path):
        yield (
            f"the path ends with {execution.path[-8:]} ({len(execution.path)} states), "
            f"expected {list(scenario.path)[-8:]} ({len(scenario.path)} states)"
        )
    if (execution.status, execution.error) != (scenario.status, scenario.error):
        yield (
            f"the execution ended {execution.status} {execution.error}, "
            f"expected {scenario.status} {scenario.error}"
        )
    if scenario.cause not in execution.cause:
        yield f"the cause is {execution.cause!r}, expected it to contain {scenario.cause!r}"
    if execution.status == "SUCCEEDED" and execution.output != scenario.execution_input:
        yield f"the output is {execution.output}, expected the execution's input"


def _retry_differences(scenario: Scenario, execution: Execution) -> Iterator[str]:
    delays = [(retry["state"], retry["error"], retry["delaySeconds"]) for retry in execution.retries]
    if delays != list(scenario.retry_delays):
        yield f"the retries are {delays}, expected {list(scenario.retry_delays)}"
    without_jitter = [retry["state"] for retry in execution.retries if retry["jitter"] != "FULL"]
    if without_jitter:
        yield f"retries without jitter in {without_jitter}"


def _task_differences(scenario: Scenario, execution: Execution) -> Iterator[str]:
    """Compare each task's arguments and the time between polls, which are the same in every scenario."""
    name = execution.arn.rsplit(":", 1)[1]
    arguments = {
        "ValidateInput": {
            "FunctionName": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:etl-orchestrator-validate-input",
            "Payload": {
                "input": scenario.execution_input,
                "execution": {"name": name, "arn": execution.arn},
            },
        },
        "RunSmallBatch": {
            "FunctionName": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:etl-run-small-batch",
            "Payload": {"manifest": MANIFEST},
        },
        "RunGlueETLJob": {
            "JobName": "job-process-taxi-data",
            "Arguments": {"--manifest": MANIFEST},
            "NotificationProperty": {"NotifyDelayAfter": 120},
        },
        "ReadJobResult": {
            "Bucket": BUCKET,
            "Key": f"runs/etl-pipeline-workflow/{name}/summary.json",
        },
        "RunCrawlerUpdate": {"Name": "crawler-taxi-raw"},
        "CheckCrawlerStatus": {"Name": "crawler-taxi-raw"},
    }
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:etl-pipeline-notifications"
    for call in execution.calls:
        state, actual = call["state"], call["arguments"]
        if state in arguments and actual != arguments[state]:
            yield f"the arguments of {state} are {actual}, expected {arguments[state]}"
        if state not in arguments and actual["TopicArn"] != topic:
            yield f"{state} published to {actual['TopicArn']}, expected {topic}"
    if any(wait != {"state": "WaitForCrawler", "seconds": CRAWL_POLL_SECONDS} for wait in execution.waits):
        yield f"the waits are {execution.waits}, expected {CRAWL_POLL_SECONDS} seconds each"


def _notification_differences(scenario: Scenario, execution: Execution) -> Iterator[str]:
    actual = [(state, message["status"]) for state, message in execution.published]
    expected = [(notification.state, notification.status) for notification in scenario.notifications]
    if actual != expected:
        yield f"the notifications are {actual}, expected {expected}"
        return
    for (_, message), notification in zip(execution.published, scenario.notifications, strict=True):
        yield from _message_differences(message, notification)


def _message_differences(message: Mapping[str, Any], expected: ExpectedNotification) -> Iterator[str]:
    error = message.get("error") or {"Error": "", "Cause": ""}
    if error["Error"] != expected.error:
        yield f"the message's error is {error['Error']!r}, expected {expected.error!r}"
    if message.get("crawlerState", "") != expected.crawler_state:
        yield f"crawlerState is {message.get('crawlerState')!r}, expected {expected.crawler_state!r}"
    if message.get("engine", "") != expected.engine:
        yield f"engine is {message.get('engine')!r}, expected {expected.engine!r}"
    declined = message.get("declined") or ""
    if (expected.declined not in declined) or (bool(declined) != bool(expected.declined)):
        yield f"declined is {declined!r}, expected it to contain {expected.declined!r}"
    if expected.declined not in message["message"]:
        yield f"the message is {message['message']!r}, expected it to contain {expected.declined!r}"
    for fact in expected.facts:
        if fact not in message["message"]:
            yield f"the message is {message['message']!r}, expected it to contain {fact!r}"
        if expected.error and fact not in error["Cause"]:
            yield f"the message's cause is {error['Cause']!r}, expected it to contain {fact!r}"
