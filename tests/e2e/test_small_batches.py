"""Tests of both engines on the deployed app, and of switching from one setting to the other and back.

The setting is changed as an operator does: by deploying the app with another value over the running one.
"""

import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from local_aws import cdk
from ops.file_outcomes import FileOutcome
from taxi_etl.table_maintenance import TableMaintenance
from tests.conftest import ROOT
from tests.e2e.app_controls import ROWS, trip_file
from tests.e2e.conftest import App, check_nothing_pending, check_notified_once
from tests.fixtures.permissions import (
    Call,
    Permission,
    denied_calls,
    granted_permissions,
    needed_permissions,
    recorded_calls,
)

APP = """\
import sys
from dataclasses import replace

sys.path.insert(0, {root!r})
from stacks import settings
from taxi_etl.engines import EngineChoice

settings.ENVIRONMENTS["local"] = replace(settings.LOCAL, engine=EngineChoice({engine!r}))
import app

app.main()
"""
OF_THE_LOAD = {"ingested_at", "run_id"}
"""The columns that differ between two loads of one file."""
NOT_NEEDED_HERE = {
    "xray:PutTraceSegments": "X-Ray, which the local account does not have",
    "xray:PutTelemetryRecords": "the same",
    "s3:AbortMultipartUpload": "a failed upload of a large file",
    "s3:ListBucket": "a deleted file, which S3 otherwise reports as forbidden",
    "glue:UpdateTableOptimizer": "optimizers with other settings",
}
"""Permissions of the function's role that these files do not need, with what needs them."""


@dataclass(frozen=True)
class Loads:
    """The outcomes of the files, in the order of their loads.

    `first` was loaded by the Glue job before the switch and by the function after it; its rows are those of
    either load. `small` is the first file of its dataset. `declined` has checksums in its pages, and a
    `companion` in its batch without. `back` is `small`, loaded again after the switch back.
    """

    first: FileOutcome
    first_rows: list[tuple[Any, ...]]
    again: FileOutcome
    again_rows: list[tuple[Any, ...]]
    small: FileOutcome
    small_history: Any
    declined: FileOutcome
    companion: FileOutcome
    back: FileOutcome
    job_runs: list[int]
    """The number of job runs after each load."""
    granted: set[Permission]
    calls: set[Call]
    """The function's permissions and its calls, recorded before its role is deleted."""


def deploy(app: App, engine: str, folder: Path) -> None:
    """Deploy the app with this engine."""
    script = folder / f"{engine}.py"
    script.write_text(APP.format(root=str(ROOT), engine=engine))
    cdk.deploy(app.aws.account, "--app", f"{sys.executable} {script}")


def with_checksums(path: Path) -> Path:
    """Write the pages of a file again, with checksums."""
    pq.write_table(pq.read_table(path), path, write_page_checksum=True)
    return path


def forget_table(app: App, name: str) -> None:
    """Remove a table and its optimizers if other tests made it, so that the function creates them."""
    glue = app.session.client("glue")
    database = app.deployed.taxi_database_name
    with suppress(glue.exceptions.EntityNotFoundException):
        for kind in TableMaintenance("", 0).optimizers():
            glue.delete_table_optimizer(
                CatalogId=app.aws.account.account_id, DatabaseName=database, TableName=name, Type=kind
            )
        glue.delete_table(DatabaseName=database, Name=name)


