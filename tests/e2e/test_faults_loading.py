"""Tests of faults of the job, its files and the crawler: each is notified, and a replay loads the files.

Each fault has a separate execution, which the Glue job loads. When the faults are over, two small batches
load all files that failed. The files are for-hire vehicle trips of 2023, which no other test counts.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops import orchestrator
from ops.file_outcomes import FileOutcome
from taxi_etl.raw_folders import raw_folder
from tests.e2e.app_controls import ROWS, loading_with_the_job, newest_job_run, trip_file
from tests.e2e.conftest import App, check_nothing_pending, check_notified_once, eventually

CHANGED_ROWS = 200


@dataclass(frozen=True)
class Changed:
    """The outcomes of a deleted, a replaced and an unchanged file of one execution, and of the new version.

    `deletion` is the delete marker of the deleted file.
    """

    deleted: FileOutcome
    replaced: FileOutcome
    untouched: FileOutcome
    newer: FileOutcome
    deletion: str


@pytest.fixture(scope="module", autouse=True)
def before(app: App) -> Iterator[set[str]]:
    """The executions of other tests. Restores the account's settings afterwards."""
    yield app.executions()
    app.aws.settings(hold_job_runs=False, glue_minute_seconds=60.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this module's files."""
    return tmp_path_factory.mktemp("trip_file")


@pytest.fixture(scope="module")
def killed(app: App, folder: Path) -> FileOutcome:
    """A file whose job run was killed."""
    with loading_with_the_job(app):
        versions = app.send(trip_file(folder, "2023-01"))
        run = newest_job_run(app, "RUNNING")
    process = Path(app.aws.account.state_dir) / "runs" / run / "pid"
    os.killpg(int(process.read_text()), signal.SIGKILL)
    (outcome,) = app.follow(versions)
    return outcome


@pytest.fixture(scope="module")
def timed_out(app: App, folder: Path) -> FileOutcome:
    """A file whose job run exceeded its timeout, which was shortened to about a second."""
    app.aws.settings(glue_minute_seconds=0.01)
    with loading_with_the_job(app):
        (outcome,) = app.upload(trip_file(folder, "2023-02"))
    app.aws.settings(glue_minute_seconds=60.0)
    return outcome


@pytest.fixture(scope="module")
def without_job(app: App, folder: Path) -> FileOutcome:
    """A file uploaded while the job did not exist."""
    with loading_with_the_job(app), deleted_resource(app, "Job", app.deployed.glue_job_name):
        (outcome,) = app.upload(trip_file(folder, "2023-03"))
    return outcome


@pytest.fixture(scope="module")
def aborted(app: App, folder: Path) -> FileOutcome:
    """A file whose execution was stopped while it waited for the job run."""
    app.aws.settings(hold_job_runs=True)
    with loading_with_the_job(app):
        (version,) = app.send(trip_file(folder, "2023-07"))
        run = newest_job_run(app, "STARTING")
    states = app.session.client("stepfunctions")
    found = states.list_executions(stateMachineArn=app.deployed.state_machine_arn, statusFilter="RUNNING")
    states.stop_execution(executionArn=found["executions"][0]["executionArn"])
    eventually(lambda: state_of(app, run) == "STOPPED", "the job run stopped with its execution")
    app.aws.settings(hold_job_runs=False)
    (outcome,) = app.follow([version])
    return outcome


@pytest.fixture(scope="module")
def changed(app: App, folder: Path) -> Changed:
    """Three files, two of which change between validation and the job run.

    The newer version belongs to another dataset, and loads before the job run and without the crawler.
    """
    replaced = trip_file(folder, "2023-05", name="for-hire_2023-05.parquet")
    # The newer version is in the folder of its dataset, so it makes a crawl necessary.
    folders = {replaced.name: raw_folder("fhvhv")}
    app.aws.settings(hold_job_runs=True)
    with loading_with_the_job(app):
        older = (trip_file(folder, "2023-04"), replaced, trip_file(folder, "2023-06"))
        versions = app.send(*older, folders=folders)
        newest_job_run(app, "STARTING")
    deleted = app.session.client("s3").delete_object(Bucket=versions[0].bucket, Key=versions[0].key)
    newer_file = trip_file(folder, "2023-05", "fhvhv", CHANGED_ROWS, replaced.name)
    with deleted_resource(app, "Crawler", app.deployed.crawler_name):
        (newer,) = app.follow(app.send(newer_file, folders=folders))
    app.aws.settings(hold_job_runs=False)
    outcomes = app.follow(versions)
    return Changed(*outcomes, newer, deleted["VersionId"])


@pytest.fixture(scope="module")
def replayed(
    app: App,
    *,
    killed: FileOutcome,
    timed_out: FileOutcome,
    without_job: FileOutcome,
    aborted: FileOutcome,
    changed: Changed,
) -> dict[str, FileOutcome]:
    """The outcomes of the failed files after a replay without faults, by key. Two executions load them."""
    deleted = changed.deleted.version
    app.session.client("s3").delete_object(Bucket=deleted.bucket, Key=deleted.key, VersionId=changed.deletion)
    code, document = app.command("replay", killed.execution)
    assert (code, document["executions"][0]["files"]) == (0, 1)
    others = [timed_out.version, without_job.version, aborted.version, deleted]
    (started,) = orchestrator.replay_files(app.session, app.deployed, others)
    assert (started.state, started.files) == ("started", 4)
    return {outcome.version.key: outcome for outcome in app.follow([killed.version, *others])}


def test_a_killed_job_run_is_reported_and_its_file_fails(app: App, killed: FileOutcome) -> None:
    assert (killed.status, codes(killed)) == ("failed", ["run_failed"])
    message = only_message(app, killed)
    assert message["status"] == "FAILED"
    assert message["error"]["Error"] == "States.TaskFailed"
    assert not message["error"]["Cause"].startswith("{")
    assert f"replay --execution {killed.execution}" in message["nextStep"]


def test_a_job_run_past_its_timeout_is_reported_and_its_file_fails(app: App, timed_out: FileOutcome) -> None:
    assert (timed_out.status, codes(timed_out)) == ("failed", ["run_failed"])
    message = only_message(app, timed_out)
    assert (message["status"], message["error"]["Cause"]) == ("FAILED", "Job run timed out")


def test_a_missing_job_is_reported_and_its_file_fails(app: App, without_job: FileOutcome) -> None:
    assert (without_job.status, codes(without_job)) == ("failed", ["run_failed"])
    message = only_message(app, without_job)
    assert (message["status"], message["error"]["Error"]) == ("FAILED", "Glue.EntityNotFoundException")
    assert app.deployed.glue_job_name in message["error"]["Cause"]


def test_a_stopped_execution_is_reported_and_its_file_fails(app: App, aborted: FileOutcome) -> None:
    assert (aborted.status, codes(aborted)) == ("failed", ["run_aborted"])
    message = only_message(app, aborted)
    assert (message["status"], message["error"]["Error"]) == ("FAILED", "ABORTED")
    assert f"replay --execution {aborted.execution}" in message["nextStep"]


def test_a_file_deleted_before_the_job_reads_it_fails_alone(app: App, changed: Changed) -> None:
    assert (changed.deleted.status, codes(changed.deleted)) == ("failed", ["deleted"])
    assert changed.untouched.status == "loaded"
    message = only_message(app, changed.untouched)
    assert message["status"] == "PARTIAL_SUCCESS"
    statuses = {entry["key"]: entry["status"] for entry in message["files"]}
    assert statuses[changed.deleted.version.key] == "failed"


def test_a_file_replaced_before_the_job_reads_it_yields_to_its_newer_version(
    app: App, changed: Changed, replayed: dict[str, FileOutcome]
) -> None:
    assert (changed.replaced.status, changed.newer.status) == ("superseded", "loaded")
    name = Path(changed.replaced.version.key).name
    assert (loaded_rows(app, "fhv").get(name), loaded_rows(app, "fhvhv")) == (None, {name: CHANGED_ROWS})


def test_a_missing_crawler_makes_the_success_partial(app: App, changed: Changed) -> None:
    assert changed.newer.status == "loaded"
    message = only_message(app, changed.newer)
    assert (message["status"], message["crawlerState"]) == ("PARTIAL_SUCCESS", "FAILED")
    assert "HandleCrawlerFailure" in app.states_of(changed.newer.execution)


def test_a_replay_after_the_faults_loads_every_file(app: App, replayed: dict[str, FileOutcome]) -> None:
    assert {outcome.status for outcome in replayed.values()} == {"loaded"}
    executions = {outcome.execution for outcome in replayed.values()}
    assert len(executions) == 2
    subjects = {message["subject"] for execution in executions for message in app.messages(execution)}
    assert subjects == {"Taxi ETL SUCCESS: fhv_tripdata_2023-01.parquet", "Taxi ETL SUCCESS: 4 files"}
    months = ("01", "02", "03", "04", "06", "07")
    assert loaded_rows(app, "fhv") == {f"fhv_tripdata_2023-{month}.parquet": ROWS for month in months}


def test_no_claim_stays_open_and_every_execution_is_notified_once(
    app: App, before: set[str], replayed: dict[str, FileOutcome]
) -> None:
    ours = app.executions() - before
    assert len(ours) == 8
    check_notified_once(app, ours)
    check_nothing_pending(app)


def only_message(app: App, outcome: FileOutcome) -> dict[str, Any]:
    """Return the only notification about a file's execution."""
    (message,) = app.messages(outcome.execution)
    return message


def codes(outcome: FileOutcome) -> list[str]:
    """Return the failure codes of a file in the ledger."""
    return [reason.split(":")[0] for reason in outcome.reasons]


def loaded_rows(app: App, dataset: str) -> dict[str, int]:
    """Return the row counts of this module's files in a dataset's table, by file name."""
    ours = "source_file LIKE '%_2023-%'"
    sql = f"SELECT parse_filename(source_file), count(*) FROM {dataset}_trips WHERE {ours} GROUP BY 1"
    return dict(app.rows(sql))


def state_of(app: App, run: str) -> str:
    """Return the state of a job run."""
    answer = app.session.client("glue").get_job_run(JobName=app.deployed.glue_job_name, RunId=run)
    return str(answer["JobRun"]["JobRunState"])


@contextmanager
def deleted_resource(app: App, kind: str, name: str) -> Iterator[None]:
    """Delete a Glue `Job` or `Crawler` within the block, and create it again afterwards."""
    glue = app.session.client("glue")
    noun = kind.lower()
    shown = getattr(glue, f"get_{noun}")(**{"JobName" if kind == "Job" else "Name": name})[kind]
    getattr(glue, f"delete_{noun}")(**{"JobName" if kind == "Job" else "Name": name})
    try:
        yield
    finally:
        taken = glue.meta.service_model.operation_model(f"Create{kind}").input_shape.members
        given = {key: value for key, value in shown.items() if value and key in taken}
        getattr(glue, f"create_{noun}")(**given)
