"""Tests of executions against the emulated crawler, with real crawls instead of scripted answers."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.local_account import Aws, eventually
from tests.workflow.executions import Execution, StateMachines
from tests.workflow.scenario import CATALOG_PATH, CRAWL_FAILURE_PATH, CRAWL_POLL, LOAD_ANSWERS, ONE_FILE
from tests.workflow.service_answers import summary_object

ANSWERS = {**LOAD_ANSWERS, "ReadJobResult": [summary_object(changed=True)]}
CRAWLER = "crawler-taxi-raw"
WAIT_SCALE = 0.01
"""Shortens the 30 s between polls to 0.3 s, so that a crawl of a few seconds is polled often."""


@pytest.fixture
def aws(workflow_aws: Aws) -> Iterator[Aws]:
    """The account with a crawler that has never run, and with short waits."""
    glue = workflow_aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "taxi_raw"})
    glue.create_crawler(
        Name=CRAWLER,
        Role="arn:aws:iam::000000000000:role/crawler",
        DatabaseName="taxi_raw",
        Targets={"S3Targets": []},
    )
    workflow_aws.wait_scale(WAIT_SCALE)
    yield workflow_aws
    workflow_aws.settings(crawl_seconds=2.0, crawl_error="")
    workflow_aws.wait_scale(0)
    if glue.get_crawler(Name=CRAWLER)["Crawler"]["State"] == "RUNNING":
        glue.stop_crawler(Name=CRAWLER)
    eventually(lambda: glue.get_crawler(Name=CRAWLER)["Crawler"]["State"] == "READY")
    glue.delete_crawler(Name=CRAWLER)
    glue.delete_database(Name="taxi_raw")


@pytest.fixture
def start(aws: Aws, machines: StateMachines, executable: Any) -> Any:
    """Starts an execution whose load changed the columns."""
    arn = machines.arn(executable())
    return lambda name: machines.start(arn, name, ONE_FILE, ANSWERS)


def crawler_state(execution: Execution) -> str:
    """Return the crawler state that the execution's notification shows."""
    ((_, message),) = execution.published
    return str(message["crawlerState"])


def crawl_started(execution: Execution, machines: StateMachines) -> float:
    """Return when the crawl started that the execution accepted, in epoch seconds."""
    text = json.loads(crawler_answers(execution, machines)[-1])["Crawler"]["LastCrawl"]["StartTime"]
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone


def crawler_answers(execution: Execution, machines: StateMachines) -> list[str]:
    """Return getCrawler's answer of each poll."""
    outputs = [
        event["taskSucceededEventDetails"]["output"]
        for event in machines.events(execution.arn)
        if event["type"] == "TaskSucceeded"
    ]
    return [output for output in outputs if '"Crawler"' in output]


def entered(execution: Execution, state: str, machines: StateMachines) -> float:
    """Return when the execution last entered a state, in epoch seconds."""
    return max(
        event["timestamp"].timestamp()
        for event in machines.events(execution.arn)
        if event.get("stateEnteredEventDetails", {}).get("name") == state
    )


def test_two_executions_each_wait_for_a_crawl_that_started_after_their_load(
    aws: Aws, machines: StateMachines, start: Any
) -> None:
    aws.settings(crawl_seconds=5.0)
    first = start("first")
    eventually(lambda: aws.client("glue").get_crawler(Name=CRAWLER)["Crawler"]["State"] == "RUNNING")
    time.sleep(1.1)  # the second crawl must start in another second than the first
    second = start("second")
    executions = [machines.wait_for(first), machines.wait_for(second)]

    for execution in executions:
        assert execution.status == "SUCCEEDED"
        assert crawler_state(execution) == "READY"
    assert {retry["error"] for retry in executions[1].retries} == {"Glue.CrawlerRunningException"}
    for execution in executions:
        assert crawl_started(execution, machines) >= int(entered(execution, "RunCrawlerUpdate", machines))
    # The second execution could not start a crawl while the first's ran, and did not accept that crawl.
    # (The first may have accepted the second's, which is newer.)
    assert (
        crawl_started(executions[1], machines)
        >= int(entered(executions[0], "RunCrawlerUpdate", machines)) + 5
    )


def test_two_simultaneous_executions_both_end_with_a_crawl(
    aws: Aws, machines: StateMachines, start: Any
) -> None:
    aws.settings(crawl_seconds=1.0)
    executions = [machines.wait_for(arn) for arn in [start("one"), start("other")]]

    assert [crawler_state(execution) for execution in executions] == ["READY", "READY"]
    assert sum(not execution.retries for execution in executions) >= 1, (
        "both executions retried the start of a crawl"
    )


def test_a_failed_crawl_makes_the_success_partial_and_reports_the_reason(
    aws: Aws, machines: StateMachines, start: Any
) -> None:
    aws.settings(crawl_seconds=0.2, crawl_error="Insufficient Lake Formation permission(s) on taxi_raw")
    execution = machines.wait_for(start("fails"))

    ((state, message),) = execution.published
    assert (execution.status, state, message["crawlerState"]) == (
        "SUCCEEDED",
        "NotifyPartialSuccess",
        "FAILED",
    )
    assert "Insufficient Lake Formation permission(s) on taxi_raw" in message["message"]


def test_a_crawl_that_never_ends_is_abandoned_after_sixty_polls(
    aws: Aws, machines: StateMachines, start: Any
) -> None:
    aws.wait_scale(0)
    aws.settings(crawl_seconds=600.0)
    execution = machines.wait_for(start("never-ends"))

    assert execution.path == [*CATALOG_PATH, "RunCrawlerUpdate", *CRAWL_POLL * 60, *CRAWL_FAILURE_PATH]
    assert crawler_state(execution) == "FAILED"


def test_a_crawl_that_started_before_the_load_is_repeated(
    aws: Aws, machines: StateMachines, start: Any
) -> None:
    aws.settings(crawl_seconds=4.0)
    aws.client("glue").start_crawler(Name=CRAWLER)
    time.sleep(1.1)
    execution = machines.wait_for(start("too-early"))

    assert crawler_state(execution) == "READY"
    assert execution.retries[0]["error"] == "Glue.CrawlerRunningException"
    assert crawl_started(execution, machines) >= int(entered(execution, "RunCrawlerUpdate", machines))


def test_a_deleted_crawler_makes_the_success_partial(aws: Aws, machines: StateMachines, start: Any) -> None:
    aws.client("glue").delete_crawler(Name=CRAWLER)
    try:
        execution = machines.wait_for(start("gone"))
    finally:
        aws.client("glue").create_crawler(
            Name=CRAWLER, Role="crawler", DatabaseName="taxi_raw", Targets={"S3Targets": []}
        )

    assert execution.path == [*CATALOG_PATH, "RunCrawlerUpdate", *CRAWL_FAILURE_PATH]
