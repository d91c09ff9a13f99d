"""Task results that a test scripts, one for each attempt.

MiniStack 1.5.33: SFN_MOCK_CONFIG does not evaluate Arguments, and cannot answer each attempt differently.
AWS: Has no equivalent: tasks call the real services.
Source: Step Functions developer guide, "Testing state machines with Step Functions Local", mocked service
integrations.
Delete when: SFN_MOCK_CONFIG evaluates Arguments, answers each attempt, and reports what was called.

Off unless used. `POST /_local/script {"execution": NAME, "answers": {STATE: [ANSWER, ...]}}` before the
execution of that name starts. An ANSWER is `{"Return": RESULT}`, `{"Throw": {"Error", "Cause"}}` or `{"Call":
true}` (the real service), one for each attempt. A scripted state without an answer left fails the execution.
With `"AfterSeconds"` the answer takes that long, without a real wait: a task with a shorter TimeoutSeconds
fails with States.Timeout. `{"$entered": STATE, "plus": SECONDS, "as": "text" | "number"}` inside a RESULT is
a time relative to the second in which STATE was entered, in the form that the SDKs use.

`GET /_local/script?execution=ARN` returns every call with its evaluated arguments, the rule that each Choice
took, the seconds of Wait states, and the answers left.
"""

import contextvars
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ministack.services import stepfunctions

from local_aws.patches import patching
from local_aws.patches.stepfunctions_endings import EXECUTION

Script = dict[str, Any]
ANSWERS = ("Return", "Throw", "Call")

_registered: dict[str, Script] = {}
_TIMEOUT: contextvars.ContextVar[float | None] = contextvars.ContextVar("timeout", default=None)
_MATCHED: contextvars.ContextVar[Any] = contextvars.ContextVar("matched", default=None)


def apply() -> None:
    """Look up the script before a service is called, and record what the states do."""
    invoke = patching.replace(
        stepfunctions,
        "_invoke_resource",
        "resource input_data",
        lambda resource, input_data: _invoke(invoke, resource, input_data),
    )
    timed = patching.replace(
        stepfunctions,
        "_invoke_resource_with_timeout",
        "resource input_data timeout",
        lambda resource, input_data, timeout: _with_timeout(timed, resource, input_data, timeout),
    )
    task = patching.replace(
        stepfunctions,
        "_execute_task",
        "state_def raw_input execution ctx",
        lambda state_def, raw_input, execution, ctx: _task(task, state_def, raw_input, execution, ctx),
    )
    choose = patching.replace(
        stepfunctions,
        "_execute_choice",
        "state_def raw_input ctx",
        lambda state_def, raw_input, ctx=None: _choose(choose, state_def, raw_input, ctx),
    )
    matches = patching.replace(
        stepfunctions,
        "_evaluate_jsonata_choice_rule",
        "rule raw_input ctx",
        lambda rule, raw_input, ctx: _matches(matches, rule, raw_input, ctx),
    )
    seconds = patching.replace(
        stepfunctions,
        "_jsonata_wait_seconds",
        "state_def raw_input ctx",
        lambda state_def, raw_input, ctx: _wait_seconds(seconds, state_def, raw_input, ctx),
    )


def register_script(document: dict[str, Any]) -> Script:
    """Store the script for the next execution of a name. Raises ValueError for an invalid script."""
    name, answers = document.get("execution"), document.get("answers")
    if not isinstance(name, str) or not isinstance(answers, dict):
        raise ValueError(
            f"a script has the name of an execution and answers by state, not {sorted(document)}"
        )
    for state, queue in answers.items():
        for answer in queue:
            if sum(kind in answer for kind in ANSWERS) != 1:
                raise ValueError(f"an answer of {state} needs exactly one of {', '.join(ANSWERS)}: {answer}")
    script: Script = {"answers": answers, "entered": {}, "calls": [], "choices": [], "waits": []}
    _registered[name] = script
    return script


