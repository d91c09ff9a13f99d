"""How does one watch a run? Follows file versions and executions live, until nothing more will happen."""

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
    """Something new since the last look: a file's status, or a state that an execution entered."""

    about: str
    now: str
    execution: str = ""


@dataclass
class Watch:
    """Follows these versions: iterate over the changes, then read `files`. Raises CliError when time is up."""

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
        """What changes, as it is seen, until every file is closed or held."""
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
                raise self._too_late([file for file in self.files if file.is_waiting])
            self.sleep(self.poll_seconds)

    def _too_late(self, waiting: Sequence[FileOutcome]) -> CliError:
        message = (
            f"{len(waiting)} of {len(self.files)} files not done in {self.timeout_seconds:.0f} s: "
            f"{waiting[0].version.key} is {waiting[0].status}"
        )
        target = self.session.target
        if all(file.status == UNSEEN for file in waiting):
            step = (
                f"their events did not reach the ledger; see what holds them up: {target.command('verify')}"
            )
            return CliError(message, f"{step}, {target.command('status')}")
        return CliError(message, f"they go on without you; look again: {target.command('list')}")

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
