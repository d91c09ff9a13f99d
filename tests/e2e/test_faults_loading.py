"""What if the job, its files or the crawler fail? People are told why, and a replay loads what is left.

The faults come first, each in an execution of its own; then they are over, and two job runs load everything
that they kept from loading. The files are for-hire vehicles' of 2023, which no other end-to-end test counts.
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
from taxi_etl.names import RAW_PREFIX
from tests.e2e.app_controls import ROWS, new_run, trips
from tests.e2e.conftest import App, check_nothing_pends, check_notified_once, eventually

CHANGED_ROWS = 200


@dataclass(frozen=True)
class Changed:
    """What became of three files of one execution: one deleted, one replaced, one left alone, and of the
    version that came instead; `deletion` is the delete marker of the first."""

    deleted: FileOutcome
    replaced: FileOutcome
    untouched: FileOutcome
    instead: FileOutcome
    deletion: str


@pytest.fixture(scope="module", autouse=True)
def before(app: App) -> Iterator[set[str]]:
    """The executions of other tests. Whatever happens, the account is well again afterwards."""
    yield app.executions()
    app.aws.settings(hold_job_runs=False, glue_minute_seconds=60.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this module's files are made."""
    return tmp_path_factory.mktemp("trips")


@pytest.fixture(scope="module")
def killed(app: App, folder: Path) -> FileOutcome:
    """A file whose job run lost its process, with everything it knew."""
    versions = app.send(trips(folder, "2023-01"))
    run = new_run(app, "RUNNING")
    process = Path(app.aws.account.state_dir) / "runs" / run / "pid"
    os.killpg(int(process.read_text()), signal.SIGKILL)
    (outcome,) = app.follow(versions)
    return outcome


@pytest.fixture(scope="module")
def timed_out(app: App, folder: Path) -> FileOutcome:
    """A file whose job run took longer than it may: the job's two hours last a second."""
    app.aws.settings(glue_minute_seconds=0.01)
    (outcome,) = app.upload(trips(folder, "2023-02"))
    app.aws.settings(glue_minute_seconds=60.0)
    return outcome


@pytest.fixture(scope="module")
def without_job(app: App, folder: Path) -> FileOutcome:
    """A file that came while there was no job."""
    with removed(app, "Job", app.deployed.glue_job_name):
        (outcome,) = app.upload(trips(folder, "2023-03"))
    return outcome


@pytest.fixture(scope="module")
def aborted(app: App, folder: Path) -> FileOutcome:
    """A file whose execution somebody stopped while it waited for the job."""
    app.aws.settings(hold_job_runs=True)
    (version,) = app.send(trips(folder, "2023-07"))
    run = new_run(app, "STARTING")
    states = app.session.client("stepfunctions")
    found = states.list_executions(stateMachineArn=app.deployed.state_machine_arn, statusFilter="RUNNING")
    states.stop_execution(executionArn=found["executions"][0]["executionArn"])
    eventually(lambda: state_of(app, run) == "STOPPED", "the job run stopped with its execution")
    app.aws.settings(hold_job_runs=False)
    (outcome,) = app.follow([version])
    return outcome


@pytest.fixture(scope="module")
def changed(app: App, folder: Path) -> Changed:
    """Three files, two of which change after they were validated and before the job reads them.

    The newer version is of another dataset, and loads while there is no crawler.
    """
    replaced = trips(folder, "2023-05", name="for-hire_2023-05.parquet")
    app.aws.settings(hold_job_runs=True)
    versions = app.send(trips(folder, "2023-04"), replaced, trips(folder, "2023-06"))
    first = new_run(app, "STARTING")
    deleted = app.session.client("s3").delete_object(Bucket=versions[0].bucket, Key=versions[0].key)
    newer = app.send(trips(folder, "2023-05", "fhvhv", CHANGED_ROWS, replaced.name))
    second = new_run(app, "WAITING")
    app.aws.settings(hold_job_runs=False)
    eventually(lambda: state_of(app, first) == "RUNNING", "the first run running")
    app.aws.settings(hold_job_runs=True)
    outcomes = app.follow(versions)
    with removed(app, "Crawler", app.deployed.crawler_name):
        assert state_of(app, second) == "STARTING"
        app.aws.settings(hold_job_runs=False)
        (instead,) = app.follow(newer)
    return Changed(*outcomes, instead, deleted["VersionId"])


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
    """What became of the failed files once all faults were over, by key: two executions load them."""
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
    message = the_message(app, killed)
    assert message["status"] == "FAILED"
    assert message["error"]["Error"] == "States.TaskFailed"
    assert not message["error"]["Cause"].startswith("{")
    assert f"replay --execution {killed.execution}" in message["nextStep"]


