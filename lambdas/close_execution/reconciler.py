"""Which claims stayed open, and why? Repairs what no event told of, and says so.

AWS delivers status changes on a best-effort basis, and an orchestrator may die between claim and start. So on
a schedule every claim that has been open for long is looked into: one that never started is started, one that
ended is closed, one that runs is left alone.

An execution that someone started past the ledger, or sent on its way again by a redrive, has no open claim to
be found by. So the list of executions that ended lately is compared with the ledger too.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.close_execution.finalizer import Finalizer
from lambdas.executions import Ended, Executions
from lambdas.observability import count, logger
from taxi_etl import ledger
from taxi_etl.ledger import OPEN_EXECUTION, ExecutionRecord, ExecutionStatus
from taxi_etl.metrics import Metric

TIME_TO_STOP_MS = 10_000
"""Milliseconds before the timeout at which nothing new is begun; the next sweep goes on."""

LOOK_BACK = timedelta(days=1)
"""For how long an ended execution that the ledger does not know is looked for."""
Task = tuple[str, Callable[[], str | None]]
"""An execution's name, and what looks into it: it answers what it did, as `sweep` counts it, if anything."""


class ReconcileError(RuntimeError):
    """Some executions could not be looked into; the function's error alarm shall tell."""


def sweep(
    closer: Finalizer, executions: Executions, older_than: timedelta, remaining: Callable[[], int]
) -> dict[str, int]:
    """Look into every claim open for longer than that, and every ending as old that the ledger lacks.

    Returns what was done, and how often. One execution that makes trouble does not keep the others waiting.
    Raises ReconcileError at the end if any did.
    """
    now = closer.clock()
    done = {"started": 0, "closed": 0, "running": 0, "failed": 0}
    claims: Iterable[Task] = (
        (record.name, partial(_look_into, record, closer, executions, remaining))
        for record in _open_since(closer, ledger.stamp(now - older_than))
    )
    _do(claims, done, remaining)
    try:
        ended = executions.ended_between(now - LOOK_BACK, now - older_than)
    except (ClientError, BotoCoreError):
        logger.exception("the executions that ended could not be listed")
        ended, done["failed"] = [], done["failed"] + 1
    _do(
        ((each.name, partial(_adopt, each, closer, executions, remaining)) for each in ended), done, remaining
    )
    count(Metric.CLAIMS_ROLLED_FORWARD, done["started"])
    count(Metric.CLAIMS_SWEPT_UP, done["closed"])
    if done["failed"]:
        raise ReconcileError(f"{done['failed']} executions could not be looked into; the log says why")
    return done


def _do(tasks: Iterable[Task], done: dict[str, int], remaining: Callable[[], int]) -> None:
    for name, look in tasks:
        if remaining() < TIME_TO_STOP_MS:
            logger.warning("the sweep ran out of time; the next one goes on")
            return
        try:
            what = look()
        except (ClientError, BotoCoreError):
            logger.exception("an execution could not be looked into", execution=name)
            what = "failed"
        if what:
            done[what] += 1


def _open_since(closer: Finalizer, before: str) -> list[ExecutionRecord]:
    """The open claims. All are read before any is touched, which would change what the query finds."""
    return [
        ExecutionRecord.from_item(item)
        for status in OPEN_EXECUTION
        for item in closer.table.query(ledger.open_executions(status, before))
    ]


def _look_into(
    record: ExecutionRecord, closer: Finalizer, executions: Executions, remaining: Callable[[], int]
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


def _adopt(
    ended: Ended, closer: Finalizer, executions: Executions, remaining: Callable[[], int]
) -> str | None:
    """Close an ending of which the ledger knows nothing; claims that are open are not looked into here."""
    record = closer.table.execution(ended.name)
    if record and (record.status is not ExecutionStatus.CLOSED or record.redrives >= ended.redrives):
        return None
    description = executions.describe(ended.name)
    if description is None or not description.ended:
        return None
    logger.warning("an execution past the ledger ended and nobody closed it", execution=ended.name)
    return "closed" if closer.close(description, remaining()) else None
