"""Tests of the order of steps of a load, of results and of engines that decline, with a fake engine."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fakes.engine import FakeEngine, FakeStorage, data_file

from loading.engine import Declined
from loading.file_load import StagedFile
from loading.job import load_manifest, write_summary
from loading.options import Options
from loading.storage import RefusedObjectError
from taxi_etl.anomalies import AnomalyPolicy, FileMetrics
from taxi_etl.documents import AcceptedFile, JobResult, Manifest
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.identity import FileVersion, source_id
from taxi_etl.transform.sources import JobRun

OPTIONS = Options("taxi", max_quarantine_share=0.5, sort_by_pickup=False, command="taxi-etl", program="load")
RUN = JobRun("jr_1", datetime(2025, 7, 1, tzinfo=UTC))
MANIFEST = "s3://lake/runs/1/manifest.json"
YELLOW, GREEN = ("yellow", "raw/taxi/yellow.parquet"), ("green", "raw/taxi/green.parquet")
BAD_YELLOW = ("yellow", "raw/taxi/bad.parquet")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def storage() -> FakeStorage:
    return FakeStorage()


def load(engine: FakeEngine, storage: FakeStorage, *files: tuple[str, str], **changes: object) -> JobResult:
    """Load a manifest with these datasets and keys; `changes` replace options."""
    accepted = [
        AcceptedFile(FileVersion("lake", key, "v1"), dataset, "parquet", ()) for dataset, key in files
    ]
    storage.texts[MANIFEST] = Manifest("1", "lake", "s3", tuple(accepted)).dumps()
    result, summary = load_manifest(MANIFEST, engine, storage, replace(OPTIONS, **changes), RUN)
    write_summary(storage, MANIFEST, summary)
    return result


def written(engine: FakeEngine) -> dict[str, int]:
    """The committed rows of each table that has any."""
    rows = {name: sum(file.rows for file in table.files) for name, table in engine.tables.items()}
    return {name: count for name, count in rows.items() if count}


def test_all_datasets_are_staged_and_checked_before_the_first_commit(engine, storage):
    committed: list[dict[str, int]] = []
    engine.table("green_trips").before_commit = lambda: committed.append(written(engine))
    engine.table("yellow_trips").before_commit = lambda: committed.append(list(engine.calls))

    load(engine, storage, GREEN, YELLOW)

    assert committed == [
        [
            *("decide_date_orders yellow", "stage yellow", "check_rows yellow", "write_bad_rows yellow"),
            *("decide_date_orders green", "stage green", "check_rows green", "write_bad_rows green"),
        ],
        {"yellow_trips": 3, "quarantined_trips": 2},
    ]
    assert written(engine) == {"yellow_trips": 3, "green_trips": 3, "quarantined_trips": 2}


def test_the_result_and_its_summary_stand_next_to_the_manifest_in_its_order(engine, storage):
    result = load(engine, storage, GREEN, BAD_YELLOW, YELLOW)

    assert [(file.dataset, file.status, file.written) for file in result.files] == [
        ("green", "loaded", 3),
        ("yellow", "failed", 0),
        ("yellow", "loaded", 3),
    ]
    assert JobResult.loads(storage.texts["s3://lake/runs/1/result.json"].encode()) == result
    assert json.loads(storage.texts["s3://lake/runs/1/summary.json"])["counts"] == result.counts()


def test_a_file_without_rows_is_loaded_with_a_warning(engine, storage):
    empty, yellow = load(engine, storage, ("yellow", "raw/taxi/empty.csv"), YELLOW).files

    assert (empty.status, empty.written) == ("loaded", 0)
    assert [(each.code, each.message) for each in empty.warnings] == [
        (
            "no_rows",
            "has no rows, and those of an earlier version are gone; upload it again if that is wrong",
        )
    ]
    assert yellow.warnings == ()


def discarded(engine: FakeEngine) -> list[StagedFile]:
    return [file for table in engine.tables.values() for file in table.discarded]


@pytest.mark.parametrize(
    "error", [None, RuntimeError(), KeyboardInterrupt()], ids=["declined", "error", "end"]
)
@pytest.mark.parametrize("method", ["decide_date_orders", "stage", "check_rows", "write_bad_rows"])
def test_an_error_before_the_first_commit_leaves_no_row_no_data_file_and_no_result(
    engine, storage, method, error
):
    """The second dataset raises it, after the data files and bad rows of the first are written."""
    engine.fails_in, engine.error = method, error

    with pytest.raises(
        type(error) if error else Declined, match=None if error else f"^{method} is too much$"
    ):
        load(engine, storage, YELLOW, BAD_YELLOW, GREEN)

    assert len(engine.staged) == {"decide_date_orders": 5, "stage": 5}.get(method, 7)
    assert sorted(map(str, discarded(engine))) == sorted(map(str, engine.staged))
    assert written(engine) == {}
    assert [table.calls for table in engine.tables.values()] == [[]] * len(engine.tables)
    assert list(storage.texts) == [MANIFEST]
    assert {file.rows for file in engine.table("yellow_trips").discarded} == {3}
    assert {file.rows for file in engine.table("quarantined_trips").discarded} == {1}


def test_an_error_of_a_deletion_is_a_note_of_the_first_error(engine, storage):
    engine.fails_in, engine.error = "check_rows", RuntimeError("the first error")
    engine.table("yellow_trips").undeletable = True

    with pytest.raises(RuntimeError, match="the first error") as raised:
        load(engine, storage, YELLOW, GREEN)

    [remaining] = [file for file in engine.staged if file not in discarded(engine)]
    assert raised.value.__notes__ == [f"the data file {remaining.location} remains: the bucket denies it"]
    assert len(discarded(engine)) == 3, "the others are deleted"


def test_an_error_of_a_commit_deletes_the_data_files_of_the_next_datasets_only(engine, storage):
    """The commit may have succeeded."""

    def fail() -> None:
        raise ConnectionError

    engine.table("yellow_trips").before_commit = fail

    with pytest.raises(ConnectionError):
        load(engine, storage, YELLOW, GREEN)

    greens = [file for file in engine.staged if file.handle == source_id("lake", GREEN[1])]
    assert len(greens) == 2
    assert sorted(map(str, discarded(engine))) == sorted(map(str, greens))


def test_files_that_are_outdated_before_the_read_reach_neither_engine_nor_table(engine, storage):
    storage.current = {YELLOW[1]: "v2", GREEN[1]: None}

    result = load(engine, storage, YELLOW, GREEN)

    assert [(file.status, file.failure and file.failure.code) for file in result.files] == [
        ("superseded", None),
        ("failed", "deleted"),
    ]
    assert engine.calls == []
    assert not any(table.ensured for table in engine.tables.values())


@pytest.mark.parametrize("refused_check", [1, 3], ids=["before the read", "before the commit"])
def test_a_refused_object_fails_alone_and_the_others_load(engine, storage, monkeypatch, refused_check):
    good, refused = ("green", "raw/taxi/a.parquet"), ("green", "raw/taxi/b.parquet")
    denied = Failure(FailureCode.ACCESS_DENIED, "the pipeline may not read the object")
    checks: list[str] = []

    def current_version(version: FileVersion) -> str:
        checks.append(version.key)
        if version.key == refused[1] and len(checks) >= refused_check:
            raise RefusedObjectError(denied)
        return "v1"

    monkeypatch.setattr(storage, "current_version", current_version)
    result = load(engine, storage, good, refused)

    assert [(file.status, file.written, file.failure) for file in result.files] == [
        ("loaded", 3, None),
        ("failed", 0, denied),
    ]
    assert written(engine) == {"green_trips": 3, "quarantined_trips": 1}
    assert engine.table("green_trips").rows(source_id("lake", refused[1])) == 0


def test_a_file_of_another_dataset_than_before_leaves_its_old_table(engine, storage):
    green = engine.table("green_trips")
    green.snapshot, green.versions = 1, {source_id("lake", YELLOW[1]): "v0"}
    green.files = [data_file(source_id("lake", YELLOW[1]), 9), data_file("other", 5)]

    load(engine, storage, YELLOW)

    assert written(engine) == {"green_trips": 5, "yellow_trips": 3, "quarantined_trips": 1}


def test_rows_in_two_other_tables_are_removed_from_both(engine, storage):
    source = source_id("lake", YELLOW[1])
    for name in ("green_trips", "fhv_trips"):
        table = engine.table(name)
        table.snapshot, table.versions, table.files = 1, {source: "v0"}, [data_file(source, 9)]

    load(engine, storage, YELLOW)

    assert written(engine) == {"yellow_trips": 3, "quarantined_trips": 1}


def test_a_newer_version_in_another_table_stays_and_undoes_the_commit(engine, storage):
    source = source_id("lake", YELLOW[1])
    engine.table("yellow_trips").before_commit = lambda: storage.current.update({YELLOW[1]: "v2"})
    for name, version in (("green_trips", "v2"), ("fhv_trips", "v2")):
        table = engine.table(name)
        table.snapshot, table.versions, table.files = 1, {source: version}, [data_file(source, 9)]

    [file] = load(engine, storage, YELLOW).files

    assert (file.status, file.written) == ("superseded", 0)
    assert written(engine) == {"green_trips": 9, "fhv_trips": 9}


def test_an_error_of_the_search_for_the_same_trips_is_printed_and_the_file_is_loaded(engine, storage, capsys):
    first, second = ("green", "raw/taxi/a.parquet"), ("green", "raw/taxi/b.parquet")

    result = load(engine, storage, first, second)

    assert result.counts()["loaded"] == 2
    assert capsys.readouterr().out == (
        "load: cannot look for the same trips in other files: the times of data files are unknown\n"
    )


def unusual(engine: FakeEngine) -> None:
    """Let the green table have three months of 2,000 trips, before the 3 trips of each staged file."""
    engine.table("green_trips").metrics = [
        FileMetrics(month, f"s3://lake/green_{month}.parquet", 2_000, {})
        for month in ("2024-01", "2024-02", "2024-03")
    ]


APRIL = ("green", "raw/taxi/green_2024-04.parquet")


@pytest.mark.parametrize(
    ("policy", "status", "codes"),
    [("warn", "loaded", ["unusual_month"]), ("fail", "failed", []), ("off", "loaded", [])],
)
def test_the_policy_decides_what_an_unusual_month_does(engine, storage, policy, status, codes):
    unusual(engine)

    [file] = load(engine, storage, APRIL, anomaly_policy=AnomalyPolicy(policy)).files

    assert (file.status, [each.code for each in file.warnings]) == (status, codes)
    assert written(engine).get("green_trips", 0) == (0 if policy == "fail" else 3)
    if file.failure:
        assert file.failure.code is FailureCode.UNLIKE_EARLIER_MONTHS
        assert file.failure.message.startswith(
            "has 3 trips of 2024-04, but each of the 3 earlier months has 2,000"
        )


def test_a_reload_is_not_compared_with_the_rows_that_it_replaces(engine, storage):
    unusual(engine)
    table = engine.table("green_trips")
    replaced = FileMetrics(source_id("lake", APRIL[1]), "s3://lake/green_2024-04.parquet", 2_000, {})
    table.metrics = [*table.metrics, replaced]

    [file] = load(engine, storage, APRIL).files

    assert [each.code for each in file.warnings] == ["unusual_month"]


def test_a_failing_comparison_is_printed_and_the_file_loads(engine, storage, capsys):
    [file] = load(engine, storage, APRIL, anomaly_policy=AnomalyPolicy.FAIL).files

    assert (file.status, file.warnings) == ("loaded", ())
    assert "load: cannot check for unusual months: the metrics" in capsys.readouterr().out


def test_files_without_trips_or_without_a_month_are_not_compared(engine, storage, capsys):
    load(engine, storage, GREEN, ("zones", "raw/taxi/zones_2024-01.csv"))

    assert "cannot check" not in capsys.readouterr().out
