"""Tests of an upgrade and its rollback while files are loaded, and of switching the engine off and on again.

The next version is a copy of this checkout whose state machine has one more state, whose manifest has one
more key, and whose setting `engine` is `glue`. The CDK command line deploys it over the running app, and then
deploys this checkout again.
"""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_aws import cdk
from ops.file_outcomes import FileOutcome
from taxi_etl.names import manifest_key
from tests.conftest import ROOT
from tests.e2e.app_controls import ROWS, loading_with_the_job, rejected_file, trip_file
from tests.e2e.conftest import App, check_nothing_pending, check_notified_once, execution_in

NEW_STATE, NEW_KEY = "LookAgain", "writtenBy"
SMALL_BATCH_STATES = {"ChooseEngine", "RunSmallBatch", "CheckSmallBatch"}
# file: the current text and the next version's
CHANGES = {
    "stacks/workflow/transitions.py": (
        "    s.validate_input.next(s.check_validation)\n",
        f"    again = sfn.Pass.jsonata(s.validate_input.node.scope, {NEW_STATE!r})\n"
        "    s.validate_input.next(again).next(s.check_validation)\n",
    ),
    "taxi_etl/documents.py": (
        '                "trigger": self.trigger,\n',
        f'                "trigger": self.trigger,\n                {NEW_KEY!r}: "the next version",\n',
    ),
    "stacks/settings.py": ("    engine=EngineChoice.AUTO,\n", "    engine=EngineChoice.GLUE,\n"),
}


@dataclass(frozen=True)
class Version:
    """The parts of the deployed app that an upgrade changes."""

    states: set[str]
    code: dict[str, str]
    """Hashes of the functions' code, by function name."""


@dataclass(frozen=True)
class Upgrade:
    """The outcomes of files uploaded before and during the upgrade, and of one that each version loads.

    That file was loaded `first` by the function, `after` the upgrade by the Glue job, and `after_rollback` by
    the function again. The executions of `before` and `after` waited for their job runs until after the
    rollback; `survived` is their status then.
    """

    before: FileOutcome
    first: FileOutcome
    during: FileOutcome
    after: FileOutcome
    after_rollback: FileOutcome
    survived: list[str]
    refused: tuple[int, Any]
    """What the upgraded app answered to a replay with the other engine."""
    versions: tuple[Version, Version, Version]
    """The first version, the upgraded one, and the one after the rollback."""
    others: set[str]
    """The executions of other tests."""

    @property
    def outcomes(self) -> tuple[FileOutcome, ...]:
        """The outcome of each execution."""
        return (self.before, self.first, self.during, self.after, self.after_rollback)


