"""Tests of debugging functions and job runs, with a fake debugpy that records its calls."""

import json
import shutil

import pytest

from local_aws import account, debugger
from local_aws.errors import LocalAwsError
from tests.fixtures.local_account import Aws, eventually, new_state_dir
from tests.local_aws.conftest import ROLE, ResourceFactory

FAKE = """
import pathlib, time
RECORD = pathlib.Path(__file__).parent.parent / "calls"
def listen(address):
    if RECORD.exists():
        raise RuntimeError("the port is taken")
    RECORD.write_text(f"listen {address}")
def wait_for_client():
    RECORD.write_text(RECORD.read_text() + ", wait_for_client")
"""
FAKE_PROGRAM = """
import pathlib, runpy, sys
pathlib.Path(__file__).parent.parent.joinpath("calls").write_text(" ".join(sys.argv[1:5]))
del sys.argv[:4]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SLOW = "import time\ndef handler(event, context):\n    time.sleep(event['seconds'])\n    return 'finished'"


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder with a fake debugpy; the debugged function and job are both called `debugged`."""
    package = tmp_path / "debugpy"
    package.mkdir()
    (package / "__init__.py").write_text(FAKE)
    (package / "__main__.py").write_text(FAKE_PROGRAM)
    monkeypatch.setenv(debugger.VARIABLE, "debugged")
    monkeypatch.setenv(debugger.PACKAGES_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def factory(packages):
    """A factory in a separate account, which was started with the debugger's variables."""
    state_dir = new_state_dir("-debugger")
    try:
        yield ResourceFactory(Aws(account.up(state_dir, port=0)))
    finally:
        account.down(state_dir)
        shutil.rmtree(state_dir, ignore_errors=True)


def invoke(factory, name, seconds):
    payload = json.dumps({"seconds": seconds})
    return json.load(factory.aws.client("lambda").invoke(FunctionName=name, Payload=payload)["Payload"])


def test_the_debugged_function_waits_for_a_client_and_has_no_timeout(factory, packages):
    factory.function("other", SLOW, Timeout=1)
    factory.function("debugged", SLOW, Timeout=1)
    assert "timed out" in invoke(factory, "other", 2)["errorMessage"]
    assert not (packages / "calls").exists()
    assert invoke(factory, "debugged", 2) == "finished"
    assert (packages / "calls").read_text() == "listen ('127.0.0.1', 5678), wait_for_client"


def test_a_second_process_of_the_debugged_function_runs_without_the_debugger(factory, packages):
    (packages / "calls").write_text("")
    factory.function("debugged", SLOW)
    assert invoke(factory, "debugged", 0) == "finished"
    assert (packages / "calls").read_text() == ""


def test_the_debugged_jobs_script_runs_under_debugpy(factory, packages):
    aws = factory.aws
    aws.client("s3").create_bucket(Bucket="lake")
    aws.client("s3").put_object(Bucket="lake", Key="job.py", Body="print(__name__)")
    command = {"Name": "glueetl", "ScriptLocation": "s3://lake/job.py"}
    aws.client("glue").create_job(Name="debugged", Role=ROLE, Command=command)
    run_id = aws.client("glue").start_job_run(JobName="debugged")["JobRunId"]
    eventually(
        lambda: aws.client("glue").get_job_run(JobName="debugged", RunId=run_id)["JobRun"]["JobRunState"],
        lambda state: state == "SUCCEEDED",
    )
    assert (packages / "calls").read_text() == "--listen 127.0.0.1:5678 --wait-for-client job.py"


def test_without_debugpy_the_account_does_not_start_and_names_the_command(packages, monkeypatch):
    monkeypatch.setenv(debugger.PACKAGES_VARIABLE, str(packages / "none"))
    with pytest.raises(LocalAwsError, match=r"pip install --target \.local/debugger debugpy"):
        debugger.environment()