def recorded_script(execution_arn: str) -> Script:
    """Return a scripted execution's calls, choices, waits, and the answers left; empty without a script."""
    for execution in stepfunctions._executions.all_values():
        if execution["executionArn"] == execution_arn and execution.get("script"):
            return dict(execution["script"])
    return {}


def _current() -> Script | None:
    """Return the script of this thread's execution, None when it has none."""
    execution = EXECUTION.get()
    if execution is None:
        return None
    if "script" not in execution:
        execution["script"] = _registered.pop(execution["name"], None)
    script: Script | None = execution["script"]
    return script


def _task(run: Callable[..., Any], state_def: Any, raw_input: Any, execution: Any, ctx: Any) -> Any:
    script = _current()
    if script is not None:
        script["state"] = ctx["State"]["Name"]
        script["entered"][script["state"]] = ctx["State"]["EnteredTime"]
    return run(state_def, raw_input, execution, ctx)


def _with_timeout(timed: Callable[..., Any], resource: str, arguments: Any, timeout: float) -> Any:
    token = _TIMEOUT.set(timeout)
    try:
        return timed(resource, arguments, timeout)
    finally:
        _TIMEOUT.reset(token)


def _invoke(invoke: Callable[..., Any], resource: str, arguments: Any) -> Any:
    script = _current()
    if script is None:
        return invoke(resource, arguments)
    state = script["state"]
    script["calls"].append({"state": state, "resource": resource, "arguments": arguments})
    if state not in script["answers"]:
        return invoke(resource, arguments)
    if not script["answers"][state]:
        raise stepfunctions._ExecutionError("States.Runtime", f"the script has no answer left for {state}")
    answer = script["answers"][state].pop(0)
    timeout = _TIMEOUT.get()
    if timeout is not None and answer.get("AfterSeconds", 0) > timeout:
        raise stepfunctions._ExecutionError("States.Timeout", "")
    if "Throw" in answer:
        raise stepfunctions._ExecutionError(answer["Throw"]["Error"], answer["Throw"].get("Cause", ""))
    return (
        invoke(resource, arguments)
        if "Call" in answer
        else _resolve_times(answer["Return"], script["entered"])
    )


def _resolve_times(value: Any, entered: dict[str, str]) -> Any:
    """Replace the relative times in a result."""
    if isinstance(value, list):
        return [_resolve_times(part, entered) for part in value]
    if not isinstance(value, dict):
        return value
    if "$entered" not in value:
        return {name: _resolve_times(part, entered) for name, part in value.items()}
    second = int(datetime.fromisoformat(entered[value["$entered"]]).timestamp())
    moment = second + value["plus"]
    if value["as"] == "number":
        return moment
    text = datetime.fromtimestamp(moment, UTC).isoformat(
        timespec="seconds" if moment == int(moment) else "milliseconds"
    )
    return text.replace("+00:00", "Z")


def _choose(choose: Callable[..., Any], state_def: Any, raw_input: Any, ctx: Any) -> Any:
    script = _current()
    _MATCHED.set(None)
    output, following = choose(state_def, raw_input, ctx)
    if script is not None:
        matched = _MATCHED.get()
        rule = next((number for number, rule in enumerate(state_def["Choices"]) if rule is matched), None)
        script["choices"].append({"state": ctx["State"]["Name"], "rule": rule, "next": following})
    return output, following


def _matches(matches: Callable[..., bool], rule: Any, raw_input: Any, ctx: Any) -> bool:
    found = matches(rule, raw_input, ctx)
    if found:
        _MATCHED.set(rule)
    return found


def _wait_seconds(seconds: Callable[..., float], state_def: Any, raw_input: Any, ctx: Any) -> float:
    found = seconds(state_def, raw_input, ctx)
    script = _current()
    if script is not None:
        script["waits"].append({"state": ctx["State"]["Name"], "seconds": found})
    return found
