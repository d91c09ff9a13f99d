"""Did an execution do what its scenario says? Every difference, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.workflow.definition import ACCOUNT
from tests.workflow.executions import Run
from tests.workflow.scenarios import GoldenNotification, Scenario
from tests.workflow.service_answers import BUCKET, MANIFEST


def misses(scenario: Scenario, run: Run) -> list[str]:
    """What differs from the scenario; empty when the run was as it should be."""
    found = []
    if run.path != list(scenario.path):
        found.append(f"went {run.path[-8:]} ({len(run.path)}), not {list(scenario.path)[-8:]}")
    if (run.status, run.error) != (scenario.status, scenario.error):
        found.append(f"ended {run.status} {run.error}, not {scenario.status} {scenario.error}")
    if scenario.cause not in run.cause:
        found.append(f"ended because of {run.cause!r}, without {scenario.cause!r}")
    waited = [(retry["state"], retry["error"], retry["delaySeconds"]) for retry in run.retries]
    if waited != list(scenario.waited):
        found.append(f"waited {waited}, not {list(scenario.waited)}")
    unjittered = [retry["state"] for retry in run.retries if retry["jitter"] != "FULL"]
    if unjittered:
        found.append(f"retried without jitter in {unjittered}")
    found += _unlike_others(scenario, run)
    told = [(state, message["status"]) for state, message in run.published]
    to_tell = [(told.state, told.status) for told in scenario.told]
    if told != to_tell:
        found.append(f"told {told}, not {to_tell}")
        return found
    for (_, message), wanted in zip(run.published, scenario.told, strict=True):
        found += _untold(message, wanted)
    return found


def _unlike_others(scenario: Scenario, run: Run) -> Iterator[str]:
    """What holds for every execution: exact arguments, half a minute between looks, the input as data."""
    name = run.arn.rsplit(":", 1)[1]
    arguments = {
        "ValidateInput": {
            "FunctionName": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:etl-orchestrator-validate-input",
            "Payload": {"input": scenario.given, "execution": {"name": name, "arn": run.arn}},
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
    for call in run.calls:
        state, given = call["state"], call["arguments"]
        if state in arguments and given != arguments[state]:
            yield f"{state} asked with {given}, not {arguments[state]}"
        if state not in arguments and given["TopicArn"] != topic:
            yield f"{state} published to {given['TopicArn']}, not {topic}"
    if any(wait != {"state": "WaitForCrawler", "seconds": 30} for wait in run.waits):
        yield f"waited {run.waits}, not half a minute each time"
    if run.status == "SUCCEEDED" and run.output != scenario.given:
        yield f"gave {run.output}, not its input"


def _untold(message: Mapping[str, Any], wanted: GoldenNotification) -> Iterator[str]:
    error = message.get("error", {"Error": "", "Cause": ""})
    if error["Error"] != wanted.error:
        yield f"told the error {error['Error']!r}, not {wanted.error!r}"
    if message.get("crawlerState", "") != wanted.crawler_state:
        yield f"told the crawl {message.get('crawlerState')}, not {wanted.crawler_state}"
    for fact in wanted.facts:
        if fact not in message["message"]:
            yield f"told {message['message']!r}, without {fact!r}"
        if wanted.error and fact not in error["Cause"]:
            yield f"told the cause {error['Cause']!r}, without {fact!r}"
