"""Follows file versions and their executions until every file has ended or is held."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

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


@dataclass
class Watch:
    """Follows file versions: iterate over `changes`, then read the outcomes in `files`."""

    session: Session
    deployment: Deployment
    versions: Sequence[FileVersion]
    timeout_seconds: float = TIMEOUT_SECONDS
    poll_seconds: float = POLL_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    files: list[FileOutcome] = field(default_factory=list)
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
            visited = history.steps(history.events(self.session, arn))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return  # claimed, but not started yet
        for step in visited[self._seen_steps.get(execution, 0) :]:
            yield Change(step.state, step.error or "entered", execution)
        self._seen_steps[execution] = len(visited)