def rows_of(app: App, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of a file in the fhv table, without what depends on the load, sorted."""
    names = [each[0] for each in app.rows("SELECT column_name FROM (DESCRIBE fhv_trips)")]
    kept = ", ".join(f'"{each}"' for each in names if each not in OF_THE_LOAD)
    return sorted(
        app.rows(f"SELECT {kept} FROM fhv_trips WHERE parse_filename(source_file) = '{name}'"), key=repr
    )


def replay(app: App, outcome: FileOutcome, *options: str) -> FileOutcome:
    """Load a file again and return its outcome."""
    version = outcome.version
    code, document = app.command("replay", f"s3://{version.bucket}/{version.key}", "--wait", *options)
    assert code == 0, document
    (again,) = app.follow([version])
    assert again.execution != outcome.execution
    return again


@pytest.fixture(scope="module")
def loads(app: App, tmp_path_factory: pytest.TempPathFactory) -> Loads:
    """Loads before, during and after `engine = auto`. Always ends with the app as it was."""
    folder = tmp_path_factory.mktemp("small-batches")
    job_runs: list[int] = []
    (first,) = app.upload(trip_file(folder, "2016-01", dirty_share=0.05))
    first_rows = rows_of(app, "fhv_tripdata_2016-01.parquet")
    job_runs.append(app.job_runs())
    try:
        deploy(app, "auto", folder)
        forget_table(app, "fhvhv_trips")
        again = replay(app, first)
        again_rows = rows_of(app, "fhv_tripdata_2016-01.parquet")
        (small,) = app.upload(trip_file(folder, "2020-02", "fhvhv", dirty_share=0.05))
        job_runs.append(app.job_runs())
        companion, declined = app.upload(
            trip_file(folder, "2016-02"), with_checksums(trip_file(folder, "2016-03"))
        )
        job_runs.append(app.job_runs())
        _, small_history = app.command("history", small.execution)
        granted = {each for each in granted_permissions(app) if each.role == "SmallBatchRole"}
        calls = {each for each in recorded_calls(app) if each.role == "SmallBatchRole"}
    finally:
        deploy(app, "glue", folder)
    back = replay(app, small)
    job_runs.append(app.job_runs())
    return Loads(
        first,
        first_rows,
        again,
        again_rows,
        small,
        small_history,
        declined,
        companion,
        back,
        job_runs,
        granted,
        calls,
    )


def message_of(app: App, outcome: FileOutcome) -> dict[str, Any]:
    """Return the only notification about the execution that loaded a file."""
    (message,) = app.messages(outcome.execution)
    return message


def test_every_load_ends_with_all_rows_once_whatever_loads_them(app: App, loads: Loads) -> None:
    outcomes = (loads.first, loads.again, loads.small, loads.declined, loads.companion, loads.back)
    counts = {
        name: number
        for table in ("fhv_trips", "fhvhv_trips")
        for name, number in app.rows(
            f"SELECT parse_filename(source_file), count(*) FROM {table} "
            "WHERE regexp_matches(source_file, 'fhv_tripdata_2016-|fhvhv_tripdata_2020-02') GROUP BY 1"
        )
    }

    assert [outcome.status for outcome in outcomes] == ["loaded"] * 6
    assert all(outcome.rows["read"] == ROWS for outcome in outcomes)
    assert loads.small.rows == loads.back.rows
    assert counts == {
        "fhv_tripdata_2016-01.parquet": loads.again.rows["written"],
        "fhvhv_tripdata_2020-02.parquet": loads.back.rows["written"],
        "fhv_tripdata_2016-02.parquet": ROWS,
        "fhv_tripdata_2016-03.parquet": ROWS,
    }


def test_both_engines_load_the_same_rows(loads: Loads) -> None:
    assert len(loads.first_rows) == loads.first.rows["written"]
    assert loads.again_rows == loads.first_rows
    assert loads.again.rows == loads.first.rows


def test_a_small_batch_needs_no_job_run(app: App, loads: Loads) -> None:
    message = message_of(app, loads.small)

    assert loads.job_runs[1] == loads.job_runs[0]
    assert (message["status"], message["engine"], message["declined"]) == ("SUCCESS", "duckdb", None)
    assert (message["jobRunId"], message["executionTimeSeconds"], message["jobCostUsd"]) == (None, None, None)
    assert 0 < message["smallBatchCostUsd"] < 0.01
    assert app.states_of(loads.small.execution)[2:5] == ["ChooseEngine", "RunSmallBatch", "CheckSmallBatch"]
    assert (loads.small_history["engine"], loads.small_history["jobRunId"]) == ("duckdb", None)


def test_a_declined_batch_goes_to_the_job_and_the_message_says_why(app: App, loads: Loads) -> None:
    message = message_of(app, loads.declined)

    assert loads.job_runs[2] == loads.job_runs[1] + 1
    assert loads.companion.execution == loads.declined.execution
    assert (message["status"], message["engine"]) == ("SUCCESS", "glue")
    assert "checksums" in message["declined"]
    assert message["declined"] in message["message"]
    assert message["jobRunId"] is not None


def test_after_the_switch_back_the_job_loads_and_auto_is_refused(app: App, loads: Loads) -> None:
    assert loads.job_runs[3] == loads.job_runs[2] + 1
    assert "engine" not in message_of(app, loads.back)
    code, document = app.command("replay", "--execution", loads.back.execution, "--engine", "auto")
    assert (code, "deployed with engine = glue" in document["error"]) == (1, True)


def test_the_functions_role_has_the_permissions_it_needs_and_no_others(loads: Loads) -> None:
    assert denied_calls(loads.granted, loads.calls) == []
    unneeded = loads.granted - needed_permissions(loads.granted, loads.calls)
    assert {each.action for each in unneeded} == set(NOT_NEEDED_HERE), sorted(map(str, unneeded))


def test_nothing_is_left_over_and_every_execution_was_notified_of_once(app: App, loads: Loads) -> None:
    check_nothing_pending(app)
    outcomes = (loads.first, loads.again, loads.small, loads.declined, loads.companion, loads.back)
    check_notified_once(app, {outcome.execution for outcome in outcomes})
