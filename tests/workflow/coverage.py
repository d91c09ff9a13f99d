"""Which states and transitions of the definition were executed? GoldenNotification from histories, never from scenarios.

A transition is one line of the definition: a Next, a rule or the Default of a Choice, an entry of a Catch,
and an error of a Retry's row.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from tests.workflow.executions import Run

REPORT = pytest.StashKey[list[str]]()
"""Where the report waits for the end of the session."""
ALL = "States.ALL"


def to_take(definition: Mapping[str, Any]) -> set[str]:
    """Every state and transition of the definition."""
    return {line for name, state in definition["States"].items() for line in _lines(name, state)}


def _lines(name: str, state: Mapping[str, Any]) -> Iterator[str]:
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


def taken(definition: Mapping[str, Any], runs: Iterable[Run]) -> set[str]:
    """The states and transitions that these executions took."""
    return {line for run in runs for line in _taken(definition["States"], run)}


def _taken(states: Mapping[str, Any], run: Run) -> Iterator[str]:
    choices = iter(run.choices)
    yield from (f"state {name}" for name in run.path)
    yield from (_retry(retry["state"], retry["row"], retry["error"]) for retry in run.retries)
    for name, error, following in zip(run.path, run.last_errors, [*run.path[1:], None], strict=True):
        state = states[name]
        if state["Type"] == "Choice":
            chosen = next(choices)
            assert (chosen["state"], chosen["next"]) == (name, following)
            yield _rule(name, chosen["rule"], chosen["next"])
        elif following is None:
            if state.get("End") and run.status == "SUCCEEDED":
                yield f"end of {name}"
        elif error is None:
            yield _next(name, following)
        else:
            number = next(
                number
                for number, catcher in enumerate(state["Catch"])
                if error in catcher["ErrorEquals"] or ALL in catcher["ErrorEquals"]
            )
            yield _catch(name, number, following)


def report(wanted: set[str], found: set[str]) -> list[str]:
    """The coverage as people read it: a count for each kind, and what is missing."""
    lines = []
    for kind in ("state", "next", "end", "choice", "catch", "retry"):
        of_kind = {line for line in wanted if line.startswith(kind)}
        missing = sorted(of_kind - found)
        lines.append(f"{kind:8}{len(of_kind) - len(missing):4} of {len(of_kind)}")
        lines += [f"    missing: {line}" for line in missing]
    return lines


def _next(name: str, following: str) -> str:
    return f"next {name} -> {following}"


def _rule(name: str, number: int | None, following: str) -> str:
    return f"choice {name} {'default' if number is None else f'rule {number + 1}'} -> {following}"


def _catch(name: str, number: int, following: str) -> str:
    return f"catch {name} entry {number + 1} -> {following}"


def _retry(name: str, number: int, error: str) -> str:
    return f"retry {name} row {number + 1} {error}"
