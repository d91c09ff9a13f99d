"""Would AWS accept the state machine, and would it do what it says? Each check gives what it finds, in words.

Step Functions finds little of this when a machine is created, and some of it not even when it runs.
"""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.workflow import api_shapes
from tests.workflow.variable_flow import unset_reads

ROOT = Path(__file__).resolve().parents[2]
Definition = Mapping[str, Any]
Check = Callable[[Definition], list[str]]

ALL = "States.ALL"
JSONPATH_ONLY = frozenset(
    {
        "InputPath",
        "OutputPath",
        "ResultPath",
        "ResultSelector",
        "Parameters",
        "ItemsPath",
        "SecondsPath",
        "TimestampPath",
        "TimeoutSecondsPath",
        "ErrorPath",
        "CausePath",
    }
)
SERVICES = {"lambda": "Lambda", "glue": "Glue", "s3": "S3", "sns": "SNS"}
# Errors that the SDK raises whatever the API: its own, a service's unnamed ones, throttling.
SDK_ERRORS = frozenset({"SdkClientException", "ThrottlingException"})
UNNAMED = {
    "lambda": {"AWSLambdaException", "ClientExecutionTimeoutException"},
    "glue": {"GlueException"},
    "s3": {"S3Exception"},
    "sns": {"AmazonSNSException"},
}


def transitions(state: Mapping[str, Any]) -> list[str]:
    """The states that follow a state, as often as it names them."""
    rules = [*state.get("Choices", []), *state.get("Catch", []), state]
    following = [rule["Next"] for rule in rules if "Next" in rule]
    return following + ([state["Default"]] if "Default" in state else [])


def tasks(definition: Definition) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The states that call AWS."""
    return ((name, state) for name, state in definition["States"].items() if state["Type"] == "Task")


def graph(definition: Definition) -> list[str]:
    """Every transition leads to a state, every state is reached, and from each an ending can be reached."""
    states, found = definition["States"], []
    reached, waiting = set(), [definition["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in states:
            found.append(f"a transition leads to {name}, which is no state")
        elif name not in reached:
            reached.add(name)
            waiting += transitions(states[name])
    found += [f"{name} is never reached" for name in states if name not in reached]
    for name, state in states.items():
        ends = state["Type"] in ("Succeed", "Fail") or state.get("End") is True
        goes_on = "Next" in state or state["Type"] == "Choice"
        if ends == goes_on:
            found.append(f"{name} " + ("ends and goes on" if ends else "neither ends nor goes on"))
        if state["Type"] == "Choice" and "Default" not in state:
            found.append(f"{name} has no Default")
    ending = {
        name for name, state in states.items() if state["Type"] in ("Succeed", "Fail") or "End" in state
    }
    while more := {name for name in set(states) - ending if set(transitions(states[name])) & ending}:
        ending |= more
    return found + [f"from {name} no ending is reached" for name in set(states) - ending]


def language(definition: Definition) -> list[str]:
    """JSONata throughout: no field of JSONPath, no null that an API would refuse."""
    found = [] if definition.get("QueryLanguage") == "JSONata" else ["the machine does not speak JSONata"]
    for path, key, value in _fields(definition):
        if key in JSONPATH_ONLY or key.endswith(".$"):
            found.append(f"{path}: {key} belongs to JSONPath")
        if value is None:
            found.append(f"{path}: {key} is null")
        if isinstance(value, str) and value.startswith("$."):
            found.append(f"{path}: {key} holds a path of JSONPath")
    return found


def apis(definition: Definition) -> list[str]:
    """Every Resource is an API, and Arguments hold what it knows and all that it requires."""
    found: list[str] = []
    for name, state in tasks(definition):
        try:
            model = api_shapes.operation(state["Resource"])
        except api_shapes.NoSuchApiError as error:
            found.append(f"{name}: {error}")
            continue
        found += _misfits(state.get("Arguments", {}), model.input_shape, name)
    return found


def _misfits(arguments: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(arguments, dict) or shape.type_name != "structure":
        return
    yield from (f"{where}: no field {name}" for name in arguments if name not in shape.members)
    yield from (f"{where}: {name} is missing" for name in shape.required_members if name not in arguments)
    for name, value in arguments.items():
        if name in shape.members:
            yield from _misfits(value, shape.members[name], f"{where}.{name}")


def reads(definition: Definition) -> list[str]:
    """Every expression parses, and reads only variables, fields and functions that are there."""
    return unset_reads(definition)


def recovery(definition: Definition) -> list[str]:
    """The machine and every task have a timeout; tasks retry what their service sends, and catch all."""
    found = [] if "TimeoutSeconds" in definition else ["the machine has no TimeoutSeconds"]
    for name, state in tasks(definition):
        if "TimeoutSeconds" not in state:
            found.append(f"{name} has no TimeoutSeconds")
        if not state.get("Retry"):
            found.append(f"{name} retries nothing")
        for kind in ("Retry", "Catch"):
            found += [f"{name}: {finding}" for finding in _order(kind, state.get(kind, []))]
            for error in (error for entry in state.get(kind, []) for error in entry["ErrorEquals"]):
                found += [f"{name}: {finding}" for finding in _unsent(error, state["Resource"])]
        for row in state.get("Retry", []):
            found += [f"{name}: {finding}" for finding in _odd(row)]
        if not any(ALL in catcher["ErrorEquals"] for catcher in state.get("Catch", [])):
            found.append(f"{name} catches not everything")
    return found


def _order(kind: str, entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The first entry that matches decides: what is specific comes first, everything alone and last."""
    for number, entry in enumerate(entries):
        if ALL in entry["ErrorEquals"] and (len(entry["ErrorEquals"]) > 1 or number < len(entries) - 1):
            yield f"{ALL} is not alone in the last {kind}"
    counted = Counter(error for entry in entries for error in entry["ErrorEquals"])
    yield from (f"{error} stands twice in {kind}" for error, count in counted.items() if count > 1)


