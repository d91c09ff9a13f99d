"""The process of a job run's script: the project's Python, with Spark configured as on Glue.

Each job run has a folder `runs/RUN_ID` in the account's directory, with the script and its `--extra-py-files`
from S3, Spark's configuration, output.log, error.log and the process id.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs

from local_aws import class_archive, debugger, paths, roles, settings, spark

LOG_PREFIX = "/aws-glue/jobs"
LOGS = {"output.log": "output", "error.log": "error"}
"""Log file to log group below the prefix. The log stream is the run's id."""
ERROR_MESSAGE_MAX = 2000
PID = "pid"
_CONSUMED = frozenset({"--conf", "--extra-py-files", "--extra-jars", "--extra-files"})
"""Arguments that the launcher reads and the script does not get."""
_TRACEBACK = "Traceback (most recent call last):"
_MAX_LOG_EVENTS = 5000
_HIDE_CHECKOUT = f"""# On Glue a job has only its own Python files: hide an editable checkout.
import sys
sys.path[:] = [entry for entry in sys.path if entry != {str(paths.CHECKOUT)!r}]
sys.meta_path[:] = [f for f in sys.meta_path if not getattr(f, "__module__", "").startswith("__editable__")]
"""


@dataclass(frozen=True)
class Process:
    """A running script. Signals go to its process group, which includes the JVM."""

    popen: subprocess.Popen[bytes]
    log_prefix: str
    recording: class_archive.Recording | None

    def poll(self) -> int | None:
        """Return the exit code, None while the script runs."""
        return self.popen.poll()

    def keep_classes(self) -> None:
        """Let the JVM of a successful run, which exits after its script, leave its archive of classes."""
        if self.recording:
            group = self.popen.pid
            threading.Thread(target=self.recording.publish, args=(group,), daemon=True).start()

    def kill(self) -> None:
        """End the script and its JVM."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


_processes: list[Process] = []


def folder(run_id: str) -> Path:
    """Return the folder of the run's files."""
    return settings.state() / "runs" / run_id


