"""Put each file into exactly one execution: claim it in the ledger, then start the execution.

A claim is one ledger transaction, so only one of several concurrent orchestrators claims a file. An
orchestrator that finds an open claim starts the claim's execution again, with the claim's own name and input.
That repairs a claim whose orchestrator died before it started the execution, and changes nothing otherwise.
"""

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from time import sleep
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.executions import Executions
from lambdas.observability import logger
from stores.ledger import Ledger
from taxi_etl.batches import BatchLimits, batches
from taxi_etl.engines import EngineChoice
from taxi_etl.identity import FileVersion, execution_name
from taxi_etl.inputs import ExecutionInput, Trigger, parse_input
from taxi_etl.ledger import OPEN_FILE, Claim, ExecutionStatus, FileRecord, is_claimable, timestamp

RELOADS = (Trigger.REPLAY, Trigger.BACKFILL)
"""Triggers that may load files again, including files whose records the ledger has lost."""
CLAIM_ROUNDS = 6
"""How often files are read and claimed again when concurrent writers claimed some of them."""
FIRST_BACKOFF_SECONDS = 0.05
"""The longest pause before the second round, doubled for each later one. Jitter separates orchestrators that
collided."""
Identity = tuple[str, str, str]
Records = dict[Identity, FileRecord]


class DispatchState(StrEnum):
    """State of an execution after a dispatch."""

    STARTED = "started"
    RUNNING = "running"
    CLOSED = "closed"


@dataclass(frozen=True)
class StartRequest:
    """What new executions have in their inputs besides files; `engine` is None for the app's choice."""

    trigger: Trigger
    engine: EngineChoice | None = None


@dataclass(frozen=True)
class DispatchedExecution:
    """An execution that owns dispatched files; `files` is their number."""

    name: str
    arn: str
    files: int
    state: DispatchState

    def to_json(self) -> dict[str, Any]:
        """Return the entry in a command's result."""
        return {"name": self.name, "arn": self.arn, "files": self.files, "state": str(self.state)}


@dataclass
class DispatchReport:
    """Result of a dispatch or hold.

    `executions` are by name; `already_recorded` counts files that the ledger had before, `held` those put on
    hold; `failed` are the identities of files to dispatch again.
    """

    executions: dict[str, DispatchedExecution] = field(default_factory=dict)
    already_recorded: int = 0
    held: int = 0
    failed: set[Identity] = field(default_factory=set)

    def started(self) -> int:
        """Return how many executions were started."""
        return sum(execution.state is DispatchState.STARTED for execution in self.executions.values())