def _unsent(error: str, resource: str) -> Iterator[str]:
    """Errors that the task's service does not send."""
    try:
        model = api_shapes.operation(resource)
    except api_shapes.NoSuchApiError:
        return
    service, _, name = error.partition(".")
    if service == "States":
        return
    key = model.service_model.service_name
    sent = {shape.name for shape in model.service_model.error_shapes} | SDK_ERRORS | UNNAMED.get(key, set())
    if service != SERVICES.get(key) or name not in sent:
        yield f"no error of {key} is called {error}"


def _odd(row: Mapping[str, Any]) -> Iterator[str]:
    if row.get("JitterStrategy") != "FULL":
        yield f"retries of {row['ErrorEquals']} are not jittered"
    if row.get("MaxDelaySeconds", 0) < row.get("IntervalSeconds", 1) or row.get("BackoffRate", 2.0) <= 1:
        yield f"retries of {row['ErrorEquals']} do not back off within a bound"


def literals(definition: Definition) -> list[str]:
    """No ARN and no account number is typed into the definition; `${…}` are CloudFormation's references."""
    text = json.dumps(definition)
    return [
        f"{found} is typed in"
        for found in re.findall(r"arn:(?!\$\{Partition\}:states:::)[\w:-]*|\b\d{12}\b", text)
    ]


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """(path, key, value) of every field."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield path, key, part
            yield from _fields(part, f"{path}/{key}")
    elif isinstance(value, list):
        for part in value:
            yield from _fields(part, path)


CHECKS: dict[str, Check] = {
    "graph": graph,
    "language": language,
    "apis": apis,
    "reads": reads,
    "recovery": recovery,
    "literals": literals,
}
"""The checks of one definition with its references in sight."""

_VALIDATE = """
const validate = require('asl-validator');
const definitions = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const options = { checkPaths: true, checkArn: true };
const said = (error) => error.message ?? JSON.stringify(error);
console.log(JSON.stringify(definitions.map((each) => validate(each, options).errors.map(said))));
"""


def asl_validator(definitions: Sequence[Definition]) -> list[list[str]]:
    """What asl-validator finds in each definition, its references filled in. Fails without `make setup`."""
    from tests.infra.conftest import use_pinned_node

    use_pinned_node()
    answer = subprocess.run(
        ["node", "-e", _VALIDATE],
        input=json.dumps(definitions),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert answer.returncode == 0, (
        f"asl-validator cannot run; `make setup` installs it: {answer.stderr[-500:]}"
    )
    found: list[list[str]] = json.loads(answer.stdout)
    return found