def launch(job: dict[str, Any], run: dict[str, Any], overrides: dict[str, str]) -> Process:
    """Start the job's script with its default arguments, `overrides`, and NonOverridableArguments.

    Raises FileNotFoundError when the script or a Python file is not in S3, ValueError for a malformed
    `--conf`.
    """
    here = folder(run["Id"])
    here.mkdir(parents=True)
    fixed = job.get("NonOverridableArguments") or {}
    arguments = {**(job.get("DefaultArguments") or {}), **overrides, **fixed}
    role = job["Role"]
    script = _download(job["Command"]["ScriptLocation"], here, role)
    extra = [
        _download(uri.strip(), here, role)
        for uri in arguments.get("--extra-py-files", "").split(",")
        if uri.strip()
    ]
    recording = _recording(arguments, here)
    conf_dir = here / "conf"
    spark_environment = spark.write_conf(conf_dir, _conf(arguments, recording))
    command = [
        settings.python(),
        *debugger.python_options(job["Name"]),
        script.name,
        *_command_line(arguments),
    ]
    (conf_dir / "sitecustomize.py").write_text(_HIDE_CHECKOUT)
    (here / "command.json").write_text(json.dumps(command, indent=2))
    with (here / "output.log").open("wb") as output, (here / "error.log").open("wb") as errors:
        popen = subprocess.Popen(
            command,
            cwd=here,
            env=_environment(conf_dir, extra, here)
            | spark_environment
            | roles.session_environment(role, run["Id"]),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    (here / PID).write_text(str(popen.pid))
    process = Process(popen, arguments.get("--custom-logGroup-prefix", LOG_PREFIX), recording)
    _processes.append(process)
    return process


def kill_all() -> None:
    """End every running script."""
    for process in _processes:
        if process.poll() is None:
            process.kill()


def error_message(run_id: str, code: int) -> str:
    """Return getJobRun's message for a failed script: the error of the last traceback, else the last line.

    A Java error on the line after Python's is included.
    """
    lines = [line for line in _read(run_id, "error.log").splitlines() if line.strip()]
    if _TRACEBACK in lines:
        start = len(lines) - lines[::-1].index(_TRACEBACK)
        outcome = [line for line in lines[start:] if not line.startswith(" ")][:2]
        java = outcome[1] if len(outcome) > 1 and outcome[1].startswith(": ") else ""
        if outcome:
            return (outcome[0] + java)[:ERROR_MESSAGE_MAX]
    return (lines[-1] if lines else f"Command failed with exit code {code}")[:ERROR_MESSAGE_MAX]


def publish_logs(run_id: str, prefix: str, role: str) -> None:
    """Copy the script's output to CloudWatch Logs where the job's role allows it, as Glue does."""
    now = int(time.time() * 1000)
    for name, suffix in LOGS.items():
        group = f"{prefix}/{suffix}"
        # Glue creates the group first, although it may exist.
        if not (roles.can_create_log_group(role, group) and roles.can_write_log(role, group, run_id)):
            continue
        lines = _read(run_id, name).splitlines()[-_MAX_LOG_EVENTS:]
        cloudwatch_logs._create_log_group({"logGroupName": group})
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": run_id})
        events = [{"timestamp": now, "message": line} for line in lines if line.strip()]
        if events:
            cloudwatch_logs._put_log_events(
                {"logGroupName": group, "logStreamName": run_id, "logEvents": events}
            )


def _read(run_id: str, name: str) -> str:
    return (folder(run_id) / name).read_text(errors="replace")


def _conf(arguments: dict[str, str], recording: class_archive.Recording | None) -> dict[str, str]:
    """Return Spark's configuration: the local base, then the job's own, then the account's endpoints."""
    own = spark.parse_conf_argument(arguments.get("--conf", ""))
    base = spark.base_conf(iceberg=_uses_iceberg(arguments))
    if recording:
        base[spark.DRIVER_OPTIONS] += f" {recording.options}"
    return {**base, **own, **spark.account_conf(settings.endpoint_url(), own)}


def _uses_iceberg(arguments: dict[str, str]) -> bool:
    return "iceberg" in arguments.get("--datalake-formats", "").split(",")


def _recording(arguments: dict[str, str], here: Path) -> class_archive.Recording | None:
    """Return the recording of an Iceberg job's classes, None where their archive exists."""
    archive = class_archive.path(spark.jars())
    if archive.exists() or not _uses_iceberg(arguments):
        return None
    return class_archive.Recording(archive, here / "classes.jsa")


def _command_line(arguments: dict[str, str]) -> list[str]:
    given = {name: value for name, value in arguments.items() if name not in _CONSUMED}
    return [part for pair in given.items() for part in map(str, pair)]


def _environment(conf_dir: Path, extra: list[Path], here: Path) -> dict[str, str]:
    """Return the script's environment: its account, Spark and Python files, without the checkout."""
    keep = ("PATH", "HOME", "JAVA_HOME", "LANG", "LC_ALL", "TMPDIR")
    python_path = (*extra, conf_dir, *([debugger.packages()] if debugger.target() else []))
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        "PYTHONPATH": os.pathsep.join(map(str, python_path)),
        "PYTHONUNBUFFERED": "1",
        "PYSPARK_PYTHON": settings.python(),
        "SPARK_LOCAL_DIRS": str(here / "spark"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TZ": "UTC",
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "AWS_ENDPOINT_URL": settings.endpoint_url(),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _download(uri: str, into: Path, role: str) -> Path:
    """Download an S3 object into the run's folder with the job's role.

    Raises FileNotFoundError and PermissionError.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    arn = f"arn:aws:s3:::{bucket}/{key}"
    if not roles.is_allowed(role, "s3:GetObject", arn):
        raise PermissionError(f"{role} {roles.denial_message('s3:GetObject', arn)}")
    headers = {
        "host": "s3.us-east-1.amazonaws.com",
        "authorization": f"AWS4-HMAC-SHA256 Credential={get_account_id()}/20260101/us-east-1/s3/aws4_request",
    }
    status, _, body = app.call_service_handler_sync(
        app.SERVICE_HANDLERS["s3"], "GET", f"/{bucket}/{key}", headers, b"", {}
    )
    if status >= 400:
        raise FileNotFoundError(f"Failed to download {uri}: S3 returned status {status}")
    target = into / Path(key).name
    target.write_bytes(bytes(body))
    return target
