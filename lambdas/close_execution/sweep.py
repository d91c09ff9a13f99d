"""Which claims stayed open, and why? Repairs what no event told of, and says so.

AWS delivers status changes on a best-effort basis, and an orchestrator may die between claim and start. So on
a schedule every claim that has been open for long is looked into: one that never started is started, one that
ended is closed, one that runs is left alone.
"""

from collections.abc import Callable
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.close_execution.closing import Closer
from lambdas.executions import Executions
from lambdas.observability import count, logger
from taxi_etl import ledger
from taxi_etl.ledger import OPEN_EXECUTION, ExecutionRecord

TIME_TO_STOP_MS = 10_000
"""Milliseconds before the timeout at which nothing new is begun; the next sweep goes on."""


class SweepError(RuntimeError):
    """Some open claims could not be looked into; the function's error alarm shall tell."""


def sweep(
    closer: Closer, executions: Executions, older_than: timedelta, remaining: Callable[[], int]
) -> dict[str, int]:
    """Look into every claim open for longer than that; returns what was done, and how often.

    One claim that makes trouble does not keep the others waiting. Raises SweepError at the end if any did.
    """
    before = ledger.stamp(closer.clock() - older_than)
    done = {"started": 0, "closed": 0, "running": 0, "failed": 0}
    for record in _open_since(closer, before):
        if remaining() < TIME_TO_STOP_MS:
            logger.warning("the sweep ran out of time; the next one goes on")
            break
        try:
            done[_look_into(record, closer, executions, remaining)] += 1
        except (ClientError, BotoCoreError):
            logger.exception("an open claim could not be looked into", execution=record.name)
            done["failed"] += 1
    count("ClaimsRolledForward", done["started"])
    count("ClaimsSweptUp", done["closed"])
    if done["failed"]:
        raise SweepError(f"{done['failed']} open claims could not be looked into; the log says why")
    return done


def _open_since(closer: Closer, before: str) -> list[ExecutionRecord]:
    """The open claims. All are read before any is touched, which would change what the query finds."""
    return [
        ExecutionRecord.from_item(item)
        for status in OPEN_EXECUTION
        for item in closer.table.query(ledger.open_executions(status, before))
    ]


def _look_into(
    record: ExecutionRecord, closer: Closer, executions: Executions, remaining: Callable[[], int]
) -> str:
    """Bring one claim on its way; returns what was done, as `sweep` counts it."""
    description = executions.describe(record.name)
    if description is None:
        logger.warning("an execution never started, or is forgotten; starting it", execution=record.name)
        executions.start(record.name, record.input)
        return "started"
    if not description.ended:
        return "running"
    logger.warning("an execution ended and nobody closed it", execution=record.name)
    closer.close(description, remaining())
    return "closed"
