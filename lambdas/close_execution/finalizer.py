"""How is an execution closed so that its outcome is neither lost nor told twice?

Three steps, each of which may be repeated:

1. Take the ending into our hands for as long as this invocation can live. Of two closers (the event
   and the sweep, or an event delivered twice) one gets it; the other leaves.
2. Write what became of each file, and publish the message if nobody else did.
3. Close the claim, which no closer takes up again.

SNS knows no transaction with DynamoDB, so something has to give when a closer dies between publishing and
closing: then the next one publishes again. A message twice is better than none; `workflowExecutionId` tells
that it is one. A closer that fails before it published gives the ending back, so that a retry need not wait.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.execution_documents import ExecutionDocuments
from lambdas.executions import Description
from lambdas.ledger_table import LedgerTable
from lambdas.observability import count, logger
from taxi_etl import ledger, notifications
from taxi_etl.inputs import CURRENT_VERSION, ExecutionInput, Trigger, parse_input
from taxi_etl.ledger import ExecutionRecord, ExecutionStatus, FileStatus
from taxi_etl.metrics import Metric
from taxi_etl.outcomes import SUCCEEDED, Ending, FileOutcome, outcomes
from taxi_etl.outcomes import count as count_outcomes

UNREADABLE = ExecutionInput(bucket="", files=(), trigger=Trigger.MANUAL)
"""What is left of an input, given by hand, that is none."""
SEVERITY = (FileStatus.FAILED, FileStatus.REJECTED, FileStatus.SUPERSEDED, FileStatus.LOADED)
"""The order in which a message lists files."""
METRICS = {
    FileStatus.LOADED: Metric.FILES_LOADED,
    FileStatus.REJECTED: Metric.FILES_REJECTED,
    FileStatus.FAILED: Metric.FILES_FAILED,
}


@dataclass(frozen=True)
class Finalizer:
    """Closes executions; `clock` gives the present moment, `command` is how the command line is called."""

    table: LedgerTable
    documents: ExecutionDocuments
    sns: Any
    topic_arn: str
    command: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def close(self, execution: Description, lifetime_ms: int) -> bool:
        """Write down how an ended execution ended; False when that is done, or in another closer's hands.

        `lifetime_ms` is how long this invocation can live. Raises AWS faults, after giving the ending back.
        """
        record = self.table.execution(execution.name)
        if record and record.status is ExecutionStatus.CLOSED and record.redrives >= execution.redrives:
            return False
        given = _given(execution, record)
        now = self.clock()
        until = ledger.stamp(now + timedelta(milliseconds=lifetime_ms))
        adopted = None if record is not None else _adopted(execution, given)
        taking = ledger.acquire_lease(execution.name, ledger.stamp(now), until, execution.redrives, adopted)
        if not self.table.update(taking):
            return False
        try:
            found = self._outcomes(execution, given)
            self._write_files(execution, found, adopted=adopted is not None)
            ending = Ending(execution.status, execution.error, execution.cause)
            announce = ending.status != SUCCEEDED and ending.error not in notifications.ANNOUNCED_ERRORS
            if announce:
                self._publish(execution, given, found, ending)
        except Exception:
            self.table.update(ledger.release_lease(execution.name, until))
            raise
        counts = count_outcomes(found)
        facts = {
            "outcome": execution.status,
            "error": execution.error,
            "counts": counts,
            "announced": announce,
            "redrives": execution.redrives,
        }
        if not self.table.update(ledger.close_execution_item(execution.name, until, facts, self._now())):
            return False
        _count(found)
        logger.info("closed", execution=execution.name, outcome=execution.status, counts=counts)
        return True

    def _outcomes(self, execution: Description, given: ExecutionInput) -> tuple[FileOutcome, ...]:
        return outcomes(
            given.files,
            self.documents.manifest(execution.name),
            self.documents.result(execution.name),
            Ending(execution.status, execution.error, execution.cause),
        )

    def _write_files(self, execution: Description, found: Sequence[FileOutcome], *, adopted: bool) -> None:
        since = execution.started if adopted else None
        for outcome in found:
            if outcome.version.version_id == CURRENT_VERSION:
                continue
            request = ledger.close_file(
                outcome.version, execution.name, outcome.attributes(), self._now(), adopted_since=since
            )
            if not self.table.update(request):
                logger.info("the file is another execution's now", uri=outcome.version.uri)

    def _publish(
        self, execution: Description, given: ExecutionInput, found: Sequence[FileOutcome], ending: Ending
    ) -> None:
        ordered = sorted(found, key=lambda outcome: SEVERITY.index(outcome.status))
        keys = [version.key for version in given.files]
        counts = count_outcomes(found)
        message = notifications.failure(
            text=notifications.failure_text(ending.status, ending.error, ending.cause, counts),
            bucket=given.bucket,
            keys=keys,
            error=ending.error or ending.status,
            cause=ending.cause or notifications.ENDINGS.get(ending.status, ""),
            timestamp=self._now(),
            execution_arn=execution.arn,
            files=[outcome.to_json() for outcome in ordered],
            manifest=self.documents.manifest_uri(execution.name),
            next_step=notifications.failure_next_step(self.command, execution.name, counts),
        )
        self.sns.publish(
            TopicArn=self.topic_arn,
            Subject=notifications.subject(notifications.Status.FAILED, notifications.label(keys)),
            Message=notifications.printed(message),
            MessageAttributes=notifications.attributes(
                notifications.Status.FAILED, [outcome.dataset for outcome in found]
            ),
        )

    def _now(self) -> str:
        return ledger.stamp(self.clock())


def _given(execution: Description, record: ExecutionRecord | None) -> ExecutionInput:
    """The execution's input. One that is none, given by hand, names no files; its end is told too."""
    text = record.input if record else execution.input
    try:
        return parse_input(json.loads(text))
    except ValueError:
        return UNREADABLE


def _adopted(execution: Description, given: ExecutionInput) -> dict[str, Any]:
    """What the ledger keeps of an execution that did not come through it."""
    return {
        "bucket": given.bucket,
        "trigger": str(given.trigger),
        "input": execution.input,
        "files": len(given.files),
        "attempt": 1,
        "arn": execution.arn,
        "startedAt": execution.started,
    }


def _count(found: Sequence[FileOutcome]) -> None:
    for status, name in METRICS.items():
        count(name, sum(outcome.status is status for outcome in found))
    loaded = [outcome for outcome in found if outcome.status is FileStatus.LOADED]
    written = sum(outcome.written for outcome in loaded)
    quarantined = sum(outcome.quarantined for outcome in loaded)
    count(Metric.ROWS_WRITTEN, written)
    count(Metric.ROWS_QUARANTINED, quarantined)
    count(Metric.QUARANTINE_PERCENT, 100 * quarantined // (written + quarantined) if quarantined else 0)
