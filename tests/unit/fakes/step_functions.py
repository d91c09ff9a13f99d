"""What if Step Functions were a dictionary? Executions that end when a test says so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fakes.faults import Faulty, fault

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:etl-pipeline-workflow"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:etl-pipeline-workflow"
INPUT_MAX_BYTES = 256 * 1024
STARTED = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class Run:
    """One execution."""

    name: str
    input: str
    status: str = "RUNNING"
    error: str | None = None
    cause: str | None = None
    redrives: int = 0
    started: datetime = STARTED
    stopped: datetime | None = None


class StepFunctions(Faulty):
    """Step Functions' client for one state machine."""

    def __init__(self, clock: Callable[[], datetime] = lambda: STARTED) -> None:
        super().__init__()
        self.clock = clock
        self.runs: dict[str, Run] = {}

    def start_execution(self, **arguments: Any) -> dict[str, Any]:
        """Start; a second start is answered as the first while it runs with that input, and else refused."""
        self.note("start_execution", arguments)
        assert arguments["stateMachineArn"] == MACHINE
        if len(arguments["input"].encode()) > INPUT_MAX_BYTES:
            raise fault("ValidationException", "StartExecution")
        name = arguments["name"]
        run = self.runs.get(name)
        if run and (run.status != "RUNNING" or run.input != arguments["input"]):
            raise fault("ExecutionAlreadyExists", "StartExecution")
        self.runs.setdefault(name, Run(name, arguments["input"], started=self.clock()))
        return {"executionArn": f"{EXECUTION}:{name}", "startDate": self.runs[name].started}

    def describe_execution(self, **arguments: Any) -> dict[str, Any]:
        """What is known of an execution."""
        self.note("describe_execution", arguments)
        arn = arguments["executionArn"]
        run = self.runs.get(arn.removeprefix(f"{EXECUTION}:"))
        if run is None:
            raise fault("ExecutionDoesNotExist", "DescribeExecution")
        found = {
            "executionArn": arn,
            "name": run.name,
            "status": run.status,
            "input": run.input,
            "startDate": run.started,
            "redriveCount": run.redrives,
        }
        return {**found, **({"error": run.error, "cause": run.cause} if run.error else {})}

    def list_executions(self, **arguments: Any) -> dict[str, Any]:
        """A page of executions, those that began last first."""
        self.note("list_executions", arguments)
        assert arguments["stateMachineArn"] == MACHINE
        listed = sorted(self.runs.values(), key=lambda run: run.started, reverse=True)
        start, size = int(arguments.get("nextToken", 0)), arguments.get("maxResults", 100)
        answer: dict[str, Any] = {"executions": [self._entry(run) for run in listed[start : start + size]]}
        if start + size < len(listed):
            answer["nextToken"] = str(start + size)
        return answer

    def _entry(self, run: Run) -> dict[str, Any]:
        found = {
            "executionArn": f"{EXECUTION}:{run.name}",
            "name": run.name,
            "status": run.status,
            "startDate": run.started,
            "redriveCount": run.redrives,
        }
        return {**found, **({"stopDate": run.stopped} if run.stopped else {})}

    def redrive(self, name: str) -> None:
        """Send an execution that failed on its way again."""
        run = self.runs[name]
        run.status, run.error, run.cause, run.stopped = "RUNNING", None, None, None
        run.redrives += 1

    def end(self, name: str, status: str, error: str | None = None, cause: str | None = None) -> None:
        """Let an execution end."""
        run = self.runs[name]
        run.status, run.error, run.cause, run.stopped = status, error, cause, self.clock()