def test_a_job_run_past_its_timeout_is_reported_and_its_file_fails(app: App, timed_out: FileOutcome) -> None:
    assert (timed_out.status, codes(timed_out)) == ("failed", ["run_failed"])
    message = the_message(app, timed_out)
    assert (message["status"], message["error"]["Cause"]) == ("FAILED", "Job run timed out")


def test_a_missing_job_is_reported_and_its_file_fails(app: App, without_job: FileOutcome) -> None:
    assert (without_job.status, codes(without_job)) == ("failed", ["run_failed"])
    message = the_message(app, without_job)
    assert (message["status"], message["error"]["Error"]) == ("FAILED", "Glue.EntityNotFoundException")
    assert app.deployed.glue_job_name in message["error"]["Cause"]


def test_a_stopped_execution_is_reported_and_its_file_fails(app: App, aborted: FileOutcome) -> None:
    assert (aborted.status, codes(aborted)) == ("failed", ["run_aborted"])
    message = the_message(app, aborted)
    assert (message["status"], message["error"]["Error"]) == ("FAILED", "ABORTED")
    assert f"replay --execution {aborted.execution}" in message["nextStep"]


def test_a_file_deleted_before_the_job_reads_it_fails_alone(app: App, changed: Changed) -> None:
    assert (changed.deleted.status, codes(changed.deleted)) == ("failed", ["deleted"])
    assert changed.untouched.status == "loaded"
    message = the_message(app, changed.untouched)
    assert message["status"] == "PARTIAL_SUCCESS"
    told = {entry["key"]: entry["status"] for entry in message["files"]}
    assert told[changed.deleted.version.key] == "failed"


def test_a_file_replaced_before_the_job_reads_it_yields_to_its_newer_version(
    app: App, changed: Changed, replayed: dict[str, FileOutcome]
) -> None:
    assert (changed.replaced.status, changed.instead.status) == ("superseded", "loaded")
    name = changed.replaced.version.key.removeprefix(RAW_PREFIX)
    assert (loaded_rows(app, "fhv").get(name), loaded_rows(app, "fhvhv")) == (None, {name: CHANGED_ROWS})


def test_a_missing_crawler_makes_the_success_partial(app: App, changed: Changed) -> None:
    assert changed.instead.status == "loaded"
    message = the_message(app, changed.instead)
    assert (message["status"], message["crawlerState"]) == ("PARTIAL_SUCCESS", "FAILED")
    assert "HandleCrawlerFailure" in app.states_of(changed.instead.execution)


def test_a_replay_after_the_faults_loads_every_file(app: App, replayed: dict[str, FileOutcome]) -> None:
    assert {outcome.status for outcome in replayed.values()} == {"loaded"}
    executions = {outcome.execution for outcome in replayed.values()}
    assert len(executions) == 2
    told = {message["subject"] for execution in executions for message in app.messages(execution)}
    assert told == {"Taxi ETL SUCCESS: fhv_tripdata_2023-01.parquet", "Taxi ETL SUCCESS: 4 files"}
    months = ("01", "02", "03", "04", "06", "07")
    assert loaded_rows(app, "fhv") == {f"fhv_tripdata_2023-{month}.parquet": ROWS for month in months}


def test_no_claim_stays_open_and_every_execution_is_notified_once(
    app: App, before: set[str], replayed: dict[str, FileOutcome]
) -> None:
    ours = app.executions() - before
    assert len(ours) == 8
    check_notified_once(app, ours)
    check_nothing_pends(app)


def the_message(app: App, outcome: FileOutcome) -> dict[str, Any]:
    """The one notification about a file's execution."""
    (message,) = app.messages(outcome.execution)
    return message


def codes(outcome: FileOutcome) -> list[str]:
    """Why the ledger says that a file was not loaded."""
    return [reason.split(":")[0] for reason in outcome.reasons]


def loaded_rows(app: App, dataset: str) -> dict[str, int]:
    """The rows of this module's files in a dataset's table, by file name."""
    ours = "source_file LIKE '%_2023-%'"
    sql = f"SELECT parse_filename(source_file), count(*) FROM {dataset}_trips WHERE {ours} GROUP BY 1"
    return dict(app.rows(sql))


def state_of(app: App, run: str) -> str:
    """The state of a job run."""
    answer = app.session.client("glue").get_job_run(JobName=app.deployed.glue_job_name, RunId=run)
    return str(answer["JobRun"]["JobRunState"])


@contextmanager
def removed(app: App, kind: str, name: str) -> Iterator[None]:
    """Meanwhile the account has no such Glue `Job` or `Crawler`; afterwards it is as it was."""
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
