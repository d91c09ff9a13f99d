"""Static checks of the state machine's definition; each returns its findings as text.

Step Functions reports few of these faults when a state machine is created, and some not even at runtime.
"""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.workflow import api_shapes
from tests.workflow.variable_flow import undefined_references

ROOT = Path(__file__).resolve().parents[2]
Definition = Mapping[str, Any]
Check = Callable[[Definition], list[str]]

ALL_ERRORS = "States.ALL"
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
# The SDK raises these for every API.
SDK_ERRORS = frozenset({"SdkClientException", "ThrottlingException"})
# Each service's errors that botocore's model does not name.
UNNAMED_ERRORS = {
    "lambda": {"AWSLambdaException", "ClientExecutionTimeoutException"},
    "glue": {"GlueException", "AWSGlueException"},
    "s3": {"S3Exception"},
    "sns": {"AmazonSNSException", "SnsException"},
}


def transitions(state: Mapping[str, Any]) -> list[str]:
    """Return the states that a state leads to, one for each transition."""
    rules = [*state.get("Choices", []), *state.get("Catch", []), state]
    following = [rule["Next"] for rule in rules if "Next" in rule]
    return following + ([state["Default"]] if "Default" in state else [])


def tasks(definition: Definition) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the states that call AWS."""
    return ((name, state) for name, state in definition["States"].items() if state["Type"] == "Task")


def graph(definition: Definition) -> list[str]:
    """Check that every transition leads to a state, every state is reachable, and each can reach an end."""
    states, findings = definition["States"], []
    reached, waiting = set(), [definition["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in states:
            findings.append(f"a transition leads to {name}, which is not a state")
        elif name not in reached:
            reached.add(name)
            waiting += transitions(states[name])
    findings += [f"{name} is not reachable" for name in states if name not in reached]
    for name, state in states.items():
        ends = state["Type"] in ("Succeed", "Fail") or state.get("End") is True
        continues = "Next" in state or state["Type"] == "Choice"
        if ends == continues:
            findings.append(
                f"{name} "
                + ("has both an end and a next state" if ends else "has neither an end nor a next state")
            )
        if state["Type"] == "Choice" and "Default" not in state:
            findings.append(f"{name} has no Default")
    ending = {
        name for name, state in states.items() if state["Type"] in ("Succeed", "Fail") or "End" in state
    }
    while more := {name for name in set(states) - ending if set(transitions(states[name])) & ending}:
        ending |= more
    return findings + [f"{name} cannot reach an end" for name in set(states) - ending]


def language(definition: Definition) -> list[str]:
    """Check that the definition is JSONata only, and has no null, which APIs reject."""
    findings = [] if definition.get("QueryLanguage") == "JSONata" else ["the QueryLanguage is not JSONata"]
    for path, key, value in _fields(definition):
        if key in JSONPATH_ONLY or key.endswith(".$"):
            findings.append(f"{path}: {key} is a JSONPath field")
        if value is None:
            findings.append(f"{path}: {key} is null")
        if isinstance(value, str) and value.startswith("$."):
            findings.append(f"{path}: {key} contains a JSONPath expression")
    return findings


def apis(definition: Definition) -> list[str]:
    """Check that every Resource is an API, with all required arguments and no unknown ones."""
    findings: list[str] = []
    for name, state in tasks(definition):
        try:
            model = api_shapes.operation(state["Resource"])
        except api_shapes.NoSuchApiError as error:
            findings.append(f"{name}: {error}")
            continue
        findings += _argument_errors(state.get("Arguments", {}), model.input_shape, name)
    return findings


def _argument_errors(arguments: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(arguments, dict) or shape.type_name != "structure":
        return
    yield from (f"{where}: there is no argument {name}" for name in arguments if name not in shape.members)
    yield from (f"{where}: {name} is missing" for name in shape.required_members if name not in arguments)
    for name, value in arguments.items():
        if name in shape.members:
            yield from _argument_errors(value, shape.members[name], f"{where}.{name}")


def references(definition: Definition) -> list[str]:
    """Check that every expression parses and references only existing variables, fields and functions."""
    return undefined_references(definition)


def error_handling(definition: Definition) -> list[str]:
    """Check timeouts, retries of errors that the service sends, and that every task catches all errors."""
    findings = [] if "TimeoutSeconds" in definition else ["the state machine has no TimeoutSeconds"]
    for name, state in tasks(definition):
        if "TimeoutSeconds" not in state:
            findings.append(f"{name} has no TimeoutSeconds")
        if not state.get("Retry"):
            findings.append(f"{name} has no Retry")
        for kind in ("Retry", "Catch"):
            findings += [f"{name}: {finding}" for finding in _order_errors(kind, state.get(kind, []))]
            for error in (error for entry in state.get(kind, []) for error in entry["ErrorEquals"]):
                findings += [f"{name}: {finding}" for finding in _unknown_errors(error, state["Resource"])]
        for row in state.get("Retry", []):
            findings += [f"{name}: {finding}" for finding in _backoff_errors(row)]
        if not any(ALL_ERRORS in catcher["ErrorEquals"] for catcher in state.get("Catch", [])):
            findings.append(f"{name} does not catch {ALL_ERRORS}")
    return findings


def _order_errors(kind: str, entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The first matching entry applies, so that States.ALL must be alone in the last entry."""
    for number, entry in enumerate(entries):
        if ALL_ERRORS in entry["ErrorEquals"] and (
            len(entry["ErrorEquals"]) > 1 or number < len(entries) - 1
        ):
            yield f"{ALL_ERRORS} is not alone in the last {kind}"
    counted = Counter(error for entry in entries for error in entry["ErrorEquals"])
    yield from (f"{error} appears twice in {kind}" for error, count in counted.items() if count > 1)


