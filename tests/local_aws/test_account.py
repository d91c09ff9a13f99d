"""Tests of starting and stopping the local account."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from local_aws import account, java
from local_aws.errors import LocalAwsError
from tests.fixtures.local_account import Aws, eventually, new_state_dir


@pytest.fixture
def state_dir():
    """The directory of an account for this test only."""
    folder = new_state_dir("-own")
    yield folder
    account.down(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_second_up_returns_the_same_account_and_down_stops_it(state_dir):
    first = account.up(state_dir, port=0)
    assert account.up(state_dir, port=0) == first == account.status(state_dir)
    assert account.down(state_dir) is True
    assert account.status(state_dir) is None
    assert account.down(state_dir) is False
    with pytest.raises(ProcessLookupError):
        os.kill(first.pid, 0)


def test_other_variables_replace_the_account(state_dir):
    first = account.up(state_dir, port=0)
    second = account.up(state_dir, port=0, extra_environment={"SFN_WAIT_SCALE": "0"})
    assert second.pid != first.pid


def test_the_emulator_answers_on_loopback_only(state_dir):
    started = account.up(state_dir, port=0)
    port = int(started.endpoint_url.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with pytest.raises(
        OSError, match=r"refused|assign|timed out"
    ):  # an emulator on all interfaces would answer
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_the_environment_reaches_the_account_with_any_client(local_account):
    environment = local_account.environment()
    identity = subprocess.run(
        [sys.executable, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert identity.stdout.strip() == local_account.account_id


def test_a_taken_port_is_named(state_dir):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalAwsError, match=f"port {port} is taken"):
            account.up(state_dir, port=port)


def test_a_start_on_a_taken_port_leaves_the_running_account_alone(state_dir, monkeypatch):
    running = account.Account("http://127.0.0.1:1", pid=1, state_dir=str(state_dir), fingerprint="older code")
    stopped = []
    with monkeypatch.context() as patches, socket.socket() as other:
        patches.setattr(account, "status", lambda folder: running)
        patches.setattr(account, "down", stopped.append)
        patches.setattr(account.java, "require", lambda: None)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(LocalAwsError, match="is taken"):
            account.up(state_dir, port=other.getsockname()[1])
    assert stopped == []


def test_missing_java_is_reported_before_anything_starts(state_dir, monkeypatch):
    def require():
        raise java.JavaError("Java is missing: install it")

    monkeypatch.setattr(java, "require", require)
    with pytest.raises(LocalAwsError, match="Java is missing"):
        account.up(state_dir, port=0)
    assert not state_dir.exists()


def run_sleeping_job(started):
    """Start a Glue job run that sleeps, and return its process id."""
    aws = Aws(started)
    aws.client("iam").create_role(RoleName="anything", AssumeRolePolicyDocument="{}")
    aws.client("s3").create_bucket(Bucket="lake")
    aws.client("s3").put_object(Bucket="lake", Key="job.py", Body="import time\ntime.sleep(600)\n")
    aws.client("glue").create_job(
        Name="job",
        Role="arn:aws:iam::000000000000:role/anything",
        Command={"Name": "glueetl", "ScriptLocation": "s3://lake/job.py"},
    )
    run_id = aws.client("glue").start_job_run(JobName="job")["JobRunId"]
    pid_file = Path(started.state_dir) / "runs" / run_id / "pid"
    eventually(lambda: pid_file.exists() and pid_file.read_text())
    return int(pid_file.read_text())


def is_running(pid):
    return "job.py" in account._command(pid)


def test_down_ends_job_runs(state_dir):
    pid = run_sleeping_job(account.up(state_dir, port=0))
    assert is_running(pid)
    account.down(state_dir)
    assert not is_running(pid)


def test_down_ends_job_runs_of_an_emulator_that_was_killed(state_dir):
    started = account.up(state_dir, port=0)
    pid = run_sleeping_job(started)
    os.kill(started.pid, signal.SIGKILL)
    os.waitpid(started.pid, 0)
    assert is_running(pid)
    account.down(state_dir)
    eventually(lambda: not is_running(pid))


def test_the_account_stops_with_its_owner(state_dir):
    owner = subprocess.Popen(["sleep", "600"])
    started = account.up(state_dir, port=0, owner=owner.pid)
    owner.kill()
    owner.wait()
    os.waitpid(started.pid, 0)  # returns once it has ended
    assert account.status(state_dir) is None


def test_an_unknown_setting_is_refused_by_name(aws):
    request = urllib.request.Request(
        f"{aws.account.endpoint_url}/_local/settings", b'{"crawl_secs": 1}', method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert "no such setting: crawl_secs" in caught.value.read().decode()