@pytest.fixture(scope="module")
def next_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout of the next version, built."""
    copy = tmp_path_factory.mktemp("next")
    for name in (
        "stacks",
        "taxi_etl",
        "stores",
        "lambdas",
        "loading",
        "duckdb_engine",
        "glue_scripts",
        "ops",
    ):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", copy)
    for name, (old, new) in CHANGES.items():
        text = (copy / name).read_text()
        assert text.count(old) == 1, f"{name} no longer holds {old!r} once"
        (copy / name).write_text(text.replace(old, new))
    (copy / "build").mkdir()
    (copy / "build" / "layers").symlink_to(ROOT / "build" / "layers")
    subprocess.run([sys.executable, "-m", "ops.build"], cwd=copy, check=True)
    return copy


@pytest.fixture(scope="module")
def upgrade(app: App, next_version: Path, tmp_path_factory: pytest.TempPathFactory) -> Upgrade:
    """The upgrade and the rollback, with uploads between. Always ends with this checkout deployed."""
    folder = tmp_path_factory.mktemp("trips")
    others, first_version = app.executions(), deployed_version(app)
    running: list[str] = []
    try:
        app.aws.settings(hold_job_runs=True)
        with loading_with_the_job(app):
            before = app.send(trip_file(folder, "2021-01"))
            running.append(execution_in(app, "RunGlueETLJob"))
        (first,) = app.upload(trip_file(folder, "2021-02"))
        with ThreadPoolExecutor() as executor:
            other_app = f"{sys.executable} {next_version / 'app.py'}"
            deploying = executor.submit(cdk.deploy, app.aws.account, "--app", other_app)
            during = app.send(rejected_file(folder, "green_tripdata_2021-04.csv.gz"))
            deploying.result()
        upgraded = deployed_version(app)
        refused = app.command("replay", first.version.key, "--engine", "auto")
        assert app.command("replay", first.version.key)[0] == 0
        running.append(execution_in(app, "RunGlueETLJob", other_than=running[0]))
    finally:
        cdk.deploy(app.aws.account)
        survived = [status(app, execution) for execution in running]
        app.aws.settings(hold_job_runs=False)
    outcomes = app.follow([*before, *during, first.version])
    assert app.command("replay", first.version.key, "--wait")[0] == 0
    (after_rollback,) = app.follow([first.version])
    versions = (first_version, upgraded, deployed_version(app))
    waited, invalid, after = outcomes
    return Upgrade(waited, first, invalid, after, after_rollback, survived, refused, versions, others)


def test_running_executions_succeed_on_the_definition_they_started_with(app: App, upgrade: Upgrade) -> None:
    assert upgrade.survived == ["RUNNING", "RUNNING"]
    assert [upgrade.before.status, upgrade.after.status] == ["loaded", "loaded"]
    old, new = app.states_of(upgrade.before.execution), app.states_of(upgrade.after.execution)
    assert (NEW_STATE in old, NEW_STATE in new) == (False, True)
    assert {old[-1], new[-1]} <= {"NotifySuccess", "NotifyPartialSuccess"}


def test_a_file_uploaded_during_the_upgrade_is_validated(upgrade: Upgrade) -> None:
    assert (upgrade.during.status, upgrade.during.reasons[0].split(":")[0]) == ("rejected", "not_gzip")


def test_files_after_the_upgrade_use_the_new_definition_and_code(app: App, upgrade: Upgrade) -> None:
    first, upgraded, _ = upgrade.versions

    assert upgraded.states - first.states == {NEW_STATE}
    assert first.states - upgraded.states == SMALL_BATCH_STATES
    assert all(upgraded.code[name] != first.code[name] for name in first.code)
    assert manifest(app, upgrade.after)[NEW_KEY] == "the next version"


def test_rolling_back_restores_definition_and_code_and_files_load(app: App, upgrade: Upgrade) -> None:
    first, _, back = upgrade.versions

    assert back == first
    assert upgrade.after_rollback.status == "loaded"
    assert NEW_STATE not in app.states_of(upgrade.after_rollback.execution)
    assert NEW_KEY not in manifest(app, upgrade.after_rollback)


def test_each_version_loads_with_the_engine_of_its_setting(app: App, upgrade: Upgrade) -> None:
    loads = (upgrade.first, upgrade.after, upgrade.after_rollback)
    messages = [app.messages(outcome.execution)[0] for outcome in loads]

    assert [message.get("engine") for message in messages] == ["duckdb", None, "duckdb"]
    assert [message["jobRunId"] is None for message in messages] == [True, False, True]


def test_an_app_without_the_function_refuses_to_load_with_it(upgrade: Upgrade) -> None:
    code, document = upgrade.refused
    assert (code, "deployed with engine = glue" in document["error"]) == (1, True)


def test_no_row_is_lost_or_doubled_and_every_execution_is_notified_once(app: App, upgrade: Upgrade) -> None:
    where = "source_file LIKE '%/fhv_tripdata_2021-%'"
    sql = f"SELECT parse_filename(source_file), count(*) FROM fhv_trips WHERE {where} GROUP BY 1"
    loaded = {f"fhv_tripdata_2021-{month}.parquet": ROWS for month in ("01", "02")}

    assert dict(app.rows(sql)) == loaded
    executions = {outcome.execution for outcome in upgrade.outcomes}
    assert len(executions) == 5
    assert app.executions() - upgrade.others == executions
    check_notified_once(app, executions)
    check_nothing_pending(app)


def deployed_version(app: App) -> Version:
    """Return the deployed version."""
    machine = app.session.client("stepfunctions").describe_state_machine(
        stateMachineArn=app.deployed.state_machine_arn
    )
    names = (
        app.deployed.orchestrator_function_name,
        app.deployed.validate_function_name,
        app.deployed.close_function_name,
    )
    functions = app.session.client("lambda")
    code = {name: functions.get_function_configuration(FunctionName=name)["CodeSha256"] for name in names}
    return Version(set(json.loads(machine["definition"])["States"]), code)


def status(app: App, arn: str) -> str:
    """Return the status of an execution."""
    return str(app.session.client("stepfunctions").describe_execution(executionArn=arn)["status"])


def manifest(app: App, file: FileOutcome) -> dict[str, Any]:
    """Return the manifest of a file's execution."""
    answer = app.session.client("s3").get_object(
        Bucket=app.deployed.bucket_name, Key=manifest_key(file.execution)
    )
    found: dict[str, Any] = json.load(answer["Body"])
    return found
