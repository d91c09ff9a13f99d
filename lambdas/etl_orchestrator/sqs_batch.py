"""What becomes of a batch of queue messages? Each is done with, or named for another delivery."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.etl_orchestrator.dispatch import Dispatcher
from lambdas.observability import count, logger
from taxi_etl.events import UnreadableMessageError, parse_message
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import Trigger
from taxi_etl.metrics import Metric


def take(messages: Sequence[Mapping[str, Any]], dispatcher: Dispatcher, *, enabled: bool) -> dict[str, Any]:
    """Start or hold the files these SQS messages announce, and answer which messages shall come again.

    Those are exactly the ones that could not be read, and those with a file that could not be put in an
    execution (or on hold): what comes again too often goes to the dead-letter queue, where an alarm watches.
    """
    announced: dict[str, tuple[FileVersion, ...]] = {}
    again: list[str] = []
    for message in messages:
        message_id = message["messageId"]
        try:
            found = parse_message(message["body"])
        except UnreadableMessageError as problem:
            logger.error("a message cannot be read", message_id=message_id, problem=str(problem))
            again.append(message_id)
            continue
        for what, why in found.ignored:
            logger.info("ignored", what=what, why=why)
        announced[message_id] = found.versions
    versions = {version.identity: version for found in announced.values() for version in found}
    report = (
        dispatcher.dispatch(versions.values(), Trigger.S3) if enabled else dispatcher.hold(versions.values())
    )
    again += [
        message_id
        for message_id, found in announced.items()
        if any(version.identity in report.failed for version in found)
    ]
    repeated = sum(len(found) for found in announced.values()) - len(versions)
    count(Metric.FILES_RECEIVED, len(versions))
    count(Metric.DUPLICATE_EVENTS, repeated + report.known)
    count(Metric.EXECUTIONS_STARTED, report.started())
    count(Metric.FILES_HELD, report.held)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}
