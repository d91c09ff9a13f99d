"""Tests of the installer of locked packages."""

import subprocess
import sys
from pathlib import Path

import pytest

from local_aws import installer

LOCK = Path("some.txt")


@pytest.fixture
def started(monkeypatch):
    """A fake of subprocess.run: the started commands; those whose program is in `failing` fail."""
    commands, failing = [], set()

    def run(command, **options):
        commands.append(command)
        failed = Path(command[0]).name in failing
        return subprocess.CompletedProcess(command, int(failed), "", "no index" if failed else "")

    monkeypatch.setattr(installer.subprocess, "run", run)
    return commands, failing


def test_uv_installs_locked_packages(started):
    installer.install(LOCK, uv=["--only-binary", ":all:"])
    (command,) = started[0]
    assert command[:3] == [str(Path(sys.prefix) / "bin" / "uv"), "pip", "install"]
    assert command[-7:] == [
        *("--only-binary", ":all:"),
        *("--quiet", "--no-deps", "--require-hashes"),
        *("--requirement", "some.txt"),
    ]


def test_pip_installs_what_uv_cannot(started):
    started[1].add("uv")
    installer.install(LOCK, target=Path("folder"), uv=["--python-platform", "x"], pip=["--platform", "y"])
    command = started[0][1]
    assert command[:3] == [sys.executable, "-m", "pip"]
    assert "--require-hashes" in command
    assert "--platform" in command
    assert "--python-platform" not in command
    assert command[command.index("--target") + 1] == "folder"


def test_if_both_fail_the_error_has_both_outputs(started):
    started[1].update({"uv", Path(sys.executable).name})
    with pytest.raises(installer.InstallationError, match=r"(?s)uv pip install.*no index.*-m pip.*no index"):
        installer.install(LOCK)
