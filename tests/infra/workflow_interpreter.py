"""An interpreter of the state machine's definition, with scripted answers of AWS.

It evaluates JSONata as Step Functions does: an expression that returns nothing and a variable that is not set
fail the execution, and `$parse` exists. It has no retries: a state's answer is the one after its retries.
"""

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jsonata import Jsonata
from jsonata.utils import Utils

STEPS_MAX = 400
NOW = "2026-01-02T03:10:00.000Z"
_STRINGS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|/\[[^\]]*\]/")
_VARIABLES = re.compile(r"\$([A-Za-z_]\w*)(?!\w*\s*\()")
_BOUND = re.compile(r"\$(\w+)\s*:=")


class QueryEvaluationError(Exception):
    """The error that Step Functions calls States.QueryEvaluationError."""


@dataclass(frozen=True)
class Raised:
    """An answer that is an error."""

    error: str
    cause: str | None = None


@dataclass
class Published:
    """A published message."""

    subject: str
    message: dict[str, Any]
    text: str
    email: str
    sms: str
    https: str
    attributes: dict[str, Any]


@dataclass
class InterpretedExecution:
    """One execution: its path, its tasks' arguments, its messages, and how it ended."""

    path: list[str] = field(default_factory=list)
    arguments: dict[str, list[Any]] = field(default_factory=dict)
    published: list[Published] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    status: str = "RUNNING"
    error: str = ""
    cause: str = ""
    output: Any = None


def interpret(
    definition: Mapping[str, Any],
    given: Any,
    answers: Mapping[str, Sequence[Any]],
    *,
    name: str = "run-1",
    arn_prefix: str = "arn:aws:states:us-east-1:1:execution:m",
    entered: str = "2026-01-02T03:04:05.678Z",
) -> InterpretedExecution:
    """Execute the definition with this input; `answers` are the results of each task in order."""
    execution = InterpretedExecution()
    waiting = {state: deque(results) for state, results in answers.items()}
    context = {
        "Execution": {
            "Id": f"{arn_prefix}:{name}",
            "Name": name,
            "Input": given,
            "StartTime": "2026-01-02T03:00:00.000Z",
        },
        "State": {"EnteredTime": entered},
    }
    state_name, data = definition["StartAt"], given
    for _ in range(STEPS_MAX):
        execution.path.append(state_name)
        state = definition["States"][state_name]
        states = {"input": data, "context": context}
        match state["Type"]:
            case "Succeed":
                execution.status, execution.output = "SUCCEEDED", data
                return execution
            case "Fail":
                execution.status, execution.error = "FAILED", state["Error"]
                execution.cause = evaluate(state["Cause"], states, execution.variables)
                return execution
            case "Choice":
                chosen = next(
                    (
                        rule
                        for rule in state["Choices"]
                        if _true(rule["Condition"], states, execution.variables)
                    ),
                    state,
                )
                next_state = chosen.get("Next") or state["Default"]
                execution.variables.update(evaluate(chosen.get("Assign", {}), states, execution.variables))
            case "Task":
                arguments = evaluate(state["Arguments"], states, execution.variables)
                execution.arguments.setdefault(state_name, []).append(arguments)
                answer = _answer(state_name, state, arguments, waiting, execution)
                if isinstance(answer, Raised):
                    state = _caught(state, answer)
                    states["errorOutput"] = {"Error": answer.error} | (
                        {"Cause": answer.cause} if answer.cause is not None else {}
                    )
                    default_output: Any = states["errorOutput"]
                else:
                    states["result"] = default_output = answer
                data = _leave(state, states, execution, default_output)
                next_state = state.get("Next", "")
            case _:
                data = _leave(state, states, execution, data)
                next_state = state.get("Next", "")
        if not next_state:
            execution.status, execution.output = "SUCCEEDED", data
            return execution
        state_name = next_state
    raise AssertionError(f"no end after {STEPS_MAX} states: {execution.path[-10:]}")


def evaluate(value: Any, states: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
    """A field of a state with its expressions evaluated."""
    if isinstance(value, dict):
        return {name: evaluate(part, states, variables) for name, part in value.items()}
    if isinstance(value, list):
        return [evaluate(part, states, variables) for part in value]
    if not isinstance(value, str) or not value.startswith("{%"):
        return value
    expression = value.removeprefix("{%").removesuffix("%}").strip()
    unset = variables_of(expression) - set(variables)
    if unset:
        raise QueryEvaluationError(f"variables {sorted(unset)} are not set: {expression}")
    parsed = Jsonata(expression)
    parsed.set_output_convert_nulls(False)
    parsed.register_lambda("now", lambda: NOW)
    parsed.register_lambda("parse", lambda text: _with_nulls(json.loads(text)))
    for name, content in {**variables, "states": states}.items():
        parsed.assign(name, _with_nulls(content))
    found = parsed.evaluate(None)
    if found is None:
        raise QueryEvaluationError(f"returns nothing: {expression}")
    return _without_nulls(found)


def variables_of(expression: str) -> set[str]:
    """The workflow's variables that an expression reads, without its own and Step Functions' `$states`."""
    bare = _STRINGS.sub("", expression)
    return set(_VARIABLES.findall(bare)) - set(_BOUND.findall(bare)) - {"states"}


def _answer(
    name: str,
    state: Mapping[str, Any],
    arguments: Any,
    waiting: Mapping[str, deque[Any]],
    execution: InterpretedExecution,
) -> Any:
    publishes = state["Resource"].endswith("sns:publish")
    queue = waiting.get(name)
    if not queue:
        assert publishes, f"{name} was entered once more than the test has answers for"
        answer: Any = {"MessageId": "message-1"}
    else:
        answer = queue.popleft()
    if publishes and not isinstance(answer, Raised):
        execution.published.append(
            Published(
                subject=arguments["Subject"],
                message=json.loads(arguments["Message"]["default"]),
                text=arguments["Message"]["default"],
                email=arguments["Message"]["email"],
                sms=arguments["Message"]["sms"],
                https=arguments["Message"].get("https", ""),
                attributes=arguments["MessageAttributes"],
            )
        )
    return answer


def _caught(state: Mapping[str, Any], raised: Raised) -> Mapping[str, Any]:
    for catcher in state["Catch"]:
        if raised.error in catcher["ErrorEquals"] or "States.ALL" in catcher["ErrorEquals"]:
            return dict(catcher)
    raise AssertionError(f"nothing catches {raised.error}")


def _leave(
    state: Mapping[str, Any], states: Mapping[str, Any], execution: InterpretedExecution, default: Any
) -> Any:
    assigned = evaluate(state.get("Assign", {}), states, execution.variables)
    output = evaluate(state["Output"], states, execution.variables) if "Output" in state else default
    execution.variables.update(assigned)
    return output


def _true(condition: str, states: Mapping[str, Any], variables: Mapping[str, Any]) -> bool:
    found = evaluate(condition, states, variables)
    if not isinstance(found, bool):
        raise QueryEvaluationError(f"does not return a boolean: {condition}")
    return found


def _with_nulls(value: Any) -> Any:
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {name: _with_nulls(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_nulls(part) for part in value]
    return value


def _without_nulls(value: Any) -> Any:
    if value is Utils.NULL_VALUE:
        return None
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value
