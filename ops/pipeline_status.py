"""The state of the whole pipeline: last loads, waiting and failed files, missing months, queues, alarms."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ops.deployment import Deployment
from ops.file_outcomes import ledger
from ops.file_versions import moment, problem_step
from ops.session import Session, Target
from taxi_etl.coverage import Coverage, coverage, month_text
from taxi_etl.file_status import FileStatus
from taxi_etl.ledger import OPEN_EXECUTION, FileRecord
from taxi_etl.version_outcomes import PROBLEMS, unresolved

WAITING = (FileStatus.RECEIVED, FileStatus.RUNNING, FileStatus.HELD)
LAST_LOADS = 5
_QUEUE_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


@dataclass(frozen=True)
class PipelineStatus:
    """What `taxi-etl status` shows.

    `loaded` are all loaded versions, the newest load first; `waiting` are all files that wait or run, those
    longest in their status first; `problems` are the files whose latest version was rejected or failed and
    that have not loaded since, the latest first. `counts` are files by status, without those loaded.
    """

    loaded: Sequence[FileRecord]
    waiting: Sequence[FileRecord]
    problems: Sequence[FileRecord]
    months: Sequence[Coverage]
    counts: dict[str, int]
    executions: dict[str, int]
    queues: dict[str, int]
    alarms: dict[str, str]

    @property
    def last_loads(self) -> Sequence[FileRecord]:
        """The latest loads, the newest first."""
        return self.loaded[:LAST_LOADS]

    def to_json(self, target: Target) -> dict[str, Any]:
        """Return the JSON document; `target` is that of the commands in next steps."""
        return {
            "files": self.counts,
            "executions": self.executions,
            "queues": self.queues,
            "alarms": self.alarms,
            "lastLoads": [_file_json(record) for record in self.last_loads],
            "waiting": [_file_json(record) for record in self.waiting],
            "problems": [
                {**_file_json(record), "nextStep": problem_step(target, record)} for record in self.problems
            ],
            "months": [
                {
                    "dataset": each.dataset,
                    "first": month_text(each.first),
                    "last": month_text(each.last),
                    "loaded": each.loaded,
                    "missing": [month_text(month) for month in each.missing],
                }
                for each in self.months
            ],
        }


def pipeline_status(session: Session, deployment: Deployment) -> PipelineStatus:
    """Read the state of the pipeline from the ledger, the queues and the alarms."""
    records = ledger(session, deployment)
    by_status = {each: list(records.files_with(each)) for each in (*WAITING, *PROBLEMS)}
    loaded = list(records.files_with(FileStatus.LOADED))
    waiting = [record for status in WAITING for record in by_status[status]]
    problems = [record for status in PROBLEMS for record in by_status[status]]
    return PipelineStatus(
        loaded=sorted(loaded, key=lambda each: each.updated_at, reverse=True),
        waiting=sorted(waiting, key=lambda each: each.updated_at),
        problems=unresolved(problems, loaded),
        months=coverage((record.dataset, record.version.key) for record in with_rows(loaded)),
        counts={str(status): len(found) for status, found in by_status.items()},
        executions={str(each): records.count_executions(each) for each in OPEN_EXECUTION},
        queues=dict(_queues(session, deployment)),
        alarms=dict(_alarms(session, deployment)),
    )


def with_rows(loaded: Iterable[FileRecord]) -> list[FileRecord]:
    """Return the record of each file's latest load, without files whose latest load wrote no rows."""
    latest = {
        (record.version.bucket, record.version.key): record
        for record in sorted(loaded, key=lambda each: each.updated_at)
    }
    return [record for record in latest.values() if record.rows is None or record.rows["written"]]


def _file_json(record: FileRecord) -> dict[str, Any]:
    return {
        "bucket": record.version.bucket,
        "key": record.version.key,
        "versionId": record.version.version_id,
        "status": str(record.status),
        "since": moment(record.updated_at),
        "execution": record.execution,
        "dataset": record.dataset,
        "rows": record.rows,
        "reasons": list(record.reasons),
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
