"""Can the app be upgraded, and the upgrade be taken back, while files are loaded?

The next version is a copy of this checkout in which the state machine has one state and the manifest one key
more, deployed over the running app by the CDK command line; then this checkout is deployed again.
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

import sample_data
from local_aws import cdk
from ops.file_outcomes import FileOutcome
from taxi_etl.names import manifest_key
from tests.conftest import ROOT
from tests.e2e.conftest import App, check_nothing_pends, check_notified_once, waiting_for_the_job

ROWS = 120
NEW_STATE, NEW_KEY = "LookAgain", "writtenBy"
# file: what is there, and what the next version has there
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
}


@dataclass(frozen=True)
class Parts:
    """What of the app can be seen to have changed."""

    states: set[str]
    code: dict[str, str]
    """Hashes of the functions' code."""


@dataclass(frozen=True)
class Story:
    """What became of the files that came before, during and after the upgrade, and after going back.

    The executions of the first and the third waited for their job runs all the time: `survived` is how they
    stood when the app was back at its first version.
    """

    before: FileOutcome
    during: FileOutcome
    after: FileOutcome
    returned: FileOutcome
    survived: list[str]
    versions: tuple[Parts, Parts, Parts]
    """The app at first, upgraded, and back again."""
    others: set[str]
    """The executions of other tests."""


@pytest.fixture(scope="module")
def next_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout of the next version, built."""
    copy = tmp_path_factory.mktemp("next")
    for name in ("stacks", "taxi_etl", "stores", "lambdas", "glue_scripts", "ops"):
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
def story(app: App, next_version: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The upgrade and the way back, with files all the time. Whatever happens, the app is this checkout's."""
    folder = tmp_path_factory.mktemp("trips")
    others, first = app.executions(), parts(app)
    running: list[str] = []
    try:
        app.aws.settings(hold_job_runs=True)
        before = app.send(trips(folder, "2021-01"))
        running.append(waiting_for_the_job(app))
        with ThreadPoolExecutor() as aside:
            other_app = f"{sys.executable} {next_version / 'app.py'}"
            deploying = aside.submit(cdk.deploy, app.aws.account, "--app", other_app)
            during = app.send(broken(folder))
            deploying.result()
        upgraded = parts(app)
        after = app.send(trips(folder, "2021-02"))
        running.append(waiting_for_the_job(app, besides=running[0]))
    finally:
        cdk.deploy(app.aws.account)
        survived = [status(app, execution) for execution in running]
        app.aws.settings(hold_job_runs=False)
    outcomes = app.follow([*before, *during, *after])
    (returned,) = app.upload(trips(folder, "2021-03"))
    return Story(*outcomes, returned, survived, (first, upgraded, parts(app)), others)


def test_running_executions_succeed_on_the_definition_they_started_with(app: App, story: Story) -> None:
    assert story.survived == ["RUNNING", "RUNNING"]
    assert [story.before.status, story.after.status] == ["loaded", "loaded"]
    old, new = app.states_of(story.before.execution), app.states_of(story.after.execution)
    assert (NEW_STATE in old, NEW_STATE in new) == (False, True)
    assert {old[-1], new[-1]} <= {"NotifySuccess", "NotifyPartialSuccess"}


def test_a_file_uploaded_during_the_upgrade_is_validated(story: Story) -> None:
    assert (story.during.status, story.during.reasons[0].split(":")[0]) == ("rejected", "not_gzip")


def test_files_after_the_upgrade_use_the_new_definition_and_code(app: App, story: Story) -> None:
    first, upgraded, _ = story.versions

    assert upgraded.states - first.states == {NEW_STATE}
    assert all(upgraded.code[name] != first.code[name] for name in first.code)
    assert manifest(app, story.after)[NEW_KEY] == "the next version"


def test_rolling_back_restores_definition_and_code_and_files_load(app: App, story: Story) -> None:
    first, _, back = story.versions

    assert back == first
    assert story.returned.status == "loaded"
    assert NEW_STATE not in app.states_of(story.returned.execution)
    assert NEW_KEY not in manifest(app, story.returned)


def test_no_row_is_lost_or_doubled_and_every_execution_is_notified_once(app: App, story: Story) -> None:
    where = "source_file LIKE '%/fhv_tripdata_2021-%'"
    sql = f"SELECT parse_filename(source_file), count(*) FROM fhv_trips WHERE {where} GROUP BY 1"
    loaded = {f"fhv_tripdata_2021-{month}.parquet": ROWS for month in ("01", "02", "03")}

    assert dict(app.rows(sql)) == loaded
    files = (story.before, story.during, story.after, story.returned)
    assert app.executions() - story.others == {file.execution for file in files}
    check_notified_once(app, {file.execution for file in files})
    check_nothing_pends(app)


def trips(folder: Path, month: str) -> Path:
    """A trip file without faults."""
    return sample_data.generate(folder, dataset="fhv", month=month, rows=ROWS).path


def broken(folder: Path) -> Path:
    """A file that is rejected, which costs no job run."""
    path = folder / "green_tripdata_2021-04.csv.gz"
    path.write_text("VendorID,lpep_pickup_datetime\n1,2021-04-01 00:00:00\n")
    return path


def parts(app: App) -> Parts:
    """The app as it is deployed now."""
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
    return Parts(set(json.loads(machine["definition"])["States"]), code)


def status(app: App, arn: str) -> str:
    """How an execution stands."""
    return str(app.session.client("stepfunctions").describe_execution(executionArn=arn)["status"])


def manifest(app: App, file: FileOutcome) -> dict[str, Any]:
    """The manifest of a file's execution."""
    answer = app.session.client("s3").get_object(
        Bucket=app.deployed.bucket_name, Key=manifest_key(file.execution)
    )
    found: dict[str, Any] = json.load(answer["Body"])
    return found