@dataclass(frozen=True)
class Dispatcher:
    """Puts files into executions; `clock` returns the current time."""

    ledger: Ledger
    executions: Executions
    limits: BatchLimits
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def dispatch(
        self, versions: Iterable[FileVersion], trigger: Trigger, engine: EngineChoice | None = None
    ) -> DispatchReport:
        """Start executions for unclaimed files, and roll open claims forward; a replay reloads closed files.

        `engine` goes into the inputs of new executions; None leaves the choice to the app's settings.

        AWS faults are logged, and their files reported in `failed`; dispatching those again is safe.
        """
        report = DispatchReport()
        pending = {version.identity: version for version in versions}
        for number in range(CLAIM_ROUNDS):
            if not pending:
                break
            if number:
                sleep(random.uniform(0, FIRST_BACKOFF_SECONDS * 2 ** (number - 1)))  # noqa: S311 (no secret)
            pending = self._claim_round(pending, StartRequest(trigger, engine), report)
        if pending:
            logger.error("gave up files that concurrent writers keep claiming", files=len(pending))
        report.failed |= pending.keys()
        return report

    def hold(self, versions: Iterable[FileVersion]) -> DispatchReport:
        """Record the files without starting anything."""
        report = DispatchReport()
        for version in versions:
            try:
                if self.ledger.hold(version, self._now()):
                    report.held += 1
                else:
                    report.already_recorded += 1
            except (ClientError, BotoCoreError):
                logger.exception("cannot hold a file", uri=version.uri)
                report.failed.add(version.identity)
        return report

    def _claim_round(
        self, pending: dict[Identity, FileVersion], request: StartRequest, report: DispatchReport
    ) -> dict[Identity, FileVersion]:
        """Read the ledger once and act on it; return the files that a concurrent writer claimed first."""
        records = self.ledger.files(pending.values())
        replay = request.trigger is Trigger.REPLAY
        owned = {
            identity: record
            for identity, record in records.items()
            if not is_claimable(record, replay=replay)
        }
        for name in sorted({record.execution for record in owned.values()}):
            self._roll_forward(name, [each for each in owned.values() if each.execution == name], report)
        claimable = [version for identity, version in pending.items() if identity not in owned]
        refused: dict[Identity, FileVersion] = {}
        for files in self._batches(claimable, records, request):
            if not self._claim_and_start(files, records, request, report):
                refused |= {version.identity: version for version in files}
        return refused

    def _batches(
        self, versions: Sequence[FileVersion], records: Records, request: StartRequest
    ) -> list[tuple[FileVersion, ...]]:
        """Split files into batches; files that may have killed a whole job run get one each."""
        alone = {identity for identity, record in records.items() if record.alone}
        together = [version for version in versions if version.identity not in alone]
        single = [(version,) for version in versions if version.identity in alone]
        return [*batches(together, self.limits, request.trigger, request.engine), *single]

    def _roll_forward(self, name: str, records: Sequence[FileRecord], report: DispatchReport) -> None:
        """Start the execution that owns these files again, unless all of them are closed."""
        report.already_recorded += len(records)
        open_files = [record for record in records if record.status in OPEN_FILE]
        if not open_files:
            closed = DispatchedExecution(name, self.executions.arn(name), len(records), DispatchState.CLOSED)
            report.executions.setdefault(name, closed)
            return
        try:
            execution = self.ledger.execution(name)
            if execution is None or execution.status is ExecutionStatus.CLOSED:
                raise LookupError(f"execution {name} has open files, but its claim is closed or missing")
            arn = self.executions.start(name, execution.input)
        except (ClientError, BotoCoreError, LookupError):
            logger.exception("cannot roll an open claim forward", execution=name)
            report.failed |= {record.version.identity for record in open_files}
            return
        running = DispatchedExecution(name, arn, execution.files, DispatchState.RUNNING)
        report.executions.setdefault(name, running)
        if execution.status is ExecutionStatus.CLAIMED:
            self._mark_running(name, arn, parse_input(json.loads(execution.input)).files)

    def _claim_and_start(
        self, files: tuple[FileVersion, ...], records: Records, request: StartRequest, report: DispatchReport
    ) -> bool:
        """Claim a batch and start its execution; False when a concurrent writer claimed one of its files."""
        now = self._now()
        claim = _claim(files, records, request, now)
        try:
            if not self.ledger.claim(claim, now):
                return False
            arn = self.executions.start(claim.name, claim.input)
        except (ClientError, BotoCoreError):
            logger.exception("cannot claim or start an execution", execution=claim.name)
            report.failed |= {version.identity for version in files}
            return True
        started = DispatchedExecution(claim.name, arn, len(files), DispatchState.STARTED)
        report.executions[claim.name] = started
        logger.info("execution started", execution=claim.name, files=len(files), trigger=claim.trigger)
        self._mark_running(claim.name, arn, files)
        return True

    def _mark_running(self, name: str, arn: str, files: Sequence[FileVersion]) -> None:
        """Record the start; a failure is only logged, because starting an unmarked claim again is safe."""
        try:
            self.ledger.mark_running(name, arn, files, self._now())
        except (ClientError, BotoCoreError):
            logger.warning("cannot mark an execution as running", execution=name, exc_info=True)

    def _now(self) -> str:
        return timestamp(self.clock())


def _claim(files: tuple[FileVersion, ...], records: Records, request: StartRequest, now: str) -> Claim:
    """Return the claim of a batch, one attempt above the highest of its files."""
    attempts = [records[version.identity].attempts for version in files if version.identity in records]
    attempt = 1 + max(attempts, default=0)
    return Claim(
        name=execution_name(files, attempt, now if request.trigger in RELOADS else ""),
        input=ExecutionInput(files[0].bucket, files, request.trigger, request.engine).dumps(),
        trigger=str(request.trigger),
        files=files,
        attempt=attempt,
    )
