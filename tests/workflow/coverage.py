"""Coverage of the definition's states and transitions, counted from execution histories.

A covered element is a state, a Next, a rule or the Default of a Choice, an entry of a Catch, or an error of a
retry policy.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from tests.workflow.executions import Execution

COVERAGE_REPORT = pytest.StashKey[list[str]]()
"""Key under which the report is kept until the end of the session."""
ALL_ERRORS = "States.ALL"


def required_elements(definition: Mapping[str, Any]) -> set[str]:
    """Return every state and transition of the definition."""
    return {element for name, state in definition["States"].items() for element in _elements(name, state)}


def _elements(name: str, state: Mapping[str, Any]) -> Iterator[str]:
    yield f"state {name}"
    if "Next" in state:
        yield _next(name, state["Next"])
    if state.get("End"):
        yield f"end of {name}"
    for number, rule in enumerate(state.get("Choices", [])):
        yield _rule(name, number, rule["Next"])
    if "Default" in state:
        yield _rule(name, None, state["Default"])
    for number, catcher in enumerate(state.get("Catch", [])):
        yield _catch(name, number, catcher["Next"])
    for number, retrier in enumerate(state.get("Retry", [])):
        yield from (_retry(name, number, error) for error in retrier["ErrorEquals"])


def executed_elements(definition: Mapping[str, Any], executions: Iterable[Execution]) -> set[str]:
    """Return the states and transitions that these executions went through."""
    return {element for execution in executions for element in _executed(definition["States"], execution)}


def _executed(states: Mapping[str, Any], execution: Execution) -> Iterator[str]:
    choices = iter(execution.choices)
    yield from (f"state {name}" for name in execution.path)
    yield from (_retry(retry["state"], retry["row"], retry["error"]) for retry in execution.retries)
    for name, error, following in zip(
        execution.path, execution.last_errors, [*execution.path[1:], None], strict=True
    ):
        state = states[name]
        if state["Type"] == "Choice":
            chosen = next(choices)
            assert (chosen["state"], chosen["next"]) == (name, following)
            yield _rule(name, chosen["rule"], chosen["next"])
        elif following is None:
            if state.get("End") and execution.status == "SUCCEEDED":
                yield f"end of {name}"
        elif error is None:
            yield _next(name, following)
        else:
            number = next(
                number
                for number, catcher in enumerate(state["Catch"])
                if error in catcher["ErrorEquals"] or ALL_ERRORS in catcher["ErrorEquals"]
            )
            yield _catch(name, number, following)


def report(required: set[str], executed: set[str]) -> list[str]:
    """Return the coverage as lines of text: a count for each kind of element, and what is missing."""
    lines = []
    for kind in ("state", "next", "end", "choice", "catch", "retry"):
        of_kind = {element for element in required if element.startswith(kind)}
        missing = sorted(of_kind - executed)
        lines.append(f"{kind:8}{len(of_kind) - len(missing):4} of {len(of_kind)}")
        lines += [f"    missing: {element}" for element in missing]
    return lines


def _next(name: str, following: str) -> str:
    return f"next {name} -> {following}"


def _rule(name: str, number: int | None, following: str) -> str:
    return f"choice {name} {'default' if number is None else f'rule {number + 1}'} -> {following}"


def _catch(name: str, number: int, following: str) -> str:
    return f"catch {name} entry {number + 1} -> {following}"


def _retry(name: str, number: int, error: str) -> str:
    return f"retry {name} row {number + 1} {error}"
