"""How are JSONata expressions written? Small helpers: they take and give expression text without delimiters.

Step Functions fails an execution when an expression gives nothing, or when `$parse` gets what is no JSON;
inside an object, a field that gives nothing is left out. Hence `or_null` and the guard in `error_details`.
"""

import json
from collections.abc import Mapping

from taxi_etl.documents import LISTED_FILES_MAX, LISTED_KEY_MAX
from taxi_etl.notifications import CAUSE_MAX, LABEL_MAX, NO_CAUSE


def render(expression: str) -> str:
    """The expression as a field of the state machine carries it."""
    return f"{{% {expression} %}}"


def text(value: str) -> str:
    """A string literal; JSONata's are JSON's."""
    return json.dumps(value)


def record(fields: Mapping[str, str]) -> str:
    """An object of expressions, in the order given."""
    return "{" + ", ".join(f"{text(name)}: {value}" for name, value in fields.items()) + "}"


def or_null(path: str) -> str:
    """The value, or null where there is none."""
    return f"($exists({path}) ? {path} : null)"


def sentence(value: str) -> str:
    """The value with one full stop at its end, as `taxi_etl.notifications.sentence` gives it."""
    return f"($replace({value}, /[. \\n]+$/, '') & '.')"


def with_execution_name(template: str, marker: str) -> str:
    """A text in which each `marker` becomes the execution's name."""
    parts = (text(part) for part in template.split(marker))
    return "(" + " & $states.context.Execution.Name & ".join(parts) + ")"


KEY_MAX = 1024
"""The longest key that S3 takes; what is longer is no key."""
INPUT_KEYS = "($exists($states.input.files) ? [$states.input.files.key] : [$states.input.key])"
"""The object keys of an execution's input, shorthand included."""


def input_summary() -> str:
    """What is known of the files before the job has run, in the shape of the job's summary."""
    listed = f"[$keys[[0..{LISTED_FILES_MAX - 1}]].{{'key': $substring($string($), 0, {LISTED_KEY_MAX})}}]"
    return (
        f"($keys := {INPUT_KEYS}; {{'files': {listed}, "
        f"'filesOmitted': $max([0, $count($keys) - {LISTED_FILES_MAX}]), 'datasets': []}})"
    )


def input_validation() -> str:
    """What validation would have said, for an input that it could not judge."""
    half = (LABEL_MAX - 3) // 2
    name = "$replace($split($string($keys[0]), '/')[-1], /[^ -~]/, '?')"
    shortened = f"$substring($name, 0, {half}) & '...' & $substring($name, -{LABEL_MAX - 3 - half})"
    return (
        f"($keys := {INPUT_KEYS}; $name := {name}; "
        "{'valid': false, "
        "'bucket': ($type($states.input.bucket) = 'string' ? $states.input.bucket : null), "
        f"'key': ($count($keys) = 1 ? $substring($string($keys[0]), 0, {KEY_MAX}) : null), "
        "'label': ($count($keys) != 1 ? $count($keys) & ' files' "
        f": $length($name) <= {LABEL_MAX} ? $name : {shortened}), "
        "'counts': {'files': $count($keys), 'valid': 0, 'rejected': 0, 'superseded': 0}, "
        "'rejected': [], 'rejectedOmitted': 0, 'manifest': null})"
    )


def error_details() -> str:
    """Binds $cause and $details for the expressions that follow, in a Catch.

    Services put JSON into Cause: a function's error, or the whole job run. Anything else stays text.
    """
    return (
        "$cause := $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : ''; "
        "$details := $substring($cause, 0, 2) = '{\"' and $substring($cause, -1) = '}' ? $parse($cause) : {}"
    )


def caught_failure(before: str = "", after: str = "''") -> str:
    """The caught error as people read it: its name, and the one line that says why.

    `before` is a text to put in front of the line, `after` an expression that gives what to add. The SDK's
    own words about service, status code and request are left out.
    """
    line = (
        "($exists($details.ErrorMessage) ? $details.ErrorMessage "
        ": $exists($details.errorMessage) ? $details.errorMessage "
        ": $exists($details.JobRunState) ? 'The job run ended ' & $details.JobRunState "
        ": $cause != '' ? $substringBefore($cause, ' (Service: ') "
        ": $states.errorOutput.Error = 'States.Timeout' ? 'it did not end within its time limit' "
        f": {text(NO_CAUSE)})"
    )
    return (
        f"({error_details()}; {{'Error': $states.errorOutput.Error, "
        f"'Cause': $substring({text(before)} & {line} & {after}, 0, {CAUSE_MAX})}})"
    )


def caught_job_run() -> str:
    """The job run that the caught error carries, empty when it carries none."""
    return f"({error_details()}; $exists($details.JobRunState) ? {job_run('$details')} : {{}})"


def job_run(source: str) -> str:
    """The parts of a job run that messages need."""
    names = ("Id", "JobRunState", "ExecutionTime", "MaxCapacity", "DPUSeconds", "ErrorMessage")
    return record({name: f"{source}.{name}" for name in names})
