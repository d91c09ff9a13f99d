"""Follows file versions and their executions until every file has ended or is held."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from ops import history
from ops.deployment import Deployment
from ops.errors import CliError
from ops.file_outcomes import UNSEEN, FileOutcome, outcomes
from ops.session import Session
from taxi_etl.identity import FileVersion

POLL_SECONDS = 2.0
TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class Change:
    """A change since the last poll: a file's new status, or a state that an execution entered.

    `subject` is the object key or the state; `state` is the status, `entered`, or an error.
    """

    subject: str
    state: str
    execution: str = ""


@dataclass(frozen=True)
class Current:
    """The state that a running execution is in, its start, and the state of its job run, if it has one."""

    state: str
    started: datetime
    job_run: str = ""


@dataclass
class Watch:
    """Follows file versions: iterate over `changes`, then read the outcomes in `files`.

    `current` has the running executions by name.
    """

    session: Session
    deployment: Deployment
    versions: Sequence[FileVersion]
    timeout_seconds: float = TIMEOUT_SECONDS
    poll_seconds: float = POLL_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    files: list[FileOutcome] = field(default_factory=list)
    current: dict[str, Current] = field(default_factory=dict)
    with_job_runs: bool = False
    """Whether to read the states of job runs too."""
    _seen_steps: dict[str, int] = field(default_factory=dict)

    def changes(self) -> Iterator[Change]:
        """Yield each change until every file has ended or is held. Raises CliError after the timeout."""
        deadline = self.clock() + self.timeout_seconds
        statuses: dict[tuple[str, str, str], str] = {}
        while True:
            self.files = outcomes(self.session, self.deployment, self.versions)
            for execution in dict.fromkeys(file.execution for file in self.files if file.execution):
                yield from self._new_steps(execution)
            for file in self.files:
                if statuses.get(file.version.identity) != file.status:
                    statuses[file.version.identity] = file.status
                    yield Change(file.version.key, file.status, file.execution)
            if not any(file.is_waiting for file in self.files):
                return
            if self.clock() >= deadline:
                raise self._timeout_error([file for file in self.files if file.is_waiting])
            self.sleep(self.poll_seconds)

    def _timeout_error(self, waiting: Sequence[FileOutcome]) -> CliError:
        message = (
            f"{len(waiting)} of {len(self.files)} files did not end within {self.timeout_seconds:.0f} s; "
            f"{waiting[0].version.key} is {waiting[0].status}"
        )
        target = self.session.target
        if all(file.status == UNSEEN for file in waiting):
            step = f"their events did not reach the ledger; find out why: {target.command('verify')}"
            return CliError(message, f"{step} and {target.command('status')}")
        return CliError(message, f"the load continues; see its progress: {target.command('list')}")

    def _new_steps(self, execution: str) -> Iterator[Change]:
        try:
            arn = history.execution_arn(self.deployment, execution)
            events = history.events(self.session, arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return  # claimed, but not started yet
        visited = history.steps(events)
        for step in visited[self._seen_steps.get(execution, 0) :]:
            yield Change(step.state, step.error or "entered", execution)
        self._seen_steps[execution] = len(visited)
        self.current.pop(execution, None)
        if visited and not visited[-1].left:
            job_run = self._job_run(events) if visited[-1].state == history.JOB_STATE else ""
            self.current[execution] = Current(visited[-1].state, visited[0].entered, job_run)

    def _job_run(self, events: list[dict[str, Any]]) -> str:
        """Return the state of the execution's job run, empty unless it is wanted and known."""
        run_id = history.job_run_id(reversed(events)) if self.with_job_runs else ""
        if not run_id:
            return ""
        try:
            found = self.session.client("glue").get_job_run(
                JobName=self.deployment.glue_job_name, RunId=run_id
            )
        except ClientError:
            return ""  # The display does without it.
        return str(found["JobRun"]["JobRunState"])
