"""How does a file become part of exactly one execution? Claim first, then start.

The claim is one transaction in the ledger, so of two orchestrators that see the same file one gets it.
Whoever finds a claim that is still open starts its execution once more, by its own name and input: should the
first have died between claim and start, that repairs it, and otherwise it changes nothing.
"""

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import sleep
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.executions import Executions
from lambdas.ledger_table import LedgerTable
from lambdas.observability import logger
from taxi_etl import ledger
from taxi_etl.batches import BatchLimits, batches
from taxi_etl.identity import FileVersion, execution_name
from taxi_etl.inputs import ExecutionInput, Trigger, parse_input
from taxi_etl.ledger import Claim, ExecutionStatus, FileRecord

ASKED_AGAIN = (Trigger.REPLAY, Trigger.BACKFILL)
"""What people ask for of files that may have been loaded before, perhaps unknown to this ledger."""
ROUNDS = 6
"""How often files are read and claimed anew when others claimed some of them meanwhile."""
FIRST_PAUSE = 0.05
"""Seconds to wait at most before the second round, doubled for each later one. The jitter keeps rivals that
met once from meeting again."""
Identity = tuple[str, str, str]
Records = dict[Identity, FileRecord]


@dataclass(frozen=True)
class Dispatched:
    """An execution that files were found or put in: `state` is started, running (it was open) or closed."""

    name: str
    arn: str
    files: int
    state: str

    def to_json(self) -> dict[str, Any]:
        """The entry of a command's answer."""
        return {"name": self.name, "arn": self.arn, "files": self.files, "state": self.state}


@dataclass
class Report:
    """What a dispatch did: executions by name, files known before or held, and files to try again."""

    executions: dict[str, Dispatched] = field(default_factory=dict)
    known: int = 0
    held: int = 0
    failed: set[Identity] = field(default_factory=set)

    def started(self) -> int:
        """How many executions were started."""
        return sum(each.state == "started" for each in self.executions.values())


@dataclass(frozen=True)
class Dispatcher:
    """Puts files into executions; `clock` gives the present moment."""

    table: LedgerTable
    executions: Executions
    limits: BatchLimits
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def dispatch(self, versions: Iterable[FileVersion], trigger: Trigger) -> Report:
        """Claim and start what nobody has claimed, roll forward what is open; replay what is closed.

        AWS faults are logged and leave their files in `failed`: whoever asked may ask again, at no risk.
        """
        report = Report()
        pending = {version.identity: version for version in versions}
        for number in range(ROUNDS):
            if number and pending:
                sleep(random.uniform(0, FIRST_PAUSE * 2 ** (number - 1)))  # noqa: S311 (no secret)
            if pending:
                pending = self._round(pending, trigger, report)
        if pending:
            logger.error("files are claimed by others again and again", files=len(pending))
        report.failed |= pending.keys()
        return report

    def hold(self, versions: Iterable[FileVersion]) -> Report:
        """Record the files without starting anything."""
        report = Report()
        for version in versions:
            try:
                if self.table.update(ledger.hold(version, self._now())):
                    report.held += 1
                else:
                    report.known += 1
            except (ClientError, BotoCoreError):
                logger.exception("a file could not be recorded", uri=version.uri)
                report.failed.add(version.identity)
        return report

    def _round(
        self, pending: dict[Identity, FileVersion], trigger: Trigger, report: Report
    ) -> dict[Identity, FileVersion]:
        """One read of the ledger and what follows from it; returns the files whose claim came too late."""
        replay = trigger is Trigger.REPLAY
        records = self.table.files(pending.values())
        taken = [record for record in records.values() if not ledger.is_claimable(record, replay=replay)]
        for name in sorted({record.execution for record in taken}):
            self._join(name, [record for record in taken if record.execution == name], report)
        taken_identities = {record.version.identity for record in taken}
        free = [version for identity, version in pending.items() if identity not in taken_identities]
        late: dict[Identity, FileVersion] = {}
        for files in self._groups(free, records, trigger):
            if not self._claim_and_start(files, records, trigger, report):
                late |= {version.identity: version for version in files}
        return late

    def _groups(
        self, free: Sequence[FileVersion], records: Records, trigger: Trigger
    ) -> list[tuple[FileVersion, ...]]:
        """The files in batches; in a replay those that may have brought a job down each by itself."""
        alone = {identity for identity, record in records.items() if record.alone}
        together = [version for version in free if version.identity not in alone]
        single = [(version,) for version in free if version.identity in alone]
        return [*batches(together, self.limits, trigger), *single]

    def _join(self, name: str, records: Sequence[FileRecord], report: Report) -> None:
        """Roll forward the execution that these files are in, unless it is over."""
        report.known += len(records)
        arn = self.executions.arn(name)
        open_files = [record for record in records if record.status in ledger.OPEN_FILE]
        if not open_files:
            report.executions.setdefault(name, Dispatched(name, arn, len(records), "closed"))
            return
        try:
            execution = self.table.execution(name)
            if execution is None or execution.status is ExecutionStatus.CLOSED:
                raise LookupError(f"files are open in execution {name}, whose claim is not")
            arn = self.executions.start(name, execution.input)
        except (ClientError, BotoCoreError, LookupError):
            logger.exception("an open claim could not be rolled forward", execution=name)
            report.failed |= {record.version.identity for record in open_files}
            return
        report.executions.setdefault(name, Dispatched(name, arn, execution.files, "running"))
        if execution.status is ExecutionStatus.CLAIMED:
            self._mark_running(name, arn, parse_input(json.loads(execution.input)).files)

    def _claim_and_start(
        self, files: tuple[FileVersion, ...], records: Records, trigger: Trigger, report: Report
    ) -> bool:
        """Claim a batch and start it; False when someone else claimed any of it first."""
        seen = [records[version.identity].attempts for version in files if version.identity in records]
        attempt = 1 + max(seen, default=0)
        now = self._now()
        name = execution_name(files, attempt, now if trigger in ASKED_AGAIN else "")
        text = ExecutionInput(files[0].bucket, files, trigger).dumps()
        try:
            if not self.table.transact(ledger.claim(Claim(name, text, str(trigger), files, attempt), now)):
                return False
            arn = self.executions.start(name, text)
        except (ClientError, BotoCoreError):
            logger.exception("an execution could not be claimed or started", execution=name)
            report.failed |= {version.identity for version in files}
            return True
        report.executions[name] = Dispatched(name, arn, len(files), "started")
        logger.info("execution started", execution=name, files=len(files), trigger=str(trigger))
        self._mark_running(name, arn, files)
        return True

    def _mark_running(self, name: str, arn: str, files: Sequence[FileVersion]) -> None:
        """Note the start. Nothing depends on it: a claim without the mark is started again, to no effect."""
        try:
            self.table.transact(ledger.mark_running(name, arn, files, self._now()))
        except (ClientError, BotoCoreError):
            logger.warning("a start could not be noted", execution=name, exc_info=True)

    def _now(self) -> str:
        return ledger.stamp(self.clock())
