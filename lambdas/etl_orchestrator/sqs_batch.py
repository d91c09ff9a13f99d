"""Process a batch of SQS messages that announce uploaded files."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.etl_orchestrator.dispatch import Dispatcher
from lambdas.observability import count, logger
from taxi_etl.events import UnreadableMessageError, parse_message
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import Trigger
from taxi_etl.metrics import Metric


def process(
    messages: Sequence[Mapping[str, Any]], dispatcher: Dispatcher, *, enabled: bool
) -> dict[str, Any]:
    """Dispatch the announced files, or hold them unless `enabled`; return SQS's partial batch response.

    A message fails when it cannot be parsed, or when one of its files could not be dispatched or held. SQS
    delivers failed messages again, and moves them to the dead-letter queue when they fail too often.
    """
    files_by_message, failed = _parse(messages)
    versions = {version.identity: version for files in files_by_message.values() for version in files}
    if enabled:
        report = dispatcher.dispatch(versions.values(), Trigger.S3)
    else:
        report = dispatcher.hold(versions.values())
    failed += [
        message_id
        for message_id, files in files_by_message.items()
        if any(version.identity in report.failed for version in files)
    ]
    repeated = sum(len(files) for files in files_by_message.values()) - len(versions)
    count(Metric.FILES_RECEIVED, len(versions))
    count(Metric.DUPLICATE_EVENTS, repeated + report.already_recorded)
    count(Metric.EXECUTIONS_STARTED, report.started())
    count(Metric.FILES_HELD, report.held)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _parse(messages: Sequence[Mapping[str, Any]]) -> tuple[dict[str, tuple[FileVersion, ...]], list[str]]:
    """Return the announced files by message ID, and the IDs of the messages that cannot be parsed."""
    files_by_message: dict[str, tuple[FileVersion, ...]] = {}
    unparseable: list[str] = []
    ignored = 0
    for message in messages:
        message_id = message["messageId"]
        try:
            parsed = parse_message(message["body"])
        except UnreadableMessageError as error:
            logger.error("cannot parse a message", message_id=message_id, problem=str(error))
            unparseable.append(message_id)
            continue
        for uri, reason in parsed.ignored:
            logger.info("ignored an event", uri=uri, reason=reason)
        ignored += len(parsed.ignored)
        files_by_message[message_id] = parsed.versions
    count(Metric.EVENTS_IGNORED, ignored)
    return files_by_message, unparseable
