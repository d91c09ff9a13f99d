"""How does an execution go on, step by step? A model of the state machine and of its job.

It keeps their rules and nothing else: what validation answers decides the way; the job looks at
which versions are current, notes the table's state, looks again, commits, and is refused when another run
replaced rows of the same file since. Between any two steps others may act.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from fakes.s3 import Buckets
from fakes.step_functions import Run, StepFunctions

from taxi_etl.documents import AcceptedFile, FileResult, JobResult, LoadStatus, Manifest
from taxi_etl.identity import FileVersion, source_id
from taxi_etl.names import manifest_key, result_key
from taxi_etl.notifications import EXECUTION_FAILED, NOTIFICATION_FAILED, VALIDATION_FAILED

LAKE = "lake"
COMMIT_ATTEMPTS = 5
POISON = b"poison"
"""A file that holds this passes validation, and fails in the job."""


class Step(StrEnum):
    """What an execution does next."""

    VALIDATE = "validate"
    LOOK = "look which versions are current"
    LOOK_AGAIN = "note the table's state and look again"
    COMMIT = "commit"
    REPORT = "write the result"
    TELL = "publish and end"


@dataclass
class Table:
    """The table: for each source the versions whose rows it holds, and the commit that changed it last."""

    rows: dict[str, list[str]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    snapshot: int = 0

    def replace(self, versions: list[FileVersion], since: int) -> bool:
        """Replace the rows of these files that were there at a snapshot; False when some came after it."""
        sources = {source_id(version.bucket, version.key): version for version in versions}
        if any(self.changed.get(source, 0) > since for source in sources):
            return False
        self.snapshot += 1
        for source, version in sources.items():
            self.rows[source] = [version.version_id]
            self.changed[source] = self.snapshot
        return True


@dataclass
class Progress:
    """How far an execution is; `job_ended` says that nobody waits for its job any more."""

    step: Step = Step.VALIDATE
    manifest: Manifest | None = None
    results: dict[tuple[str, str, str], FileResult] = field(default_factory=dict)
    staged: list[AcceptedFile] = field(default_factory=list)
    since: int = 0
    attempts: int = 0
    rejected: int = 0


class Workflow:
    """The executions of the machine; `validate` calls the function, `ended` is told of every ending."""

    def __init__(
        self,
        step_functions: StepFunctions,
        s3: Buckets,
        validate: Callable[[Run], dict[str, Any]],
        ended: Callable[[Run], None],
    ) -> None:
        self.states, self.s3, self.validate, self.ended = step_functions, s3, validate, ended
        self.table = Table()
        self.progress: dict[str, Progress] = {}
        self.told: list[tuple[str, str]] = []
        self.deaf = False

    def running(self) -> list[str]:
        """The executions that have not ended."""
        return [name for name, run in self.states.runs.items() if run.status == "RUNNING"]

    def jobs_left_behind(self) -> list[str]:
        """Executions that ended while their job ran, which nobody stopped."""
        working = (Step.LOOK, Step.LOOK_AGAIN, Step.COMMIT, Step.REPORT)
        return [
            name
            for name, progress in self.progress.items()
            if progress.step in working and self.states.runs[name].status != "RUNNING"
        ]

    def advance(self, name: str) -> None:
        """Do the next step of an execution, or of the job that it left behind."""
        progress = self.progress.setdefault(name, Progress())
        match progress.step:
            case Step.VALIDATE:
                self._validate(name, progress)
            case Step.LOOK:
                progress.staged = self._current(progress, list(progress.staged))
                progress.step = Step.LOOK_AGAIN
            case Step.LOOK_AGAIN:
                progress.since = self.table.snapshot
                progress.staged = self._current(progress, progress.staged)
                progress.step = Step.COMMIT
            case Step.COMMIT:
                self._commit(progress)
            case Step.REPORT:
                self._report(name, progress)
            case Step.TELL:
                self._tell(name, progress)

    def fail(self, name: str, status: str, error: str | None, cause: str | None, *, job_stops: bool) -> None:
        """End an execution from outside, at whatever step it is."""
        progress = self.progress.setdefault(name, Progress())
        if job_stops or progress.step in (Step.VALIDATE, Step.TELL):
            progress.step = Step.TELL
        self._end(name, status, error, cause)

    def redrive(self, name: str) -> None:
        """Send an execution on its way again: from its job, when validation had found files to load."""
        self.states.redrive(name)
        progress = self.progress[name]
        if progress.manifest is None or not progress.manifest.accepted:
            self.progress[name] = Progress()
        else:
            fresh = Progress(Step.LOOK, progress.manifest, staged=list(progress.manifest.accepted))
            self.progress[name] = replace(fresh, rejected=progress.rejected)

    def _validate(self, name: str, progress: Progress) -> None:
        answer = self.validate(self.states.runs[name])
        counts = answer["counts"]
        body = self.s3.get_object(Bucket=LAKE, Key=manifest_key(name))["Body"].read()
        progress.manifest, progress.rejected = Manifest.loads(body), counts["rejected"]
        if counts["rejected"] and not self._publish(name, "VALIDATION_FAILED"):
            return
        if counts["valid"]:
            progress.step, progress.staged = Step.LOOK, list(progress.manifest.accepted)
            return
        progress.step = Step.TELL
        if counts["rejected"]:
            self._end(name, "FAILED", VALIDATION_FAILED, "no file can be loaded")
        else:
            self._end(name, "SUCCEEDED")

    def _current(self, progress: Progress, files: list[AcceptedFile]) -> list[AcceptedFile]:
        still = []
        for file in files:
            versions = self.s3.objects[(file.version.bucket, file.version.key)]
            newest = versions[-1]
            if newest.content is None:
                progress.results[file.version.identity] = _failed(file, "deleted")
            elif newest.version_id != file.version.version_id:
                progress.results[file.version.identity] = FileResult(
                    file.version, LoadStatus.SUPERSEDED, file.dataset
                )
            elif POISON in newest.content:
                progress.results[file.version.identity] = _failed(file, "too_many_quarantined")
            else:
                still.append(file)
        return still

    def _commit(self, progress: Progress) -> None:
        progress.attempts += 1
        if not self.table.replace([file.version for file in progress.staged], progress.since):
            if progress.attempts < COMMIT_ATTEMPTS:
                progress.step = Step.LOOK_AGAIN
                return
            for file in progress.staged:
                progress.results[file.version.identity] = _failed(file, "conflict")
        else:
            for file in progress.staged:
                progress.results[file.version.identity] = FileResult(
                    file.version, LoadStatus.LOADED, file.dataset, read=1, written=1
                )
        progress.step = Step.REPORT

    def _report(self, name: str, progress: Progress) -> None:
        result = self._result(name, progress)
        self.s3.put_object(Bucket=LAKE, Key=result_key(name), Body=result.dumps().encode())
        progress.step = Step.TELL

    def _tell(self, name: str, progress: Progress) -> None:
        counts = self._result(name, progress).counts()
        if counts["loaded"]:
            whole = counts["failed"] == 0 and progress.rejected == 0
            if self._publish(name, "SUCCESS" if whole else "PARTIAL_SUCCESS"):
                self._end(name, "SUCCEEDED")
        elif counts["failed"]:
            if self._publish(name, "FAILED"):
                self._end(name, "FAILED", EXECUTION_FAILED, "no file loaded")
        else:
            self._end(name, "SUCCEEDED")

    def _publish(self, name: str, status: str) -> bool:
        if self.deaf:
            self.progress[name].step = Step.TELL
            self._end(name, "FAILED", NOTIFICATION_FAILED, "SNS answered with an error")
            return False
        self.told.append((name, status))
        return True

    def _end(self, name: str, status: str, error: str | None = None, cause: str | None = None) -> None:
        self.states.end(name, status, error, cause)
        self.ended(self.states.runs[name])

    def _result(self, name: str, progress: Progress) -> JobResult:
        assert progress.manifest is not None
        files = tuple(
            progress.results[file.version.identity]
            for file in progress.manifest.accepted
            if file.version.identity in progress.results
        )
        return JobResult(name, LAKE, f"jr_{name}", files, schema_changed=False)


def given_files(run: Run) -> list[dict[str, Any]]:
    """The files an execution was started with."""
    document = json.loads(run.input)
    files: list[dict[str, Any]] = document.get("files") or [{"key": document["key"], "versionId": ""}]
    return files


def _failed(file: AcceptedFile, code: str) -> FileResult:
    return FileResult(
        file.version, LoadStatus.FAILED, file.dataset, error_code=code, error_message=f"the file is {code}"
    )
