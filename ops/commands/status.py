"""The command `status`: counts of files, executions and messages, and the states of the alarms."""

from collections.abc import Iterator
from typing import Any

import typer

from ops.commands.context import app_of
from ops.deployment import Deployment
from ops.file_outcomes import ledger
from ops.output import table
from ops.session import Session
from taxi_etl.file_status import FileStatus
from taxi_etl.ledger import OPEN_EXECUTION

FILE_STATUSES = (
    FileStatus.RECEIVED,
    FileStatus.RUNNING,
    FileStatus.HELD,
    FileStatus.FAILED,
    FileStatus.REJECTED,
)
"""The statuses of files that wait, run, or need attention; loaded files are too many to count."""
_QUEUE_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_QUEUE_LABELS = {
    "events": "file events",
    "events, dead letters": "file events, dead letters",
    "closer, dead letters": "finalizer, dead letters",
}


def status(context: typer.Context) -> None:
    """Show files, executions and messages by status, and the states of the alarms."""
    app = app_of(context)
    found = pipeline_status(app.session, app.deployment)
    queues = ((_QUEUE_LABELS[name], messages) for name, messages in found["queues"].items())
    app.output.result(
        found,
        table("file status", "files", rows=found["files"].items()),
        "",
        table("execution status", "executions", rows=found["executions"].items()),
        "",
        table("queue", "messages", rows=queues),
        "",
        table("alarm", "state", rows=found["alarms"].items()),
    )


def pipeline_status(session: Session, deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Count files and open executions by status and messages by queue, and read the state of each alarm."""
    records = ledger(session, deployment)
    return {
        "files": {str(each): records.count_files(each) for each in FILE_STATUSES},
        "executions": {str(each): records.count_executions(each) for each in OPEN_EXECUTION},
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
