"""How is a scenario executed? On the emulated Step Functions, with the definition as it was synthesized."""

import itertools
import json
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.fixtures.local_account import Aws
from tests.workflow.scenarios import Scenario

ROLE = "arn:aws:iam::000000000000:role/anything"
PATIENCE_SECONDS = 60
AT_ONCE = 4
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Run:
    """An ended execution, as its history and the emulator's records tell it.

    `path` are the states entered; `last_errors` is, for each of them, the error its last attempt ended with
    (None for success and for states that are no tasks).
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
        """(state, message) of every attempt to publish that differs from the one before."""
        found: list[tuple[str, dict[str, Any]]] = []
        for call in self.calls:
            if call["resource"].endswith("sns:publish"):
                told = call["state"], json.loads(call["arguments"]["Message"])
                if told[0] not in [state for state, _ in found]:
                    found.append(told)
        return found

    def arguments(self, state: str) -> list[Any]:
        """What a state asked for, call by call."""
        return [call["arguments"] for call in self.calls if call["state"] == state]


class Machines:
    """State machines in one account; each definition is created once."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self._arns: dict[str, str] = {}

    def arn(self, definition: Mapping[str, Any]) -> str:
        """The state machine with this definition."""
        text = json.dumps(definition)
        if text not in self._arns:
            created = self.aws.client("stepfunctions").create_state_machine(
                name=f"machine-{len(self._arns) + 1}", roleArn=ROLE, definition=text
            )
            self._arns[text] = created["stateMachineArn"]
        return self._arns[text]

    def run_all(self, wanted: Iterable[tuple[Mapping[str, Any], Scenario]]) -> list[Run]:
        """Execute each scenario on its definition, several at once."""
        pairs = [(self.arn(definition), scenario) for definition, scenario in wanted]
        self.aws.wait_scale(0)
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            return list(pool.map(lambda pair: self._run(*pair), pairs))

    def start(self, machine: str, name: str, given: Any, answers: Mapping[str, Any]) -> str:
        """Start a scripted execution; gives its ARN."""
        unique = f"{name[:60]}-{next(_numbers)}"
        self.aws.script(unique, {state: list(queue) for state, queue in answers.items()})
        started = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=unique, input=json.dumps(given)
        )
        return started["executionArn"]

    def finished(self, arn: str, seconds: float = PATIENCE_SECONDS) -> Run:
        """The execution once it has ended."""
        states = self.aws.client("stepfunctions")
        deadline = time.monotonic() + seconds
        while (shown := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"{arn} has not ended after {seconds} seconds"
            time.sleep(0.05)
        path, last_errors = _walked(self.events(arn))
        scripted = self.aws.scripted(arn)
        return Run(
            arn=arn,
            status=shown["status"],
            error=shown.get("error") or "",
            cause=shown.get("cause") or "",
            output=json.loads(shown["output"]) if shown.get("output") else None,
            path=path,
            last_errors=last_errors,
            calls=scripted["calls"],
            choices=scripted["choices"],
            waits=scripted["waits"],
            retries=self.aws.retries(arn),
        )

    def _run(self, machine: str, scenario: Scenario) -> Run:
        return self.finished(self.start(machine, scenario.name, scenario.given, scenario.answers))

    def events(self, arn: str) -> list[dict[str, Any]]:
        """The history of an execution."""
        pages = self.aws.client("stepfunctions").get_paginator("get_execution_history")
        found = pages.paginate(executionArn=arn, PaginationConfig={"PageSize": 1000})
        return [event for page in found for event in page["events"]]


def _walked(events: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str | None]]:
    """The states entered, and the error each one's last attempt ended with."""
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
