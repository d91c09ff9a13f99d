"""Builds the report on one execution from what Step Functions, S3 and the tables have about it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops import history
from ops.file_outcomes import RUNNING, FileOutcome
from ops.history import Execution
from ops.output import counted
from ops.report import path
from ops.report.documents import (
    ColumnChange,
    Cost,
    ExampleRow,
    ExecutionReport,
    QuarantineReason,
    ReportedFile,
)
from ops.session import Target
from taxi_etl import billing
from taxi_etl.documents import JobResult
from taxi_etl.file_status import FileStatus

EXAMPLES = 3
"""Example rows of one reason."""


@dataclass(frozen=True)
class ExecutionFacts:
    """What is known about an execution.

    `result` is None if the job left none. `queued` is when the first of its files was uploaded, None if that
    is unknown or did not start it. `rows` are some quarantined rows of its files.
    """

    execution: Execution
    events: Sequence[Mapping[str, Any]]
    definition: path.Definition
    files: Sequence[FileOutcome]
    result: JobResult | None
    queued: datetime | None
    trigger: str
    rows: Sequence[ExampleRow]
    links: Mapping[str, str]
    now: datetime


def execution_report(facts: ExecutionFacts, target: Target) -> ExecutionReport:
    """Build the report; `target` is that of the command in the next step."""
    execution, events = facts.execution, [dict(event) for event in facts.events]
    steps, run = history.steps(events), history.job_run(events)
    files = [_file(file) for file in facts.files]
    return ExecutionReport(
        name=execution.name,
        arn=execution.arn,
        status=execution.status,
        headline=headline(execution.status, [file.status for file in files]),
        started=execution.started,
        stopped=execution.stopped,
        seconds=((execution.stopped or facts.now) - execution.started).total_seconds(),
        trigger=facts.trigger,
        engine=str(history.engine_of(steps) or ""),
        declined=history.fallback_reason(events, steps),
        error=execution.error,
        cause=execution.cause,
        next_step=_next_step(execution, files, target),
        states=path.entered_states(facts.definition, steps),
        states_not_entered=path.states_not_entered(facts.definition, steps),
        timeline=path.timeline(
            facts.definition,
            steps,
            queued=facts.queued,
            started=execution.started,
            job_seconds=run.get("ExecutionTime"),
            now=facts.now,
        ),
        files=files,
        quarantine=_quarantine(facts.result, facts.rows),
        columns=_columns(facts.result),
        costs=_costs(steps, run, history.small_batch_cost(events)),
        links=facts.links,
    )


def headline(status: str, statuses: Sequence[str]) -> str:
    """Return the outcome in a few words: `2 of 4 files loaded`."""
    loaded = sum(each == FileStatus.LOADED for each in statuses)
    files = counted(len(statuses), "file")
    if status == RUNNING:
        return f"Loading {files}"
    if not statuses:
        return "No files"
    if loaded in (0, len(statuses)):
        return f"{files} {'loaded' if loaded else 'did not load'}"
    return f"{loaded} of {files} loaded"


def _file(outcome: FileOutcome) -> ReportedFile:
    rows = outcome.rows or {}
    return ReportedFile(
        outcome.version.bucket,
        outcome.version.key,
        outcome.version.version_id,
        outcome.dataset,
        outcome.status,
        rows.get("read", 0),
        rows.get("written", 0),
        rows.get("quarantined", 0),
        outcome.reasons,
        outcome.notes,
    )


def _next_step(execution: Execution, files: Iterable[ReportedFile], target: Target) -> str:
    """Return the command that loads again what failed; empty if nothing did."""
    if execution.status == RUNNING or not any(file.status == FileStatus.FAILED for file in files):
        return ""
    return target.command("replay", "--execution", execution.name)


def _quarantine(result: JobResult | None, rows: Sequence[ExampleRow]) -> list[QuarantineReason]:
    """Return the reasons, the most frequent first."""
    counts: Counter[str] = Counter()
    for file in result.files if result else ():
        counts.update(file.reasons)
    examples = [*rows, *_examples(result)]
    return [
        QuarantineReason(reason, count, tuple(each for each in examples if reason in each.reasons)[:EXAMPLES])
        for reason, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _examples(result: JobResult | None) -> list[ExampleRow]:
    """Return the example rows of files that did not load, which only the result has."""
    return [
        ExampleRow(file.version.key, None, tuple(each["reasons"]), _texts(each["row"]))
        for file in (result.files if result else ())
        for each in file.examples
    ]


def _texts(row: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in dict(row).items() if value is not None}


def _columns(result: JobResult | None) -> list[ColumnChange]:
    changes = [
        ColumnChange(
            file.version.key,
            file.new_columns,
            file.missing_columns,
            tuple(f"{name} ({kind})" for name, kind in file.columns_left_out),
        )
        for file in (result.files if result else ())
    ]
    return [each for each in changes if each.new or each.missing or each.left_out]


def _costs(steps: Sequence[history.Step], run: Mapping[str, Any], small_batch: float | None) -> list[Cost]:
    """Return the parts that cost more than a fraction of a cent, or would, at list price."""
    found = []
    if small_batch is not None:
        found.append(Cost("Small batch function", small_batch))
    if any(step.state == history.JOB_STATE for step in steps):
        hours = billing.dpu_hours(run)
        found.append(Cost("Job run", None if hours is None else billing.job_run_usd(hours)))
    if any(step.started_crawl for step in steps):
        found.append(Cost("Crawl, at least", billing.crawl_usd()))
    return found
