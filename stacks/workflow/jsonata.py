"""Helpers that build JSONata expressions; they take and return expression text without delimiters.

Step Functions fails an execution when an expression returns nothing, or when `$parse` gets invalid JSON.
Inside an object, it omits a field whose expression returns nothing. Hence `or_null` and the guard in
`error_details`.
"""

import json
from collections.abc import Mapping

from taxi_etl.documents import LISTED_FILES_MAX, LISTED_KEY_MAX
from taxi_etl.notifications import CAUSE_MAX, EARLIER_ROWS_STAY, LABEL_MAX, NO_CAUSE, Status, subject


def render(expression: str) -> str:
    """The expression with the delimiters of Step Functions."""
    return f"{{% {expression} %}}"


def both(first: str, second: str) -> str:
    """The rendered condition that both of two rendered conditions are true."""
    return render(
        " and ".join(f"({each.removeprefix('{% ').removesuffix(' %}')})" for each in (first, second))
    )


def text(value: str) -> str:
    """A string literal, which JSONata writes as JSON does."""
    return json.dumps(value)


def record(fields: Mapping[str, str]) -> str:
    """An object of expressions, in the order given."""
    return "{" + ", ".join(f"{text(name)}: {value}" for name, value in fields.items()) + "}"


def or_null(path: str) -> str:
    """The value, or null where the path has none."""
    return f"($exists({path}) ? {path} : null)"


def sentence(value: str) -> str:
    """The text with one period at its end, as `taxi_etl.notifications.sentence` returns it."""
    return f"($replace({value}, /[. \\n]+$/, '') & '.')"


def with_execution_name(template: str, marker: str) -> str:
    """The template with the execution's name in place of each `marker`."""
    parts = (text(part) for part in template.split(marker))
    return "(" + " & $states.context.Execution.Name & ".join(parts) + ")"


KEY_MAX = 1024
"""The longest object key that S3 allows."""
INPUT_KEYS = "($exists($states.input.files) ? [$states.input.files.key] : [$states.input.key])"
"""The object keys of an execution's input, shorthand included."""


def shorten(value: str, limit: int) -> str:
    """The text without its middle where it is too long, as `taxi_etl.documents.shorten` returns it."""
    end = (limit - 1) // 2
    return _shorten(value, limit, limit - 1 - end, "…", end)


def _shorten(value: str, limit: int, start: int, mark: str, end: int) -> str:
    shortened = f"$substring($text, 0, {start}) & {text(mark)} & $substring($text, -{end})"
    return f"($text := {value}; $length($text) <= {limit} ? $text : {shortened})"


def _label(name: str) -> str:
    """A file name as `taxi_etl.notifications.label` returns it."""
    start = (LABEL_MAX - 3) // 2
    printable = f"$replace({name}, /[^ -~]/, '?')"
    return _shorten(printable, LABEL_MAX, start, "...", LABEL_MAX - 3 - start)


def input_summary() -> str:
    """The execution's files in the shape of the job's summary, before the job has run."""
    listed = f"$keys[[0..{LISTED_FILES_MAX - 1}]].{{'key': {shorten('$string($)', LISTED_KEY_MAX)}}}"
    return (
        f"($keys := {INPUT_KEYS}; {{'files': [{listed}], "
        f"'filesOmitted': $max([0, $count($keys) - {LISTED_FILES_MAX}]), 'datasets': []}})"
    )


def caught_validation() -> str:
    """The fields of `taxi_etl.summaries.validation_summary` for an input that validation could not check."""
    name = _label("$split($string($keys[0]), '/')[-1]")
    message = (
        "'Could not check ' & ($count($keys) = 0 ? 'the input' : $label) & ': ' "
        f"& {sentence('$caught.Cause')} & {text(f' Nothing was loaded. {EARLIER_ROWS_STAY}')}"
    )
    subject_before = subject(Status.VALIDATION_FAILED, "")
    return (
        f"($keys := {INPUT_KEYS}; $caught := {caught_failure()}; $listed := {input_summary()}; "
        f"$label := $count($keys) = 1 ? {name} : $count($keys) & ' files'; $message := {message}; "
        "{'valid': false, "
        "'bucket': ($type($states.input.bucket) = 'string' ? $states.input.bucket : null), "
        f"'key': ($count($keys) = 1 ? $substring($string($keys[0]), 0, {KEY_MAX}) : null), "
        "'counts': {'files': $count($keys), 'valid': 0, 'rejected': 0, 'superseded': 0}, "
        "'rejected': $listed.files, 'rejectedOmitted': $listed.filesOmitted, 'manifest': null, "
        f"'subjects': {{'{Status.VALIDATION_FAILED}': {text(subject_before)} & $label}}, "
        "'message': $message, 'email': {'outcome': $message, 'files': ''}, 'brief': $caught.Cause})"
    )


def error_details() -> str:
    """Binds $cause and $details for the expressions that follow, in a Catch.

    Services write JSON into Cause: a function's error, or the whole job run. Other causes are plain text.
    """
    return (
        "$cause := $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : ''; "
        "$details := $substring($cause, 0, 2) = '{\"' and $substring($cause, -1) = '}' ? $parse($cause) : {}"
    )


def caught_failure(before: str = "", after: str = "''") -> str:
    """The caught error as `{Error, Cause}`, its cause being one line for people.

    `before` is a text to put in front of the line, `after` an expression to append. What the SDK adds about
    service, status code and request is left out.
    """
    line = (
        "($exists($details.ErrorMessage) ? $details.ErrorMessage "
        ": $exists($details.errorMessage) ? $details.errorMessage "
        ": $exists($details.JobRunState) ? 'The job run ended ' & $details.JobRunState "
        ": $cause != '' ? $substringBefore($cause, ' (Service: ') "
        ": $states.errorOutput.Error = 'States.Timeout' ? 'it did not end within its time limit' "
        f": {text(NO_CAUSE)})"
    )
    cause = shorten(f"{text(before)} & {line} & {after}", CAUSE_MAX)
    return f"({error_details()}; {{'Error': $states.errorOutput.Error, 'Cause': {cause}}})"


def caught_job_run() -> str:
    """The job run in the caught error; empty when the error names no job run."""
    return f"({error_details()}; $exists($details.JobRunState) ? {job_run('$details')} : {{}})"


def job_run(source: str) -> str:
    """The fields of a job run that notifications need."""
    names = ("Id", "JobRunState", "ExecutionTime", "MaxCapacity", "DPUSeconds", "ErrorMessage")
    return record({name: f"{source}.{name}" for name in names})
