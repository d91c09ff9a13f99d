"""Fake AWS Step Functions client whose executions end when a test ends them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fakes.faults import Faulty, fault

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:etl-pipeline-workflow"
EXECUTIONS_ARN = "arn:aws:states:eu-west-1:123456789012:execution:etl-pipeline-workflow"
INPUT_MAX_BYTES = 256 * 1024
STARTED = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class Execution:
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
        self.executions: dict[str, Execution] = {}

    def start_execution(self, **arguments: Any) -> dict[str, Any]:
        """Start an execution; a repeated start succeeds only while it runs with the same input."""
        self.note("start_execution", arguments)
        assert arguments["stateMachineArn"] == MACHINE
        if len(arguments["input"].encode()) > INPUT_MAX_BYTES:
            raise fault("ValidationException", "StartExecution")
        name = arguments["name"]
        execution = self.executions.get(name)
        if execution and (execution.status != "RUNNING" or execution.input != arguments["input"]):
            raise fault("ExecutionAlreadyExists", "StartExecution")
        self.executions.setdefault(name, Execution(name, arguments["input"], started=self.clock()))
        return {"executionArn": f"{EXECUTIONS_ARN}:{name}", "startDate": self.executions[name].started}

    def describe_execution(self, **arguments: Any) -> dict[str, Any]:
        """Describe an execution."""
        self.note("describe_execution", arguments)
        arn = arguments["executionArn"]
        execution = self.executions.get(arn.removeprefix(f"{EXECUTIONS_ARN}:"))
        if execution is None:
            raise fault("ExecutionDoesNotExist", "DescribeExecution")
        found = {
            "executionArn": arn,
            "name": execution.name,
            "status": execution.status,
            "input": execution.input,
            "startDate": execution.started,
            "redriveCount": execution.redrives,
        }
        return {**found, **({"error": execution.error, "cause": execution.cause} if execution.error else {})}

    def list_executions(self, **arguments: Any) -> dict[str, Any]:
        """Return a page of executions, the last started first."""
        self.note("list_executions", arguments)
        assert arguments["stateMachineArn"] == MACHINE
        listed = sorted(self.executions.values(), key=lambda execution: execution.started, reverse=True)
        start, size = int(arguments.get("nextToken", 0)), arguments.get("maxResults", 100)
        answer: dict[str, Any] = {
            "executions": [self._entry(execution) for execution in listed[start : start + size]]
        }
        if start + size < len(listed):
            answer["nextToken"] = str(start + size)
        return answer

    def _entry(self, execution: Execution) -> dict[str, Any]:
        found = {
            "executionArn": f"{EXECUTIONS_ARN}:{execution.name}",
            "name": execution.name,
            "status": execution.status,
            "startDate": execution.started,
            "redriveCount": execution.redrives,
        }
        return {**found, **({"stopDate": execution.stopped} if execution.stopped else {})}

    def redrive(self, name: str) -> None:
        """Redrive a failed execution."""
        execution = self.executions[name]
        execution.status, execution.error, execution.cause, execution.stopped = "RUNNING", None, None, None
        execution.redrives += 1

    def end(self, name: str, status: str, error: str | None = None, cause: str | None = None) -> None:
        """End an execution."""
        execution = self.executions[name]
        execution.status, execution.error, execution.cause, execution.stopped = (
            status,
            error,
            cause,
            self.clock(),
        )
