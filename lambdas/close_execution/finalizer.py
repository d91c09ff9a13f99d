"""Close an ended execution: each outcome is recorded once, and each failure published at least once.

Closing has three steps, each of which may be repeated:

1. Acquire the execution's lease for as long as this invocation can live. Of two concurrent finalizers (the
   event and the reconciler, or an event delivered twice), one acquires it and the other stops.
2. Record the outcome of each file, and publish the failure unless the workflow published it.
3. Close the claim and release the lease.

SNS takes part in no DynamoDB transaction. When a finalizer dies after publishing and before closing, the next
one publishes again: a duplicate message, with the same `workflowExecutionId`, is better than none. A
finalizer that fails before publishing releases its lease, so that a retry need not wait.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.executions import Description
from lambdas.observability import count, logger
from stores.execution_documents import ExecutionDocuments
from stores.ledger import Ledger
from taxi_etl import message_texts, notifications
from taxi_etl.console import execution_url
from taxi_etl.failures import WarningCode
from taxi_etl.file_status import FileStatus
from taxi_etl.inputs import CURRENT_VERSION, ExecutionInput, Trigger, parse_input
from taxi_etl.ledger import ExecutionRecord, timestamp
from taxi_etl.metrics import Metric
from taxi_etl.outcomes import SUCCEEDED, Ending, FileOutcome
from taxi_etl.outcomes import count as count_outcomes

UNPARSEABLE_INPUT = ExecutionInput(bucket="", files=(), trigger=Trigger.MANUAL)
"""Placeholder for an unparseable manual input."""
SEVERITY = (FileStatus.FAILED, FileStatus.REJECTED, FileStatus.SUPERSEDED, FileStatus.LOADED)
"""The order in which a message lists files."""
METRICS = {
    FileStatus.LOADED: Metric.FILES_LOADED,
    FileStatus.REJECTED: Metric.FILES_REJECTED,
    FileStatus.FAILED: Metric.FILES_FAILED,
}


@dataclass(frozen=True)
class Finalizer:
    """Closes executions; `clock` returns the current time, `command` is how users call the command line.

    `chat` is whether HTTPS subscribers receive the format for chat channels.
    """

    ledger: Ledger
    documents: ExecutionDocuments
    sns: Any
    topic_arn: str
    command: str
    chat: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def close(self, execution: Description, lifetime_ms: int) -> bool:
        """Close an ended execution; False when it is closed already, or another finalizer holds its lease.

        `lifetime_ms` is how long this invocation can live. Raises AWS faults, after releasing the lease.
        """
        record = self.ledger.execution(execution.name)
        given = _parse_input(execution, record)
        adopted = None if record else _adopted_attributes(execution, given)
        now = self.clock()
        until = timestamp(now + timedelta(milliseconds=lifetime_ms))
        lease = self.ledger.acquire_lease(execution.name, timestamp(now), until, execution.redrives, adopted)
        if lease is None:
            return False
        ending = Ending(execution.status, execution.error, execution.cause)
        announce = ending.status != SUCCEEDED and ending.error not in notifications.ANNOUNCED_ERRORS
        try:
            outcomes = self.documents.outcomes(execution.name, given.files, ending)
            self._record(execution, outcomes, adopted_since=None if record else execution.started)
            if announce:
                self._publish(execution, given, outcomes, ending)
        except Exception:
            self.ledger.release_lease(lease)
            raise
        counts = count_outcomes(outcomes)
        attributes = {
            "outcome": execution.status,
            "error": execution.error,
            "counts": counts,
            "announced": announce,
            "redrives": execution.redrives,
        }
        if not self.ledger.close_execution(lease, attributes, self._now()):
            return False
        _send_metrics(outcomes)
        logger.info("closed", execution=execution.name, outcome=execution.status, counts=counts)
        return True

    def _record(
        self, execution: Description, outcomes: Sequence[FileOutcome], *, adopted_since: str | None
    ) -> None:
        for outcome in outcomes:
            version = outcome.version
            if version.version_id == CURRENT_VERSION:
                continue
            recorded = self.ledger.close_file(
                version, execution.name, outcome.attributes(), self._now(), adopted_since=adopted_since
            )
            if not recorded:
                logger.info("the file belongs to another execution", uri=version.uri)

    def _publish(
        self, execution: Description, given: ExecutionInput, outcomes: Sequence[FileOutcome], ending: Ending
    ) -> None:
        ordered = sorted(outcomes, key=lambda outcome: SEVERITY.index(outcome.status))
        keys = [version.key for version in given.files]
        counts = count_outcomes(outcomes)
        text = notifications.failure_text(ending.status, ending.error, ending.cause, counts)
        next_step = notifications.failure_next_step(self.command, execution.name, counts)
        subject = notifications.subject(notifications.Status.FAILED, notifications.label(keys))
        message = notifications.failure(
            text=text,
            bucket=given.bucket,
            keys=keys,
            error=ending.error or ending.status,
            cause=ending.cause or notifications.ENDINGS.get(ending.status, ""),
            timestamp=self._now(),
            execution_arn=execution.arn,
            files=[outcome.to_json() for outcome in ordered],
            manifest=self.documents.manifest_uri(execution.name),
            next_step=next_step,
        )
        email = message_texts.email_text(
            text,
            files=message_texts.files_text(
                given.bucket, [{**outcome.to_json(), "key": outcome.version.key} for outcome in ordered]
            ),
            facts=message_texts.NOT_REPORTED,
            next_step=next_step,
            link=execution_url(execution.arn),
        )
        self.sns.publish(
            TopicArn=self.topic_arn,
            Subject=subject,
            Message=message_texts.per_protocol(
                notifications.printed(message), subject, email, text, chat=self.chat
            ),
            MessageStructure="json",
            MessageAttributes=notifications.attributes(
                notifications.Status.FAILED, [outcome.dataset for outcome in outcomes]
            ),
        )

    def _now(self) -> str:
        return timestamp(self.clock())


def _parse_input(execution: Description, record: ExecutionRecord | None) -> ExecutionInput:
    """Return the execution's input; a manual input that cannot be parsed has no files."""
    text = record.input if record else execution.input
    try:
        return parse_input(json.loads(text))
    except ValueError:
        return UNPARSEABLE_INPUT


def _adopted_attributes(execution: Description, given: ExecutionInput) -> dict[str, Any]:
    """Return the ledger's attributes of an execution that was started without a claim."""
    return {
        "bucket": given.bucket,
        "trigger": str(given.trigger),
        "input": execution.input,
        "files": len(given.files),
        "attempt": 1,
        "arn": execution.arn,
        "startedAt": execution.started,
    }


def _send_metrics(outcomes: Sequence[FileOutcome]) -> None:
    for status, name in METRICS.items():
        count(name, sum(outcome.status is status for outcome in outcomes))
    loaded = [outcome for outcome in outcomes if outcome.status is FileStatus.LOADED]
    unusual = [
        outcome
        for outcome in loaded
        if any(each.code is WarningCode.UNUSUAL_MONTH for each in outcome.warnings)
    ]
    count(Metric.UNUSUAL_MONTHS, len(unusual))
    written = sum(outcome.written for outcome in loaded)
    quarantined = sum(outcome.quarantined for outcome in loaded)
    count(Metric.ROWS_WRITTEN, written)
    count(Metric.ROWS_QUARANTINED, quarantined)
    count(Metric.QUARANTINE_PERCENT, 100 * quarantined // (written + quarantined) if quarantined else 0)
