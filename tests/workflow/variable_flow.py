"""Data-flow analysis: each state references only variables and fields that are set on every path to it.

Follows the assignments along every transition until nothing changes. A variable counts when every path sets
it; a field counts when any path sets it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.workflow import api_shapes
from tests.workflow.api_shapes import CONTEXT, ERROR, SCALAR, UNKNOWN, NoSuchApiError, Shape, any_of
from tests.workflow.expressions import Scope, analyze, expressions, without_delimiters

Variables = dict[str, Shape]
ROUNDS_MAX = 500
PARSED_DOCUMENTS = {"ReadJobResult": api_shapes.job_summary}
"""The shape of the document that a state parses."""


def undefined_references(definition: Mapping[str, Any]) -> list[str]:
    """Return every reference to a variable, field or function that does not exist."""
    found: set[str] = set()
    known = variables_on_entry(definition)
    for name, state in definition["States"].items():
        if name not in known:
            continue
        for part, states in _parts(name, state):
            for expression in expressions(part):
                analysis = analyze(expression, _scope(name, known[name], states))
                found.update(f"{name} {finding}" for finding in analysis.findings)
    return sorted(found)


def variables_on_entry(definition: Mapping[str, Any]) -> dict[str, Variables]:
    """Return, for each reachable state, the variables that every path to it sets, with their shapes."""
    known: dict[str, Variables] = {definition["StartAt"]: {}}
    waiting = [definition["StartAt"]]
    for _ in range(ROUNDS_MAX):
        if not waiting:
            return known
        name = waiting.pop()
        for following, assigned in _transitions(name, definition["States"].get(name, {}), known[name]):
            arriving = {**known[name], **assigned}
            before = known.get(following)
            if before is None:
                after = arriving
            else:
                after = {each: any_of([before[each], arriving[each]]) for each in before if each in arriving}
            if before != after:
                known[following] = after
                waiting.append(following)
    raise AssertionError(f"the shapes of the variables still change after {ROUNDS_MAX} rounds")


def _transitions(
    name: str, state: Mapping[str, Any], variables: Variables
) -> Iterator[tuple[str, Variables]]:
    """Yield each following state with the variables that the transition assigns."""
    before, after, on_error = _states_shapes(name, state)
    for rule in state.get("Choices", []):
        yield rule["Next"], _assigned(name, rule, variables, before)
    if "Default" in state:
        yield state["Default"], _assigned(name, state, variables, before)
    for catcher in state.get("Catch", []):
        yield catcher["Next"], _assigned(name, catcher, variables, on_error)
    if "Next" in state:
        yield state["Next"], _assigned(name, state, variables, after)


def _assigned(name: str, rule: Mapping[str, Any], variables: Variables, states: Shape) -> Variables:
    return {
        variable: _evaluated(name, value, variables, states)
        for variable, value in rule.get("Assign", {}).items()
    }


def _evaluated(name: str, value: Any, variables: Variables, states: Shape) -> Shape:
    """Return the shape of a state's field after its expressions are evaluated."""
    if isinstance(value, dict):
        return {key: _evaluated(name, part, variables, states) for key, part in value.items()}
    if isinstance(value, str) and value.startswith("{%"):
        return analyze(without_delimiters(value), _scope(name, variables, states)).shape
    return SCALAR


def _scope(name: str, variables: Variables, states: Shape) -> Scope:
    # Only the text of a result has a known structure; the Cause of an error may contain anything.
    has_result = states is not None and "result" in states
    parsed = PARSED_DOCUMENTS[name]() if has_result and name in PARSED_DOCUMENTS else UNKNOWN
    return Scope(variables=variables, states=states, parsed=parsed)


def _states_shapes(name: str, state: Mapping[str, Any]) -> tuple[Shape, Shape, Shape]:
    """Return the shape of `$states` before the call, after it, and in a Catch."""
    before = {"input": UNKNOWN, "context": CONTEXT}
    try:
        result = api_shapes.result(state["Resource"], name) if "Resource" in state else UNKNOWN
    except NoSuchApiError:
        result = UNKNOWN
    return before, {**before, "result": result}, {**before, "errorOutput": ERROR}


def _parts(state_name: str, state: Mapping[str, Any]) -> Iterator[tuple[Any, Shape]]:
    """Yield every part of a state with the shape of `$states` in it."""
    before, result, on_error = _states_shapes(state_name, state)
    after = result if state["Type"] in ("Task", "Pass") else before
    for name, part in state.items():
        if name == "Catch":
            yield from ((catcher, on_error) for catcher in part)
        else:
            yield part, after if name in ("Assign", "Output") else before
