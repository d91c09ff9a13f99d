"""What if Step Functions were a dictionary? Executions that end when a test says so."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stand_ins.faults import Faulty, fault

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:etl-pipeline-workflow"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:etl-pipeline-workflow"
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


class StepFunctions(Faulty):
    """Step Functions' client for one state machine."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, Run] = {}

    def start_execution(self, **arguments: Any) -> dict[str, Any]:
        """Start; a second start is answered as the first while it runs with that input, and else refused."""
        self.note("start_execution", arguments)
        assert arguments["stateMachineArn"] == MACHINE
        name = arguments["name"]
        run = self.runs.get(name)
        if run and (run.status != "RUNNING" or run.input != arguments["input"]):
            raise fault("ExecutionAlreadyExists", "StartExecution")
        self.runs.setdefault(name, Run(name, arguments["input"]))
        return {"executionArn": f"{EXECUTION}:{name}", "startDate": STARTED}

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
            "startDate": STARTED,
            "redriveCount": run.redrives,
        }
        return {**found, **({"error": run.error, "cause": run.cause} if run.error else {})}

    def end(self, name: str, status: str, error: str | None = None, cause: str | None = None) -> None:
        """Let an execution end."""
        run = self.runs[name]
        run.status, run.error, run.cause = status, error, cause
