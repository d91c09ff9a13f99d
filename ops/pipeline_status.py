"""How does the pipeline stand? Recent executions, and counts of what waits, runs and failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.deployment import Deployment
from ops.file_outcomes import ledger
from ops.session import Session
from taxi_etl.file_status import FileStatus
from taxi_etl.ledger import OPEN_EXECUTION

_WATCHED_FILES = (
    FileStatus.RECEIVED,
    FileStatus.RUNNING,
    FileStatus.HELD,
    FileStatus.FAILED,
    FileStatus.REJECTED,
)
_QUEUE_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


@dataclass(frozen=True)
class Listed:
    """An execution in a list; `files` and `trigger` as the ledger knows them."""

    name: str
    arn: str
    status: str
    started: datetime
    stopped: datetime | None
    files: int | None
    trigger: str

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints about it."""
        took = (self.stopped - self.started).total_seconds() if self.stopped else None
        return {
            "name": self.name,
            "arn": self.arn,
            "status": self.status,
            "started": self.started,
            "stopped": self.stopped,
            "seconds": took,
            "files": self.files,
            "trigger": self.trigger,
        }


def executions(session: Session, deployment: Deployment, wanted: int, status: str = "") -> list[Listed]:
    """The newest executions, the last to start first; of one status if it is named."""
    pages = session.client("stepfunctions").get_paginator("list_executions")
    only = {"statusFilter": status} if status else {}
    answer = pages.paginate(
        stateMachineArn=deployment.state_machine_arn, PaginationConfig={"MaxItems": wanted}, **only
    )
    found = [_listed(session, deployment, entry) for page in answer for entry in page["executions"]]
    # AWS sorts those that have ended by their end.
    return sorted(found, key=lambda each: each.started, reverse=True)


def _listed(session: Session, deployment: Deployment, entry: dict[str, Any]) -> Listed:
    record = ledger(session, deployment).execution(entry["name"])
    return Listed(
        name=entry["name"],
        arn=entry["executionArn"],
        status=entry["status"],
        started=entry["startDate"],
        stopped=entry.get("stopDate"),
        files=record.files if record else None,
        trigger=record.trigger if record else "",
    )


def status(session: Session, deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Counts of files and open executions by status, messages by queue, and the state of each alarm."""
    found = ledger(session, deployment)
    return {
        "files": {str(each): found.count_files(each) for each in _WATCHED_FILES},
        "executions": {str(each): found.count_executions(each) for each in OPEN_EXECUTION},
        "queues": dict(_queues(session, deployment)),
        "alarms": dict(_alarms(session, deployment)),
    }


def _queues(session: Session, deployment: Deployment) -> Iterator[tuple[str, int]]:
    urls = {
        "events": deployment.queue_url,
        "events, dead letters": deployment.dead_letter_queue_url,
        "closer, dead letters": deployment.close_dead_letter_queue_url,
    }
    for name, url in urls.items():
        answer = session.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_QUEUE_COUNTS))
        yield name, sum(int(answer["Attributes"].get(each, 0)) for each in _QUEUE_COUNTS)


def _alarms(session: Session, deployment: Deployment) -> Iterator[tuple[str, str]]:
    if not deployment.alarm_names:
        return
    pages = session.client("cloudwatch").get_paginator("describe_alarms")
    for page in pages.paginate(AlarmNames=list(deployment.alarm_names), AlarmTypes=["MetricAlarm"]):
        for alarm in page["MetricAlarms"]:
            yield alarm["AlarmName"], alarm["StateValue"]
