"""Do crawls end well when they meet? Real steps around the emulated crawler, which is not scripted here."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.local_account import Aws, eventually
from tests.workflow.executions import Machines, Run
from tests.workflow.scenarios import CATALOG, CRAWL_FAILED, GOOD, LOOK, ONE_FILE
from tests.workflow.service_answers import summarised

TO_CRAWL = {**GOOD, "ReadJobResult": [summarised(changed=True)]}
CRAWLER = "crawler-taxi-raw"
WAIT_SCALE = 0.01
"""30 s between looks become 0.3 s, so that crawls of some seconds are looked at often."""


@pytest.fixture
def aws(workflow_aws: Aws) -> Iterator[Aws]:
    """The account with a crawler that never ran, and with waits that take a little time."""
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
    workflow_aws.settings(crawl_seconds=2.0, crawl_fails="")
    workflow_aws.wait_scale(0)
    if glue.get_crawler(Name=CRAWLER)["Crawler"]["State"] == "RUNNING":
        glue.stop_crawler(Name=CRAWLER)
    eventually(lambda: glue.get_crawler(Name=CRAWLER)["Crawler"]["State"] == "READY")
    glue.delete_crawler(Name=CRAWLER)
    glue.delete_database(Name="taxi_raw")


@pytest.fixture
def start(aws: Aws, machines: Machines, executable: Any) -> Any:
    """Starts an execution whose load changed the columns."""
    arn = machines.arn(executable())
    return lambda name: machines.start(arn, name, ONE_FILE, TO_CRAWL)


def crawler_state(run: Run) -> str:
    """What the execution told about the crawl."""
    ((_, message),) = run.published
    return str(message["crawlerState"])


def crawl_begun(run: Run, machines: Machines) -> float:
    """When the crawl began by which the execution judged, as epoch seconds."""
    started = json.loads(task_outputs(run, machines)[-1])["Crawler"]["LastCrawl"]["StartTime"]
    return time.mktime(time.strptime(started[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone


def task_outputs(run: Run, machines: Machines) -> list[str]:
    """What getCrawler answered, look by look."""
    outputs = [
        event["taskSucceededEventDetails"]["output"]
        for event in machines.events(run.arn)
        if event["type"] == "TaskSucceeded"
    ]
    return [output for output in outputs if "LastCrawl" in output or '"Crawler"' in output]


def entered(run: Run, state: str, machines: Machines) -> float:
    """When the execution last entered a state, as epoch seconds."""
    return max(
        event["timestamp"].timestamp()
        for event in machines.events(run.arn)
        if event.get("stateEnteredEventDetails", {}).get("name") == state
    )


def test_two_executions_that_need_a_crawl_each_get_one_that_saw_their_files(
    aws: Aws, machines: Machines, start: Any
) -> None:
    aws.settings(crawl_seconds=5.0)
    first = start("first")
    eventually(lambda: aws.client("glue").get_crawler(Name=CRAWLER)["Crawler"]["State"] == "RUNNING")
    time.sleep(1.1)  # into another second than the first crawl's
    second = start("second")
    runs = [machines.finished(first), machines.finished(second)]

    for run in runs:
        assert run.status == "SUCCEEDED"
        assert crawler_state(run) == "READY"
    assert {retry["error"] for retry in runs[1].retries} == {"Glue.CrawlerRunningException"}
    for run in runs:
        assert crawl_begun(run, machines) >= int(entered(run, "RunCrawlerUpdate", machines))
    # The second was refused while the first's crawl ran, and did not count that crawl as its own. (The first
    # may have judged by the second's: it is newer still.)
    assert crawl_begun(runs[1], machines) >= int(entered(runs[0], "RunCrawlerUpdate", machines)) + 5


def test_two_executions_at_the_very_same_time_both_end_with_a_crawl(
    aws: Aws, machines: Machines, start: Any
) -> None:
    aws.settings(crawl_seconds=1.0)
    runs = [machines.finished(arn) for arn in [start("one"), start("other")]]

    assert [crawler_state(run) for run in runs] == ["READY", "READY"]
    assert sum(not run.retries for run in runs) >= 1, "nobody started at once"


def test_a_crawl_that_fails_makes_the_success_partial_and_says_why(
    aws: Aws, machines: Machines, start: Any
) -> None:
    aws.settings(crawl_seconds=0.2, crawl_fails="Insufficient Lake Formation permission(s) on taxi_raw")
    run = machines.finished(start("fails"))

    ((state, message),) = run.published
    assert (run.status, state, message["crawlerState"]) == ("SUCCEEDED", "NotifyPartialSuccess", "FAILED")
    assert "Insufficient Lake Formation permission(s) on taxi_raw" in message["message"]


def test_a_crawl_that_never_ends_is_looked_at_sixty_times_and_not_waited_for(
    aws: Aws, machines: Machines, start: Any
) -> None:
    aws.wait_scale(0)
    aws.settings(crawl_seconds=600.0)
    run = machines.finished(start("never-ends"))

    assert run.path == [*CATALOG, "RunCrawlerUpdate", *LOOK * 60, *CRAWL_FAILED]
    assert crawler_state(run) == "FAILED"


def test_a_crawl_that_began_too_early_is_followed_by_our_own(
    aws: Aws, machines: Machines, start: Any
) -> None:
    aws.settings(crawl_seconds=4.0)
    aws.client("glue").start_crawler(Name=CRAWLER)
    time.sleep(1.1)
    run = machines.finished(start("too-early"))

    assert crawler_state(run) == "READY"
    assert run.retries[0]["error"] == "Glue.CrawlerRunningException"
    assert crawl_begun(run, machines) >= int(entered(run, "RunCrawlerUpdate", machines))


def test_a_crawler_that_is_gone_makes_the_success_partial(aws: Aws, machines: Machines, start: Any) -> None:
    aws.client("glue").delete_crawler(Name=CRAWLER)
    try:
        run = machines.finished(start("gone"))
    finally:
        aws.client("glue").create_crawler(
            Name=CRAWLER, Role="crawler", DatabaseName="taxi_raw", Targets={"S3Targets": []}
        )

    assert run.path == [*CATALOG, "RunCrawlerUpdate", *CRAWL_FAILED]
