"""Tests of the setup lock between processes."""

import subprocess
import sys

from tests.conftest import ROOT

MAKE = """
import pathlib, sys, time
from local_aws import setup_lock
making = pathlib.Path(sys.argv[1])
with setup_lock.exclusive("anything"):
    making.touch(exist_ok=False)
    time.sleep(0.5)
    making.unlink()
"""


def test_only_one_process_runs_the_block_at_a_time(tmp_path):
    command = [sys.executable, "-c", MAKE, str(tmp_path / "making")]
    both = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=30) for process in both] == [0, 0]
