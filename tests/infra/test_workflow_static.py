"""Would AWS accept the state machine? Names of APIs and fields, syntax, and variables set on every path.

Step Functions finds none of this when it is deployed, and an undefined variable not even when it runs.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from jsonata import Jsonata

from .walk import variables_of

# What `.sync` gives back is not what its own call gives back.
RESULTS = {"glue:startJobRun.sync": ("glue", "GetJobRun", "JobRun")}
STEP_FUNCTIONS_ONLY = {"parse"}


def model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def called(state: dict[str, Any]) -> tuple[str, str]:
    """The service and the operation of a task, e.g. `("glue", "StartJobRun")`."""
    integration = state["Resource"].split(":::", 1)[1].removesuffix(".sync")
    service, action = integration.removeprefix("aws-sdk:").split(":")
    return service, action[0].upper() + action[1:]


def tasks(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, state) for name, state in definition["States"].items() if state["Type"] == "Task")


def expressions(value: Any) -> Iterator[str]:
    """Every JSONata expression in a part of the definition."""
    if isinstance(value, dict):
        for part in value.values():
            yield from expressions(part)
    elif isinstance(value, list):
        for part in value:
            yield from expressions(part)
    elif isinstance(value, str) and value.startswith("{%"):
        yield value.removeprefix("{%").removesuffix("%}").strip()


def misfits(arguments: Any, shape: Shape, where: str) -> Iterator[str]:
    """Fields that the API does not know, and required ones that are missing."""
    if not isinstance(arguments, dict) or shape.type_name != "structure":
        return
    members = shape.members  # type: ignore[attr-defined]
    yield from (f"{where}: no field {name}" for name in arguments if name not in members)
    yield from (
        f"{where}: {name} is missing"
        for name in shape.required_members  # type: ignore[attr-defined]
        if name not in arguments
    )
    for name, value in arguments.items():
        if name in members:
            yield from misfits(value, members[name], f"{where}.{name}")


def test_every_task_calls_an_api_that_exists_with_fields_it_knows(definition) -> None:
    found = []
    for name, state in tasks(definition):
        service, operation = called(state)
        found += misfits(state["Arguments"], model(service).operation_model(operation).input_shape, name)

    assert found == []


def test_every_field_read_from_a_result_is_one_the_api_gives(definition) -> None:
    unknown = []
    for name, state in tasks(definition):
        integration = state["Resource"].split(":::", 1)[1]
        service, operation, *inside = RESULTS.get(integration, called(state))
        for path in re.findall(r"\$states\.result((?:\.\w+)+)", json.dumps(state)):
            shape = model(service).operation_model(operation).output_shape
            for part in [*inside, *path.strip(".").split(".")]:
                if shape.type_name != "structure":
                    break  # a function's payload or an object's text: its contract is tested elsewhere
                if part not in shape.members:
                    unknown.append(f"{name}: {path}")
                    break
                shape = shape.members[part]

    assert unknown == []


def test_every_expression_is_jsonata_with_functions_that_exist(definition) -> None:
    for expression in expressions(definition):
        Jsonata(expression)
        for function in re.findall(r"\$(\w+)\s*\(", expression):
            known = Jsonata.static_frame.lookup(function) is not None
            assert known or function in STEP_FUNCTIONS_ONLY, f"${function} in {expression}"
            assert function != "eval", "Step Functions has no $eval"


def edges(state: dict[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """Where a state leads, each with the variables it sets on that way."""
    for rule in state.get("Choices", []):
        yield rule["Next"], set(rule.get("Assign", {}))
    if "Default" in state:
        yield state["Default"], set(state.get("Assign", {}))
    for catcher in state.get("Catch", []):
        yield catcher["Next"], set(catcher.get("Assign", {}))
    if "Next" in state:
        yield state["Next"], set(state.get("Assign", {}))


def set_on_entry(definition: dict[str, Any]) -> dict[str, set[str]]:
    """The variables that are set on every way into each state."""
    known: dict[str, set[str]] = {definition["StartAt"]: set()}
    waiting = [definition["StartAt"]]
    while waiting:
        name = waiting.pop()
        for following, assigned in edges(definition["States"][name]):
            arriving = known[name] | assigned
            narrowed = arriving & known.get(following, arriving)
            if known.get(following) != narrowed:
                known[following] = narrowed
                waiting.append(following)
    return known


def test_every_variable_is_set_on_every_way_to_where_it_is_read(definition) -> None:
    known = set_on_entry(definition)
    unset = [
        f"{name} reads ${variable}"
        for name, state in definition["States"].items()
        for expression in expressions(state)
        for variable in variables_of(expression) - known[name]
    ]

    assert unset == []


@pytest.mark.parametrize(
    ("state", "variables"),
    [
        ("NotifyFailure", {"validation", "failure", "summary", "jobRun"}),
        ("NotifyValidationFailure", {"validation", "failure", "summary"}),
        ("NotifySuccess", {"validation", "failure", "summary", "jobRun", "crawl"}),
    ],
)
def test_a_message_knows_what_happened_before(definition, state: str, variables: set[str]) -> None:
    assert set_on_entry(definition)[state] == variables
