"""Reconcile the ledger with Step Functions on a schedule, in case an event or an orchestrator was lost.

AWS delivers status changes on a best-effort basis, and an orchestrator may die between claiming files and
starting their execution. Each claim that has been open for long is therefore looked up: an execution that
never started is started, one that ended is closed, one that is running is left alone.

An execution that was started without a claim, or redriven after it was closed, has no open claim. The
executions that ended lately are therefore looked up in the ledger, too.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.close_execution.finalizer import Finalizer
from lambdas.executions import EndedExecution, Executions
from lambdas.observability import count, logger
from taxi_etl.ledger import ExecutionRecord, timestamp
from taxi_etl.metrics import Metric

STOP_BEFORE_TIMEOUT_MS = 10_000
"""Milliseconds before the timeout at which the reconciler stops; its next run continues."""

LOOKBACK = timedelta(days=1)
"""How long after its end an execution that the ledger lacks is looked for."""


class Repair(StrEnum):
    """What the reconciler did about one execution."""

    STARTED = "started"
    CLOSED = "closed"
    RUNNING = "running"
    FAILED = "failed"


Task = tuple[str, Callable[[], Repair | None]]
"""An execution's name, and the function that reconciles it; that returns None when nothing was to be done."""


class ReconcileError(RuntimeError):
    """Some executions could not be reconciled; raised to set off the function's error alarm."""


@dataclass(frozen=True)
class Reconciler:
    """Repairs claims that are older than `min_age`; `remaining_ms` returns the invocation's time left."""

    finalizer: Finalizer
    executions: Executions
    min_age: timedelta
    remaining_ms: Callable[[], int]

    def run(self) -> dict[str, int]:
        """Reconcile open claims and ended executions; return how many had which `Repair`.

        An execution that cannot be reconciled does not stop the others. Raises ReconcileError at the end if
        there was any.
        """
        now = self.finalizer.clock()
        repairs: Counter[Repair] = Counter()
        # All open claims are read before the first is repaired, which changes what the query finds.
        records = self.finalizer.ledger.open_executions(timestamp(now - self.min_age))
        self._run_tasks(((record.name, partial(self._repair, record)) for record in records), repairs)
        ended = self._ended_executions(now, repairs)
        self._run_tasks(((each.name, partial(self._adopt, each)) for each in ended), repairs)
        count(Metric.CLAIMS_ROLLED_FORWARD, repairs[Repair.STARTED])
        count(Metric.CLAIMS_SWEPT_UP, repairs[Repair.CLOSED])
        if repairs[Repair.FAILED]:
            raise ReconcileError(f"cannot reconcile {repairs[Repair.FAILED]} executions, see the log")
        return {str(repair): repairs[repair] for repair in Repair}

    def _run_tasks(self, tasks: Iterable[Task], repairs: Counter[Repair]) -> None:
        for name, task in tasks:
            if self.remaining_ms() < STOP_BEFORE_TIMEOUT_MS:
                logger.warning("the reconciler ran out of time; its next run continues")
                return
            try:
                repair = task()
            except (ClientError, BotoCoreError):
                logger.exception("cannot reconcile an execution", execution=name)
                repair = Repair.FAILED
            if repair:
                repairs[repair] += 1

    def _repair(self, record: ExecutionRecord) -> Repair | None:
        """Start or close the execution of an open claim, as Step Functions describes it."""
        description = self.executions.describe(record.name)
        if description is None:
            logger.warning("starting an execution that Step Functions does not have", execution=record.name)
            self.executions.start(record.name, record.input)
            return Repair.STARTED
        if not description.ended:
            return Repair.RUNNING
        logger.warning("closing an execution whose ending was not reported", execution=record.name)
        return Repair.CLOSED if self.finalizer.close(description, self.remaining_ms()) else None

    def _ended_executions(self, now: datetime, repairs: Counter[Repair]) -> list[EndedExecution]:
        try:
            return self.executions.ended_between(now - LOOKBACK, now - self.min_age)
        except (ClientError, BotoCoreError):
            logger.exception("cannot list the ended executions")
            repairs[Repair.FAILED] += 1
            return []

    def _adopt(self, ended: EndedExecution) -> Repair | None:
        """Close an ending that the ledger lacks: of an execution without a claim, or of a redrive."""
        record = self.finalizer.ledger.execution(ended.name)
        if record and record.redrives >= ended.redrives:
            return None
        description = self.executions.describe(ended.name)
        if description is None or not description.ended:
            return None
        logger.warning("closing an execution that the ledger lacks", execution=ended.name)
        return Repair.CLOSED if self.finalizer.close(description, self.remaining_ms()) else None
