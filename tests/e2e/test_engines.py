"""Tests of both engines on the deployed app: the function for small batches, and the Glue job.

`test_upgrade.py` tests the switch from one setting to the other. The module's name places it before the tests
that load for-hire vehicle trips, so that both engines create their first table here.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from ops.file_outcomes import FileOutcome
from tests.e2e.app_controls import ROWS, loading_with_the_job, trip_file, with_checksums
from tests.e2e.conftest import App, check_nothing_pending, check_notified_once

OF_THE_LOAD = {"ingested_at", "run_id"}
"""The columns that differ between two loads of one file."""


@dataclass(frozen=True)
class Loads:
    """The outcomes of the files, in the order of their loads.

    `first` was loaded by the Glue job, and then `again` by the function; its rows are those of either load.
    `small` is the first file of its dataset. `declined` has checksums in its pages, and a `companion` in its
    batch without.
    """

    first: FileOutcome
    first_rows: list[tuple[Any, ...]]
    again: FileOutcome
    again_rows: list[tuple[Any, ...]]
    small: FileOutcome
    small_history: Any
    declined: FileOutcome
    companion: FileOutcome
    job_runs: list[int]
    """The number of job runs after each load."""

    @property
    def outcomes(self) -> tuple[FileOutcome, ...]:
        """The outcome of every load."""
        return (self.first, self.again, self.small, self.declined, self.companion)


def rows_of(app: App, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of a file in the fhv table, without what depends on the load, sorted."""
    names = [each[0] for each in app.rows("SELECT column_name FROM (DESCRIBE fhv_trips)")]
    kept = ", ".join(f'"{each}"' for each in names if each not in OF_THE_LOAD)
    return sorted(
        app.rows(f"SELECT {kept} FROM fhv_trips WHERE parse_filename(source_file) = '{name}'"), key=repr
    )


@pytest.fixture(scope="module")
def loads(app: App, tmp_path_factory: pytest.TempPathFactory) -> Loads:
    """A load by the job, two by the function, and one that the function declines."""
    folder = tmp_path_factory.mktemp("engines")
    job_runs: list[int] = []
    with loading_with_the_job(app):
        (first,) = app.upload(trip_file(folder, "2016-01", dirty_share=0.05))
    first_rows = rows_of(app, "fhv_tripdata_2016-01.parquet")
    job_runs.append(app.job_runs())
    code, document = app.command("replay", first.version.key, "--wait")
    assert code == 0, document
    (again,) = app.follow([first.version])
    again_rows = rows_of(app, "fhv_tripdata_2016-01.parquet")
    (small,) = app.upload(trip_file(folder, "2020-02", "fhvhv", dirty_share=0.05))
    job_runs.append(app.job_runs())
    companion, declined = app.upload(
        trip_file(folder, "2016-02"), with_checksums(trip_file(folder, "2016-03"))
    )
    job_runs.append(app.job_runs())
    _, small_history = app.command("history", small.execution)
    return Loads(first, first_rows, again, again_rows, small, small_history, declined, companion, job_runs)


def message_of(app: App, outcome: FileOutcome) -> dict[str, Any]:
    """Return the only notification about the execution that loaded a file."""
    (message,) = app.messages(outcome.execution)
    return message


def test_every_load_ends_with_all_rows_once_whatever_loads_them(app: App, loads: Loads) -> None:
    counts = {
        name: number
        for table in ("fhv_trips", "fhvhv_trips")
        for name, number in app.rows(
            f"SELECT parse_filename(source_file), count(*) FROM {table} "
            "WHERE regexp_matches(source_file, 'fhv_tripdata_2016-|fhvhv_tripdata_2020-02') GROUP BY 1"
        )
    }

    assert [outcome.status for outcome in loads.outcomes] == ["loaded"] * 5
    assert all(outcome.rows["read"] == ROWS for outcome in loads.outcomes)
    assert counts == {
        "fhv_tripdata_2016-01.parquet": loads.again.rows["written"],
        "fhvhv_tripdata_2020-02.parquet": loads.small.rows["written"],
        "fhv_tripdata_2016-02.parquet": ROWS,
        "fhv_tripdata_2016-03.parquet": ROWS,
    }


def test_both_engines_load_the_same_rows(loads: Loads) -> None:
    assert loads.again.execution != loads.first.execution
    assert len(loads.first_rows) == loads.first.rows["written"]
    assert loads.again_rows == loads.first_rows
    assert loads.again.rows == loads.first.rows


def test_a_small_batch_needs_no_job_run(app: App, loads: Loads) -> None:
    message = message_of(app, loads.small)

    assert loads.job_runs[1] == loads.job_runs[0]
    assert (message["status"], message["engine"], message["declined"]) == ("SUCCESS", "duckdb", None)
    assert (message["jobRunId"], message["executionTimeSeconds"], message["jobCostUsd"]) == (None, None, None)
    assert 0 < message["smallBatchCostUsd"] < 0.01
    assert app.states_of(loads.small.execution)[2:4] == ["RunSmallBatch", "CheckSmallBatch"]
    assert (loads.small_history["engine"], loads.small_history["jobRunId"]) == ("duckdb", None)


def test_a_declined_batch_goes_to_the_job_and_the_message_says_why(app: App, loads: Loads) -> None:
    message = message_of(app, loads.declined)

    assert loads.job_runs[2] == loads.job_runs[1] + 1
    assert loads.companion.execution == loads.declined.execution
    assert (message["status"], message["engine"]) == ("SUCCESS", "glue")
    assert "checksums" in message["declined"]
    assert message["declined"] in message["message"]
    assert message["jobRunId"] is not None


def test_the_cost_command_bills_what_each_load_used(app: App, loads: Loads) -> None:
    engines = {"duckdb": loads.small, "glue": loads.declined}
    for engine, outcome in engines.items():
        code, bill = app.command("cost", outcome.execution)
        items = {item["item"]: item for item in bill["items"]}
        assert (code, bill["engine"], bill["status"]) == (0, engine, "SUCCEEDED")
        assert items["state transitions"]["quantity"] == len(app.states_of(outcome.execution))
        assert items["function RunSmallBatch"]["basis"] == "measured"
        assert ("Glue job" in items) == (engine == "glue")
        assert bill["usd"] == pytest.approx(sum(item["usd"] for item in items.values()), abs=1e-6)

    code, month = app.command("cost")
    used = {outcome.execution for outcome in loads.outcomes}
    assert code == 0
    assert month["executions"] >= len(used)
    assert {"fhv", "fhvhv"} <= month["datasets"].keys()
    assert month["forecast"]["usd"] > month["usd"] > 0


def test_nothing_is_left_over_and_every_execution_has_one_notification(app: App, loads: Loads) -> None:
    check_nothing_pending(app)
    check_notified_once(app, {outcome.execution for outcome in loads.outcomes})
