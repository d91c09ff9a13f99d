"""Execution of scenarios on the emulated Step Functions, with the synthesized definition."""

import itertools
import json
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.fixtures.local_account import Aws
from tests.workflow.scenario import Scenario

ROLE = "arn:aws:iam::000000000000:role/anything"
EXECUTION_TIMEOUT_SECONDS = 60
PARALLEL_EXECUTIONS = 4
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Execution:
    """An ended execution, read from its history and the emulator's records.

    `path` lists the states entered. `last_errors` holds, for each of them, the error of its last attempt
    (None for a success and for states that are not tasks).
    """

    arn: str
    status: str
    error: str
    cause: str
    output: Any
    path: list[str]
    last_errors: list[str | None]
    calls: list[dict[str, Any]]
    choices: list[dict[str, Any]]
    waits: list[dict[str, Any]]
    retries: list[dict[str, Any]]

    @property
    def published(self) -> list[tuple[str, dict[str, Any]]]:
        """(state, message) of each state that published; retries of a state are left out."""
        found: dict[str, dict[str, Any]] = {}
        for call in self.calls:
            if call["resource"].endswith("sns:publish") and call["state"] not in found:
                found[call["state"]] = json.loads(call["arguments"]["Message"]["default"])
        return list(found.items())

    def arguments(self, state: str) -> list[Any]:
        """The arguments of each call of a state."""
        return [call["arguments"] for call in self.calls if call["state"] == state]


class StateMachines:
    """State machines in one account; each definition is created once."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self._arns: dict[str, str] = {}

    def arn(self, definition: Mapping[str, Any]) -> str:
        """Return the ARN of the state machine with this definition."""
        text = json.dumps(definition)
        if text not in self._arns:
            created = self.aws.client("stepfunctions").create_state_machine(
                name=f"machine-{len(self._arns) + 1}", roleArn=ROLE, definition=text
            )
            self._arns[text] = created["stateMachineArn"]
        return self._arns[text]

    def execute_all(self, pairs: Iterable[tuple[Mapping[str, Any], Scenario]]) -> list[Execution]:
        """Execute each scenario on its definition, several in parallel."""
        machines = [(self.arn(definition), scenario) for definition, scenario in pairs]
        self.aws.wait_scale(0)
        with ThreadPoolExecutor(max_workers=PARALLEL_EXECUTIONS) as pool:
            return list(pool.map(lambda pair: self._execute(*pair), machines))

    def start(self, machine: str, name: str, execution_input: Any, answers: Mapping[str, Any]) -> str:
        """Start an execution with scripted answers; return its ARN."""
        unique = f"{name[:60]}-{next(_numbers)}"
        self.aws.script(unique, {state: list(queue) for state, queue in answers.items()})
        started = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=unique, input=json.dumps(execution_input)
        )
        return started["executionArn"]

    def wait_for(self, arn: str, seconds: float = EXECUTION_TIMEOUT_SECONDS) -> Execution:
        """Wait until the execution has ended; fail after the timeout."""
        stepfunctions = self.aws.client("stepfunctions")
        deadline = time.monotonic() + seconds
        while (described := stepfunctions.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"{arn} is still RUNNING after {seconds} seconds"
            time.sleep(0.05)
        path, last_errors = _states_entered(self.events(arn))
        recorded = self.aws.scripted(arn)
        return Execution(
            arn=arn,
            status=described["status"],
            error=described.get("error") or "",
            cause=described.get("cause") or "",
            output=json.loads(described["output"]) if described.get("output") else None,
            path=path,
            last_errors=last_errors,
            calls=recorded["calls"],
            choices=recorded["choices"],
            waits=recorded["waits"],
            retries=self.aws.retries(arn),
        )

    def _execute(self, machine: str, scenario: Scenario) -> Execution:
        return self.wait_for(self.start(machine, scenario.name, scenario.execution_input, scenario.answers))

    def events(self, arn: str) -> list[dict[str, Any]]:
        """Return the history of an execution."""
        pages = self.aws.client("stepfunctions").get_paginator("get_execution_history")
        found = pages.paginate(executionArn=arn, PaginationConfig={"PageSize": 1000})
        return [event for page in found for event in page["events"]]


def _states_entered(events: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str | None]]:
    """Return the states entered, and the error of each one's last attempt."""
    path: list[str] = []
    errors: list[str | None] = []
    for event in events:
        if "stateEnteredEventDetails" in event:
            path.append(event["stateEnteredEventDetails"]["name"])
            errors.append(None)
        elif event["type"] == "TaskFailed":
            errors[-1] = event["taskFailedEventDetails"]["error"]
        elif event["type"] == "TaskSucceeded":
            errors[-1] = None
    return path, errors
