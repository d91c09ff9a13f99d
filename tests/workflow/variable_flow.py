"""Is every variable, and every field of it, set on every way to where it is read?

Follows what each state assigns along every transition until nothing changes: a variable counts where all ways
set it, a field where any of them does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.workflow import api_shapes
from tests.workflow.api_shapes import CONTEXT, ERROR, SCALAR, UNKNOWN, NoSuchApiError, Shape, any_of
from tests.workflow.expressions import Reading, expressions, inner, read

Variables = dict[str, Shape]
ROUNDS_MAX = 500
PARSED = {"ReadJobResult": api_shapes.job_summary}
"""What the text is that a state parses."""


def unset_reads(definition: Mapping[str, Any]) -> list[str]:
    """Every read of a variable, field or function that is not there."""
    found: list[str] = []
    entered = on_entry(definition)
    for name, state in definition["States"].items():
        if name not in entered:
            continue
        for part, states in _parts(state):
            for expression in expressions(part):
                reading = read(expression, _reading(name, entered[name], states))
                found += [f"{name} {finding}" for finding in reading.findings]
    return sorted(set(found))


def on_entry(definition: Mapping[str, Any]) -> dict[str, Variables]:
    """The variables that are set on every way into each state that can be reached, with their shapes."""
    known: dict[str, Variables] = {definition["StartAt"]: {}}
    waiting = [definition["StartAt"]]
    for _ in range(ROUNDS_MAX):
        if not waiting:
            return known
        name = waiting.pop()
        for following, assigned in _ways(name, definition["States"].get(name, {}), known[name]):
            arriving = {**known[name], **assigned}
            before = known.get(following)
            if before is None:
                after = arriving
            else:
                after = {each: any_of([before[each], arriving[each]]) for each in before if each in arriving}
            if before != after:
                known[following] = after
                waiting.append(following)
    raise AssertionError("the shapes of the variables keep changing")


def _ways(name: str, state: Mapping[str, Any], variables: Variables) -> Iterator[tuple[str, Variables]]:
    """Where a state leads, each with what it assigns on that way."""
    plain, result, caught = _bindings(state)
    for rule in state.get("Choices", []):
        yield rule["Next"], _assigned(name, rule, variables, plain)
    if "Default" in state:
        yield state["Default"], _assigned(name, state, variables, plain)
    for catcher in state.get("Catch", []):
        yield catcher["Next"], _assigned(name, catcher, variables, caught)
    if "Next" in state:
        yield state["Next"], _assigned(name, state, variables, result)


def _assigned(name: str, rule: Mapping[str, Any], variables: Variables, states: Shape) -> Variables:
    return {
        variable: _given(name, value, variables, states) for variable, value in rule.get("Assign", {}).items()
    }


def _given(name: str, value: Any, variables: Variables, states: Shape) -> Shape:
    """The shape of a field of a state once its expressions are evaluated."""
    if isinstance(value, dict):
        return {key: _given(name, part, variables, states) for key, part in value.items()}
    if isinstance(value, str) and value.startswith("{%"):
        return read(inner(value), _reading(name, variables, states)).shape
    return SCALAR


def _reading(name: str, variables: Variables, states: Shape) -> Reading:
    # Only what comes from a service's answer has a text whose form is known; a Cause may be anything.
    answered = states is not None and "result" in states
    parsed = PARSED[name]() if answered and name in PARSED else UNKNOWN
    return Reading(variables=variables, states=states, parsed=parsed)


def _bindings(state: Mapping[str, Any]) -> tuple[Shape, Shape, Shape]:
    """What `$states` holds before the call, after it, and in a Catch."""
    plain = {"input": UNKNOWN, "context": CONTEXT}
    try:
        result = api_shapes.result(state["Resource"]) if "Resource" in state else UNKNOWN
    except NoSuchApiError:
        result = UNKNOWN
    return plain, {**plain, "result": result}, {**plain, "errorOutput": ERROR}


def _parts(state: Mapping[str, Any]) -> Iterator[tuple[Any, Shape]]:
    """Every part of a state with what `$states` holds there."""
    plain, result, caught = _bindings(state)
    after = result if state["Type"] in ("Task", "Pass") else plain
    for name, part in state.items():
        if name == "Catch":
            yield from ((catcher, caught) for catcher in part)
        else:
            yield part, after if name in ("Assign", "Output") else plain