def _unknown_errors(error: str, resource: str) -> Iterator[str]:
    """Yield a finding when the task's service does not send the error."""
    try:
        model = api_shapes.operation(resource)
    except api_shapes.NoSuchApiError:
        return
    service, _, name = error.partition(".")
    if service == "States":
        return
    key = model.service_model.service_name
    sent = (
        {shape.name for shape in model.service_model.error_shapes}
        | SDK_ERRORS
        | UNNAMED_ERRORS.get(key, set())
    )
    if service != SERVICES.get(key) or name not in sent:
        yield f"{key} has no error {error}"


def _backoff_errors(row: Mapping[str, Any]) -> Iterator[str]:
    if row.get("JitterStrategy") != "FULL":
        yield f"retries of {row['ErrorEquals']} have no full jitter"
    if row.get("MaxDelaySeconds", 0) < row.get("IntervalSeconds", 1) or row.get("BackoffRate", 2.0) <= 1:
        yield f"retries of {row['ErrorEquals']} have no bounded exponential backoff"


def literals(definition: Definition) -> list[str]:
    """Check that the definition contains no literal ARN and no account number."""
    text = json.dumps(definition)
    return [
        f"{literal} is a literal"
        for literal in re.findall(r"arn:(?!\$\{Partition\}:states:::)[\w:-]*|\b\d{12}\b", text)
    ]


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield (path, key, value) of every field."""
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
    "references": references,
    "error_handling": error_handling,
    "literals": literals,
}
"""The checks of a definition with unresolved references."""

_VALIDATE = """
const validate = require('asl-validator');
const definitions = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const options = { checkPaths: true, checkArn: true };
const text = (error) => error.message ?? JSON.stringify(error);
console.log(JSON.stringify(definitions.map((each) => validate(each, options).errors.map(text))));
"""


def asl_validator(definitions: Sequence[Definition]) -> list[list[str]]:
    """Return asl-validator's findings for each definition with resolved references."""
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
        f"asl-validator did not run; `make setup` installs it: {answer.stderr[-500:]}"
    )
    findings: list[list[str]] = json.loads(answer.stdout)
    return findings
