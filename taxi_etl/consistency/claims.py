"""Consistency rules for files that wait or load: held, claimed, running."""

from collections.abc import Iterator
from datetime import datetime

from taxi_etl.consistency.facts import ExecutionFacts, Facts, Finding, Kind, Liveness, Repair
from taxi_etl.file_status import FileStatus
from taxi_etl.ledger import OPEN_EXECUTION, OPEN_FILE, FileRecord


def claim_findings(facts: Facts) -> Iterator[Finding]:
    """Yield the files and executions that have been open for too long."""
    judged: set[str] = set()
    for record in facts.records:
        if record.status in OPEN_FILE:
            judged.add(record.execution)
        if is_recent(record, facts.before):
            continue
        if record.status is FileStatus.HELD:
            yield _held(record, is_orchestration_on=facts.is_orchestration_on)
        elif record.status in OPEN_FILE:
            yield from _open(record, facts.executions[record.execution])
    for name, execution in facts.executions.items():
        if name not in judged and execution.liveness is not Liveness.RUNNING:
            yield _without_files(name, execution)


def is_recent(record: FileRecord, before: datetime) -> bool:
    """Whether a record changed so recently that its next step may still be pending."""
    return bool(record.updated_at) and datetime.fromisoformat(record.updated_at) >= before


def _held(record: FileRecord, *, is_orchestration_on: bool) -> Finding:
    evidence = f"held since {record.updated_at}; orchestration is {'on' if is_orchestration_on else 'off'}"
    repair = Repair.REPLAY_HELD if is_orchestration_on else Repair.NONE
    return Finding(
        Kind.HELD,
        "the file is held and nothing starts it",
        evidence,
        record.version,
        repair=repair,
        is_information=not is_orchestration_on,
    )


def _open(record: FileRecord, execution: ExecutionFacts) -> Iterator[Finding]:
    """Yield why a file's open record will not be closed without a repair."""
    if execution.liveness is Liveness.RUNNING:
        return
    claim = execution.record
    is_open = claim is not None and claim.status in OPEN_EXECUTION
    recorded = f"{record.status} since {record.updated_at} by execution {record.execution}"
    if execution.liveness is Liveness.MISSING and is_open:
        kind, what, repair = (
            Kind.CLAIM_NOT_STARTED,
            "the file is claimed, but its execution was never started",
            Repair.START,
        )
        evidence = f"{recorded}, which Step Functions does not have"
    elif execution.liveness is Liveness.ENDED and (claim is None or is_open):
        kind, what, repair = (
            Kind.CLAIM_NOT_CLOSED,
            "the file's execution has ended, but its outcome was not recorded",
            Repair.CLOSE,
        )
        evidence = f"{recorded}, which ended {execution.status}"
    else:
        kind, what, repair = (
            Kind.CLAIM_LOST,
            "no open claim or execution will close the file's record",
            Repair.NONE,
        )
        ending = execution.status or "not in Step Functions"
        state = f"is {claim.status} in the ledger" if claim else "has no record in the ledger"
        evidence = f"{recorded}, which {state} ({ending})"
    yield Finding(kind, what, evidence, record.version, record.execution, repair)


def _without_files(name: str, execution: ExecutionFacts) -> Finding:
    """Return the finding about an open claim without open files."""
    ended = execution.liveness is Liveness.ENDED
    return Finding(
        Kind.CLAIM_NOT_CLOSED if ended else Kind.CLAIM_NOT_STARTED,
        "the execution has ended, but its claim is open" if ended else "the claim was never started",
        f"no file is open; Step Functions: {execution.status or 'no such execution'}",
        execution=name,
        repair=Repair.CLOSE if ended else Repair.NONE,
    )
