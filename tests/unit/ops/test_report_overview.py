"""Tests of the overview: executions by day, rows and cost by month and dataset, months, failures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ops.execution_list import ListedExecution
from ops.report.documents import DayCount, MonthAmount
from ops.report.overview import dataset_months, last_months, overview_report
from ops.session import Target
from taxi_etl.coverage import Coverage
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import FileRecord
from tests.fixtures.report_documents import overview_facts, sample_overview

NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def execution(name, status, started):
    return ListedExecution(name, "arn", status, started, started, 1, "s3")


def record(dataset, loaded, rows, run="run"):
    version = FileVersion("lake", f"raw/taxi/{dataset}_tripdata_2024-01.csv", "v")
    counts = {"read": rows, "written": rows - 1, "quarantined": 1}
    return FileRecord(
        version,
        FileStatus.LOADED,
        execution=run,
        dataset=dataset,
        rows=counts,
        updated_at=f"{loaded}T10:00:00.000Z",
    )


def job_run(execution, started, dpu_seconds):
    manifest = f"s3://lake/runs/etl-pipeline-workflow/{execution}/manifest.json"
    return {"StartedOn": started, "DPUSeconds": dpu_seconds, "Arguments": {"--manifest": manifest}}


def overview(**changes):
    """Return the overview of a pipeline without anything but these facts."""
    facts = replace(overview_facts(), now=NOW, executions=[], job_runs=[], small_batch_costs={})
    status = replace(facts.status, loaded=changes.pop("loaded", []), problems=[], months=[])
    return overview_report(replace(facts, status=status, **changes), Target("prod"))


def test_executions_are_counted_by_day_and_status():
    late = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    found = overview(
        executions=[
            execution("a", "SUCCEEDED", late),
            execution("b", "SUCCEEDED", late),
            execution("c", "FAILED", late),
            execution("d", "SUCCEEDED", late + timedelta(hours=1)),
        ]
    )
    assert found.executions == [
        DayCount("2026-03-09", "FAILED", 1),
        DayCount("2026-03-09", "SUCCEEDED", 2),
        DayCount("2026-03-10", "SUCCEEDED", 1),
    ]
    assert [each.name for each in found.failed_executions] == ["c"]


def test_failed_executions_are_the_latest_twenty():
    started = [NOW - timedelta(hours=hour) for hour in range(25)]
    found = overview(
        executions=[execution(str(n), "ABORTED", moment) for n, moment in enumerate(reversed(started))]
    )
    assert [each.started for each in found.failed_executions] == started[:20]


def test_rows_are_summed_by_month_of_the_load_and_dataset():
    loaded = [
        record("yellow", "2026-03-01", 11),
        record("yellow", "2026-03-31", 21),
        record("green", "2026-03-02", 31),
        record("green", "2026-02-02", 41),
        record("green", "2025-03-31", 51),  # before the last twelve months
    ]
    assert overview(loaded=loaded).rows == [
        MonthAmount("2026-02", "green", 40),
        MonthAmount("2026-03", "green", 30),
        MonthAmount("2026-03", "yellow", 30),
    ]


def test_the_cost_of_a_job_run_is_divided_among_its_datasets_by_rows_read():
    loaded = [record("yellow", "2026-03-01", 300), record("green", "2026-03-01", 100)]
    day = datetime(2026, 3, 1, tzinfo=UTC)
    runs = [
        job_run("run", day, 36_000),
        job_run("gone", day, 3_600),
        {**job_run("run", day, 0), "Arguments": {}},
    ]
    found = overview(loaded=loaded, job_runs=runs, small_batch_costs={"2026-03": 0.25, "2024-01": 9.0})
    # ten DPU-hours and one, at 0.308 USD
    assert found.costs == [
        MonthAmount("2026-03", "green", 0.77),
        MonthAmount("2026-03", "no file loaded", 0.308),
        MonthAmount("2026-03", "small batches", 0.25),
        MonthAmount("2026-03", "yellow", 2.31),
    ]


def test_the_last_months_cross_the_year():
    assert last_months(datetime(2026, 2, 1, tzinfo=UTC)) == [
        *(f"2025-{month:02d}" for month in range(3, 13)),
        *("2026-01", "2026-02"),
    ]


@pytest.mark.parametrize(
    ("coverage", "loaded", "missing"),
    [
        (Coverage("fhv", (2025, 11), (2026, 1), 2, ((2025, 12),)), ("2025-11", "2026-01"), ("2025-12",)),
        # another dataset has 2026-02
        (
            Coverage("fhv", (2025, 12), (2025, 12), 1, ((2026, 1), (2026, 2))),
            ("2025-12",),
            ("2026-01", "2026-02"),
        ),
        (Coverage("fhv", (2025, 12), (2025, 12), 1, ()), ("2025-12",), ()),
    ],
)
def test_months_are_loaded_or_missing(coverage, loaded, missing):
    found = dataset_months(coverage)
    assert (found.loaded, found.missing) == (loaded, missing)


def test_problems_have_their_next_step_and_alarms_are_those_in_alarm():
    found = sample_overview()
    assert [(each.status, each.next_step.split(":")[0]) for each in found.problems] == [
        ("rejected", "download it again from its source and compare the sizes; then upload it"),
        ("failed", "look at its rows in quarantined_trips and correct the file; then upload it"),
    ]
    assert (found.not_loaded, found.waiting) == (2, 0)
    assert found.alarms == ["etl-files-failed"]
