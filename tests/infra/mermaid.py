"""A Mermaid flowchart of the state machine, drawn from its definition.

Boxes are tasks with their API call, diamonds are Choice states, rounded boxes are Wait and Pass states,
circles are endings, and dashed lines are caught errors.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

SHAPES = {
    "Task": '["{}"]',
    "Choice": '{{"{}"}}',
    "Pass": '("{}")',
    "Wait": '(["{}"])',
    "Succeed": '(("{}"))',
    "Fail": '((("{}")))',
}
ANY_ERROR = "States.ALL"


def flowchart(definition: Mapping[str, Any]) -> str:
    """The chart of a definition, with every state, transition and catch."""
    states = _in_order(definition)
    return "\n".join(
        [
            "flowchart TD",
            f"    start(( )) --> {definition['StartAt']}",
            *(f"    {name}{_box(name, state)}" for name, state in states.items()),
            *(line for name, state in states.items() for line in _transitions(name, state)),
            *_catches(states),
            *_endings(states),
        ]
    )


def _in_order(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The states in the order in which they are reached, through errors last, to draw the chart downwards."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting, caught = [definition["StartAt"]], []
    while waiting or caught:
        name = (waiting or caught).pop(0)
        if name in found:
            continue
        state = found[name] = definition["States"][name]
        transitions = [*state.get("Choices", ()), {"Next": state.get("Default")}, state]
        waiting += [transition["Next"] for transition in transitions if transition.get("Next")]
        caught += [catch["Next"] for catch in state.get("Catch", ())]
    return found


def _box(name: str, state: Mapping[str, Any]) -> str:
    kind = state["Type"]
    label = f"{name}<br/>{state['Resource'].split(':::')[1]}" if kind == "Task" else name
    return SHAPES[kind].format(label)


def _transitions(name: str, state: Mapping[str, Any]) -> Iterator[str]:
    """The transitions of a state; those of a Choice in the order of its rules."""
    for rule in state.get("Choices", ()):
        yield f'    {name} -->|"{short(rule["Condition"])}"| {rule["Next"]}'
    if "Default" in state:
        yield f'    {name} -->|"else"| {state["Default"]}'
    if "Next" in state:
        yield f"    {name} --> {state['Next']}"


def _catches(states: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The caught errors; states with the same errors and handler share a line."""
    sources: dict[tuple[str, str], list[str]] = {}
    for name, state in states.items():
        for catch in state.get("Catch", ()):
            errors = ", ".join("any error" if error == ANY_ERROR else error for error in catch["ErrorEquals"])
            sources.setdefault((errors, catch["Next"]), []).append(name)
    for (errors, handler), names in sources.items():
        yield f'    {" & ".join(names)} -.->|"{errors}"| {handler}'


def _endings(states: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Endings other than Succeed and Fail states: tasks with End."""
    last = [name for name, state in states.items() if state.get("End")]
    if last:
        yield '    done(("Succeeded"))'
        yield f"    {' & '.join(last)} --> done"


def short(condition: str) -> str:
    """A condition without delimiters and names of variables."""
    text = condition.removeprefix("{%").removesuffix("%}").strip()
    text = re.sub(r"\$\w+\.(?:counts\.)?(\w+)", r"\1", text)
    return text.replace('"', "#quot;").replace("<", "#lt;")
