"""Start and stop the local AWS account, one background process with a record file.

Nothing is persisted: the account is gone when its process ends, and every start is an empty account. Logs and
the files of job runs stay on disk until the next start.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from local_aws import debugger, emulator_environment, java, paths, settings, spark
from local_aws.errors import LocalAwsError

REGION = spark.REGION
ACCOUNT_ID = "000000000000"
DEFAULT_PORT = 4566
START_SECONDS = 30
STOP_SECONDS = 10
_RECORD = "account.json"
_LOG = "emulator.log"


@dataclass(frozen=True)
class Account:
    """A running local account. `state_dir` holds its log, `emulator.log`, and the files of its job runs."""

    endpoint_url: str
    pid: int
    state_dir: str
    fingerprint: str = ""
    region: str = REGION
    account_id: str = ACCOUNT_ID

    def environment(self) -> dict[str, str]:
        """Return the variables that point AWS clients and the CDK command line at this account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DEFAULT_ACCOUNT": self.account_id,
            "CDK_DEFAULT_REGION": self.region,
        }


def up(
    state_dir: Path = paths.ACCOUNT,
    *,
    port: int = DEFAULT_PORT,
    owner: int | None = None,
    extra_environment: dict[str, str] | None = None,
    lazy_spark: bool = False,
) -> Account:
    """Return the running account of `state_dir`; start it first when it does not run.

    An account that runs older code, or with other variables, is replaced by an empty one. Port 0 chooses a
    free port. With `owner`, a process id, the account stops when that process ends. With `lazy_spark`, the
    caller fetches Spark's jars before the first job run. Raises LocalAwsError when a requirement is missing
    or another process listens on the port; a running account then keeps running.
    """
    extra = debugger.environment() | (extra_environment or {})
    fingerprint = _fingerprint(extra)
    running = status(state_dir)
    if running and running.fingerprint == fingerprint and port in (0, _port(running)):
        return running
    java.require()
    python = emulator_environment.ensure()
    if not lazy_spark:
        spark.jars()
    is_own_port = running is not None and port == _port(running)
    if port and not is_own_port:
        _require_free(port)
    down(state_dir)
    port = port or _free_port()
    _require_free(port)
    shutil.rmtree(state_dir, ignore_errors=True)
    (state_dir / "tmp").mkdir(parents=True)
    with (state_dir / _LOG).open("wb") as log:
        process = subprocess.Popen(
            [python, "-m", "local_aws.emulator"],
            cwd=state_dir,
            env=_emulator_environment(state_dir, port, owner) | extra,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    account = Account(f"http://127.0.0.1:{port}", process.pid, str(state_dir), fingerprint)
    _wait_until_healthy(account, process)
    (state_dir / _RECORD).write_text(json.dumps(asdict(account)))
    return account


def status(state_dir: Path = paths.ACCOUNT) -> Account | None:
    """Return the running account of `state_dir`, or None."""
    record = state_dir / _RECORD
    if not record.exists():
        return None
    account = Account(**json.loads(record.read_text()))
    return account if _is_emulator(account.pid) and _is_healthy(account) else None


def down(state_dir: Path = paths.ACCOUNT) -> bool:
    """Stop the account and its job runs, and return whether it ran. Its files stay."""
    record = state_dir / _RECORD
    stopped = False
    if record.exists():
        pid = json.loads(record.read_text())["pid"]
        if _is_emulator(pid):
            _stop(pid)
            stopped = True
        record.unlink()
    _stop_orphans(state_dir)
    return stopped


def _emulator_environment(state_dir: Path, port: int, owner: int | None) -> dict[str, str]:
    """Return the emulator's environment. Functions inherit it, so it has few of this process's variables."""
    keep = ("PATH", "HOME", "JAVA_HOME", "LANG", "LC_ALL")
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        "PYTHONPATH": str(paths.CHECKOUT),
        "TMPDIR": str(state_dir / "tmp"),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        settings.STATE_VARIABLE: str(state_dir),
        settings.PYTHON_VARIABLE: sys.executable,
        **({settings.OWNER_VARIABLE: str(owner)} if owner else {}),
    }


def _wait_until_healthy(account: Account, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_healthy(account):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            log = (Path(account.state_dir) / _LOG).read_text(errors="replace")
            raise LocalAwsError(
                f"the local AWS did not start within {START_SECONDS} s; the end of its log:\n{log[-2000:]}"
            )
        time.sleep(0.1)


def _is_healthy(account: Account) -> bool:
    try:
        with urllib.request.urlopen(f"{account.endpoint_url}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _stop(pid: int) -> None:
    """End the emulator with SIGTERM, after the time limit with SIGKILL."""
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_emulator(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    if _is_emulator(pid):
        os.kill(pid, signal.SIGKILL)
    _reap(pid)


def _reap(pid: int) -> None:
    """Reap the process when it is a child of this one; a zombie would count as running."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _stop_orphans(state_dir: Path) -> None:
    """End job runs that outlived their emulator."""
    for pid_file in (state_dir / "runs").glob("*/pid"):
        pid = int(pid_file.read_text())
        if str(pid_file.parent.name) in _command(pid):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def _is_emulator(pid: int) -> bool:
    return "local_aws.emulator" in _command(pid)


def _command(pid: int) -> str:
    """Return a process's command line, empty after the process ended. A pid alone may have been reused."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:
            return ""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout


def _fingerprint(extra: dict[str, str]) -> str:
    """Return a hash of what an account is started from: code, variables and interpreter."""
    digest = hashlib.sha256(json.dumps([sorted(extra.items()), sys.executable]).encode())
    for source in (*sorted((paths.CHECKOUT / "local_aws").rglob("*.py")), paths.EMULATOR_LOCK):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _port(account: Account) -> int:
    return int(account.endpoint_url.rpartition(":")[2])


def _require_free(port: int) -> None:
    if _is_taken(port):
        raise LocalAwsError(
            f"port {port} is taken: stop the process that listens there, or choose another port with `--port`"
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
