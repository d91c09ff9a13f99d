"""Builds the overview of the pipeline from executions, the ledger and job runs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ops.execution_list import ListedExecution, State
from ops.file_versions import moment, problem_step
from ops.pipeline_status import PipelineStatus
from ops.report.documents import (
    DatasetMonths,
    DayCount,
    FailedExecution,
    MonthAmount,
    OverviewReport,
    Problem,
)
from ops.session import Target
from taxi_etl import billing
from taxi_etl.coverage import Coverage, month_text, months_between
from taxi_etl.ledger import FileRecord

FAILED_STATUSES = (State.FAILED, State.TIMED_OUT, State.ABORTED)
LISTED = 20
"""Failed executions and files that the overview lists."""
MONTHS = 12
"""Months of rows and costs in the overview."""
UNATTRIBUTED = "no file loaded"
"""The dataset for the cost of job runs without a loaded file in the ledger."""
SMALL_BATCHES = "small batches"
"""The dataset of the cost of the function for small batches, which is known for all datasets together."""


@dataclass(frozen=True)
class OverviewFacts:
    """What is known about the pipeline.

    `executions` are those of the period, `job_runs` Glue's descriptions of the last `MONTHS` months, and
    `small_batch_costs` US dollars by month.
    """

    environment: str
    since: datetime
    now: datetime
    executions: Sequence[ListedExecution]
    status: PipelineStatus
    job_runs: Sequence[Mapping[str, Any]]
    small_batch_costs: Mapping[str, float]


def overview_report(facts: OverviewFacts, target: Target) -> OverviewReport:
    """Build the overview; `target` is that of the commands in next steps."""
    newest_first = sorted(facts.executions, key=lambda each: each.started, reverse=True)
    failed = [each for each in newest_first if each.status in FAILED_STATUSES]
    months = set(last_months(facts.now))
    costs = [*_job_costs(facts.job_runs, facts.status.loaded), *_small_batches(facts.small_batch_costs)]
    return OverviewReport(
        environment=facts.environment,
        since=facts.since,
        until=facts.now,
        executions=_days(facts.executions),
        rows=_sums(each for each in _rows(facts.status.loaded) if each.month in months),
        costs=_sums(each for each in costs if each.month in months),
        months=[dataset_months(each) for each in facts.status.months],
        failed_executions=[
            FailedExecution(each.name, each.status, each.started, each.files) for each in failed[:LISTED]
        ],
        problems=[_problem(record, target) for record in facts.status.problems[:LISTED]],
        not_loaded=len(facts.status.problems),
        waiting=len(facts.status.waiting),
        alarms=[name for name, state in sorted(facts.status.alarms.items()) if state == "ALARM"],
    )


def last_months(now: datetime) -> list[str]:
    """Return the last `MONTHS` months up to this one, as `2024-01`."""
    last = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1
    return [month_text((each // 12, each % 12 + 1)) for each in range(last - MONTHS + 1, last + 1)]


def dataset_months(found: Coverage) -> DatasetMonths:
    """Return the loaded and missing months of a dataset."""
    missing = set(found.missing)
    loaded = [month for month in months_between(found.first, found.last) if month not in missing]
    return DatasetMonths(found.dataset, tuple(map(month_text, loaded)), tuple(map(month_text, found.missing)))


def _days(executions: Iterable[ListedExecution]) -> list[DayCount]:
    counts = Counter((each.started.astimezone(UTC).date().isoformat(), each.status) for each in executions)
    return [DayCount(day, status, count) for (day, status), count in sorted(counts.items())]


def _rows(loaded: Iterable[FileRecord]) -> Iterator[MonthAmount]:
    """Yield the rows of each loaded version in the month of its load."""
    for record in loaded:
        if record.rows:
            yield MonthAmount(record.updated_at[:7], record.dataset, record.rows["written"])


def _job_costs(job_runs: Iterable[Mapping[str, Any]], loaded: Iterable[FileRecord]) -> Iterator[MonthAmount]:
    """Yield the cost of each job run, divided among the datasets of its files by the rows read."""
    read: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in loaded:
        read[record.execution][record.dataset] += record.rows["read"] if record.rows else 0
    for run in job_runs:
        hours = billing.dpu_hours(run)
        shares = read[execution_of(run)]
        total = shares.total()
        for dataset, rows in (shares if total else Counter({UNATTRIBUTED: 1})).items():
            amount = billing.job_run_usd(hours or 0) * rows / (total or 1)
            yield MonthAmount(run["StartedOn"].astimezone(UTC).strftime("%Y-%m"), dataset, amount)


def execution_of(run: Mapping[str, Any]) -> str:
    """Return the execution that started a job run, by its manifest `s3://…/EXECUTION/manifest.json`."""
    parts = str(run.get("Arguments", {}).get("--manifest", "")).split("/")
    return parts[-2] if len(parts) > 1 else ""


def _small_batches(costs: Mapping[str, float]) -> Iterator[MonthAmount]:
    yield from (MonthAmount(month, SMALL_BATCHES, usd) for month, usd in costs.items())


def _sums(amounts: Iterable[MonthAmount]) -> list[MonthAmount]:
    sums: Counter[tuple[str, str]] = Counter()
    for each in amounts:
        sums[each.month, each.dataset] += each.amount  # type: ignore[assignment]  # amounts may be fractions
    return [
        MonthAmount(month, dataset, round(amount, billing.FUNCTION_COST_DIGITS))
        for (month, dataset), amount in sorted(sums.items())
        if amount
    ]


def _problem(record: FileRecord, target: Target) -> Problem:
    return Problem(
        record.version.key,
        str(record.status),
        moment(record.updated_at),
        record.reasons,
        record.execution,
        problem_step(target, record),
    )
