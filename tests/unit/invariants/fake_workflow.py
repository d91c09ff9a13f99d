"""Model of the state machine and of its Glue job, which advances an execution step by step.

Validation decides which states follow. The job reads the current versions, reads the table's snapshot, reads
the versions again and commits; the commit is refused when another job run replaced rows of the same file
since. Other actors may act between any two steps.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from fakes.s3 import Buckets
from fakes.step_functions import Execution, StepFunctions

from taxi_etl.documents import AcceptedFile, FileResult, JobResult, Manifest
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion, source_id
from taxi_etl.names import manifest_key, result_key
from taxi_etl.notifications import EXECUTION_FAILED, NOTIFICATION_FAILED, VALIDATION_FAILED

LAKE = "lake"
COMMIT_ATTEMPTS = 5
POISON = b"poison"
"""Content that passes validation and fails in the job."""


class Step(StrEnum):
    """The next step of an execution."""

    VALIDATE = "validate"
    READ_VERSIONS = "read the current versions"
    READ_SNAPSHOT = "read the table's snapshot, and the current versions again"
    COMMIT = "commit"
    WRITE_RESULT = "write the result"
    PUBLISH = "publish the outcome and end"


@dataclass
class Table:
    """The table: per file its versions with rows, and the snapshot that changed them last."""

    rows: dict[str, list[str]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    snapshot: int = 0

    def replace(self, versions: list[FileVersion], since: int) -> bool:
        """Replace the rows of these files; False when a commit after the snapshot `since` changed some."""
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
    """Progress of one execution and its job."""

    step: Step = Step.VALIDATE
    manifest: Manifest | None = None
    results: dict[tuple[str, str, str], FileResult] = field(default_factory=dict)
    staged: list[AcceptedFile] = field(default_factory=list)
    since: int = 0
    attempts: int = 0
    rejected: int = 0


class Workflow:
    """The executions of the state machine; `validate` calls the function, `on_ended` receives each ending."""

    def __init__(
        self,
        step_functions: StepFunctions,
        s3: Buckets,
        validate: Callable[[Execution], dict[str, Any]],
        on_ended: Callable[[Execution], None],
    ) -> None:
        self.states, self.s3, self.validate, self.on_ended = step_functions, s3, validate, on_ended
        self.table = Table()
        self.progress: dict[str, Progress] = {}
        self.published: list[tuple[str, str]] = []
        self.topic_fails = False

    def running(self) -> list[str]:
        """Return the names of the running executions."""
        return [name for name, execution in self.states.executions.items() if execution.status == "RUNNING"]

    def detached_jobs(self) -> list[str]:
        """Return the names of the executions that ended while their job runs on."""
        working = (Step.READ_VERSIONS, Step.READ_SNAPSHOT, Step.COMMIT, Step.WRITE_RESULT)
        return [
            name
            for name, progress in self.progress.items()
            if progress.step in working and self.states.executions[name].status != "RUNNING"
        ]

    def advance(self, name: str) -> None:
        """Run the next step of an execution, or of its detached job."""
        progress = self.progress.setdefault(name, Progress())
        match progress.step:
            case Step.VALIDATE:
                self._validate(name, progress)
            case Step.READ_VERSIONS:
                progress.staged = self._current(progress, list(progress.staged))
                progress.step = Step.READ_SNAPSHOT
            case Step.READ_SNAPSHOT:
                progress.since = self.table.snapshot
                progress.staged = self._current(progress, progress.staged)
                progress.step = Step.COMMIT
            case Step.COMMIT:
                self._commit(progress)
            case Step.WRITE_RESULT:
                self._write_result(name, progress)
            case Step.PUBLISH:
                self._publish_outcome(name, progress)

    def fail(self, name: str, status: str, error: str | None, cause: str | None, *, job_stops: bool) -> None:
        """End an execution from outside, at any step."""
        progress = self.progress.setdefault(name, Progress())
        if job_stops or progress.step in (Step.VALIDATE, Step.PUBLISH):
            progress.step = Step.PUBLISH
        self._end(name, status, error, cause)

    def redrive(self, name: str) -> None:
        """Redrive an execution: from its job if validation accepted files, else from the start."""
        self.states.redrive(name)
        progress = self.progress[name]
        if progress.manifest is None or not progress.manifest.accepted:
            self.progress[name] = Progress()
        else:
            fresh = Progress(Step.READ_VERSIONS, progress.manifest, staged=list(progress.manifest.accepted))
            self.progress[name] = replace(fresh, rejected=progress.rejected)

    def _validate(self, name: str, progress: Progress) -> None:
        answer = self.validate(self.states.executions[name])
        counts = answer["counts"]
        body = self.s3.get_object(Bucket=LAKE, Key=manifest_key(name))["Body"].read()
        progress.manifest, progress.rejected = Manifest.loads(body), counts["rejected"]
        if counts["rejected"] and not self._publish(name, "VALIDATION_FAILED"):
            return
        if counts["valid"]:
            progress.step, progress.staged = Step.READ_VERSIONS, list(progress.manifest.accepted)
            return
        progress.step = Step.PUBLISH
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
                progress.results[file.version.identity] = _failed(file, FailureCode.DELETED)
            elif newest.version_id != file.version.version_id:
                progress.results[file.version.identity] = FileResult(
                    file.version, FileStatus.SUPERSEDED, file.dataset
                )
            elif POISON in newest.content:
                progress.results[file.version.identity] = _failed(file, FailureCode.TOO_MANY_QUARANTINED)
            else:
                still.append(file)
        return still

    def _commit(self, progress: Progress) -> None:
        progress.attempts += 1
        if not self.table.replace([file.version for file in progress.staged], progress.since):
            if progress.attempts < COMMIT_ATTEMPTS:
                progress.step = Step.READ_SNAPSHOT
                return
            for file in progress.staged:
                progress.results[file.version.identity] = _failed(file, FailureCode.CONFLICT)
        else:
            for file in progress.staged:
                progress.results[file.version.identity] = FileResult(
                    file.version, FileStatus.LOADED, file.dataset, read=1, written=1
                )
        progress.step = Step.WRITE_RESULT

    def _write_result(self, name: str, progress: Progress) -> None:
        result = self._result(name, progress)
        self.s3.put_object(Bucket=LAKE, Key=result_key(name), Body=result.dumps().encode())
        progress.step = Step.PUBLISH

    def _publish_outcome(self, name: str, progress: Progress) -> None:
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
        if self.topic_fails:
            self.progress[name].step = Step.PUBLISH
            self._end(name, "FAILED", NOTIFICATION_FAILED, "SNS answered with an error")
            return False
        self.published.append((name, status))
        return True

    def _end(self, name: str, status: str, error: str | None = None, cause: str | None = None) -> None:
        self.states.end(name, status, error, cause)
        self.on_ended(self.states.executions[name])

    def _result(self, name: str, progress: Progress) -> JobResult:
        assert progress.manifest is not None
        files = tuple(
            progress.results[file.version.identity]
            for file in progress.manifest.accepted
            if file.version.identity in progress.results
        )
        return JobResult(name, LAKE, f"jr_{name}", files, schema_changed=False)


def given_files(execution: Execution) -> list[dict[str, Any]]:
    """Return the files of an execution's input."""
    document = json.loads(execution.input)
    files: list[dict[str, Any]] = document.get("files") or [{"key": document["key"], "versionId": ""}]
    return files


def _failed(file: AcceptedFile, code: FailureCode) -> FileResult:
    return FileResult(
        file.version, FileStatus.FAILED, file.dataset, failure=Failure(code, f"the file is {code}")
    )
