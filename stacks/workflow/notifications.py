"""What does the workflow tell people? Its notifications as JSONata, in the keys and words of the core.

A message is one expression, so that its keys keep their order, printed for people to read in an e-mail.
"""

from collections.abc import Callable

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from stacks.settings import Settings
from stacks.workflow.jsonata import or_null, record, render, sentence, text, with_execution_name
from taxi_etl.names import CRAWLER, GLUE_JOB, physical_name
from taxi_etl.notifications import (
    EARLIER_ROWS_STAY,
    MEND,
    RESULT_UNKNOWN,
    SCHEMA_VERSION,
    UNKNOWN_DATASET,
    Status,
    crawl_again,
    look,
    next_step,
    subject,
)
from taxi_etl.prices import COST_DIGITS, GLUE_MINIMUM_SECONDS, GLUE_USD_PER_DPU_HOUR

_MARKER = "EXECUTION"
_FILES = "$validation.counts.files"
_REJECTED = "$validation.counts.rejected"
_FAILED = "$summary.counts.failed"
_REPORTED = f"({_REJECTED} > 0 ? ' Rejected, as reported before: ' & {_REJECTED} & '.' : '')"


def message_subject(status: Status) -> str:
    """The subject: outcome, then the file or the count; `1 of 3 files` where it is not about all of them."""
    before, after = subject(status, "\0").split("\0")
    assert not after
    about = {Status.PARTIAL_SUCCESS: "$summary.counts.loaded", Status.VALIDATION_FAILED: _REJECTED}
    what = _part(about[status]) if status in about else "$validation.label"
    return render(f"{text(before)} & {what}")


def attributes(status: Status) -> dict[str, tasks.MessageAttribute]:
    """What subscriptions filter by: the outcome, and the datasets (`unknown` before one is known)."""
    datasets = f"$string($count($summary.datasets) > 0 ? [$summary.datasets] : ['{UNKNOWN_DATASET}'])"
    return {
        "status": tasks.MessageAttribute(value=str(status), data_type=tasks.MessageAttributeDataType.STRING),
        "dataset": tasks.MessageAttribute(
            # As TaskInput: of a plain text the construct forgets the data type.
            value=sfn.TaskInput.from_text(render(datasets)),
            data_type=tasks.MessageAttributeDataType.STRING_ARRAY,
        ),
    }


def success_message(status: Status, settings: Settings) -> str:
    """The message about an execution that loaded files: all of them, or some."""
    superseded = "($summary.counts.superseded + $validation.counts.superseded)"
    words = (
        f"'Loaded ' & {_part('$summary.counts.loaded')} & ': ' & {_number('$summary.rows.written')} "
        f"& ' rows written, ' & {_number('$summary.rows.quarantined')} & ' quarantined.' "
        f"& ({superseded} > 0 ? ' Left to newer versions: ' & {superseded} & '.' : '')"
    )
    last = {}
    if status is Status.PARTIAL_SUCCESS:
        several = f"({_FAILED} > 1 ? ' failed, the first: ' : ' failed: ')"
        words += (
            f" & ({_FAILED} > 0 ? ' ' & {_FAILED} & {several} & {sentence('$failure.Cause')} : '')"
            f" & {_REPORTED}"
            " & ($crawl.state = 'FAILED' ? ' The tables are current, but the raw zone was not crawled: ' "
            f"& {sentence('$crawl.error')} : '')"
        )
        crawl = crawl_again(physical_name(CRAWLER, settings.environment))
        last["nextStep"] = (
            f"({_FAILED} > 0 ? {_of_execution(next_step, settings)} : {_of_execution(look, settings)})"
            f" & ($crawl.state = 'FAILED' ? {text(f' {crawl}')} : '')"
        )
    return _printed(
        {
            "status": text(status),
            "message": words,
            "jobName": text(physical_name(GLUE_JOB, settings.environment)),
            "jobRunId": or_null("$jobRun.Id"),
            "executionTimeSeconds": or_null("$jobRun.ExecutionTime"),
            "bucket": or_null("$validation.bucket"),
            "key": or_null("$validation.key"),
            "crawlerState": "$crawl.state",
            "timestamp": "$now()",
            "workflowExecutionId": "$states.context.Execution.Id",
            "schemaVersion": text(SCHEMA_VERSION),
            "files": "$summary.files",
            "rows": "$summary.rows",
            "jobCostUsd": job_cost(),
            "filesOmitted": "$summary.filesOmitted",
            "manifest": "$validation.manifest",
            **last,
        }
    )


def validation_failure_message(settings: Settings) -> str:
    """The message about files that cannot be loaded, or an input that could not be judged."""
    valid = "$validation.counts.valid"
    rejected = (
        f"'Cannot load ' & ({_FILES} = 1 ? '' : {_part(_REJECTED)} & ': ') & {sentence('$failure.Cause')} "
        f"& ({valid} = 0 ? '' : {valid} = 1 ? ' 1 other file is being loaded.' "
        f": ' ' & {valid} & ' other files are being loaded.')"
    )
    unjudged = (
        f"'Could not check ' & ({_FILES} = 0 ? 'the input' : $validation.label) & ': ' "
        f"& {sentence('$failure.Cause')} & ' Nothing was loaded.'"
    )
    again = _of_execution(next_step, settings)
    return _failure(
        Status.VALIDATION_FAILED,
        f"({_REJECTED} > 0 ? {rejected} : {unjudged}) & {text(f' {EARLIER_ROWS_STAY}')}",
        files=f"({_REJECTED} > 0 ? $validation.rejected : $summary.files)",
        omitted=f"({_REJECTED} > 0 ? $validation.rejectedOmitted : $summary.filesOmitted)",
        advice=(
            f"({_REJECTED} > 0 ? {text(f'{MEND} ')} & {again} "
            f": {_FILES} = 0 ? {_of_execution(look, settings)} : {again})"
        ),
    )


def job_failure_message(settings: Settings) -> str:
    """The message about a job that loaded no file, or that left no word on whether it did."""
    none_loaded = (
        f"'Cannot load ' & ({_FILES} = 1 ? '' : {_part(_FAILED)} & ': ') & $failure.Cause "
        f"& ({_FAILED} > 1 ? '; and ' & ({_FAILED} - 1) & ' more' : '')"
    )
    unknown = "'Loading ' & $validation.label & ' failed: ' & $failure.Cause"
    known = "$exists($summary.counts)"
    return _failure(
        Status.FAILED,
        f"({known} ? {sentence(none_loaded)} : {sentence(unknown)}) & {_REPORTED} "
        f"& ({known} ? {text(f' {EARLIER_ROWS_STAY}')} : {text(f' {RESULT_UNKNOWN}')})",
        files="$summary.files",
        omitted="$summary.filesOmitted",
        advice=_of_execution(next_step, settings),
    )


def job_cost() -> str:
    """US dollars of the run: its DPU seconds where Glue counts them (auto scaling), else time by capacity."""
    by_time = f"$max([$jobRun.ExecutionTime, {GLUE_MINIMUM_SECONDS}]) * $jobRun.MaxCapacity"
    known = "$exists($jobRun.ExecutionTime) and $exists($jobRun.MaxCapacity)"
    dpu_seconds = f"($exists($jobRun.DPUSeconds) ? $jobRun.DPUSeconds : {known} ? {by_time} : null)"
    usd = f"$round($dpu / 3600 * {GLUE_USD_PER_DPU_HOUR}, {COST_DIGITS})"
    return f"($dpu := {dpu_seconds}; $dpu = null ? null : {usd})"


def _failure(status: Status, words: str, *, files: str, omitted: str, advice: str) -> str:
    return _printed(
        {
            "status": text(status),
            "message": words,
            "bucket": or_null("$validation.bucket"),
            "key": or_null("$validation.key"),
            "error": "$failure",
            "timestamp": "$now()",
            "workflowExecutionId": "$states.context.Execution.Id",
            "schemaVersion": text(SCHEMA_VERSION),
            "files": files,
            "filesOmitted": omitted,
            "manifest": or_null("$validation.manifest"),
            "nextStep": advice,
        }
    )


def _part(number: str) -> str:
    """What a text calls so many of the execution's files: its label for all or none, else `1 of 3 files`."""
    return f"({number} > 0 and {number} < {_FILES} ? {number} & ' of ' : '') & $validation.label"


def _number(value: str) -> str:
    return f"$formatNumber({value}, '#,##0')"


def _of_execution(advice: Callable[[str, str], str], settings: Settings) -> str:
    """An advice of the core about the execution that runs."""
    return with_execution_name(advice(settings.command, _MARKER), _MARKER)


def _printed(fields: dict[str, str]) -> str:
    return render(f"$string({record(fields)}, true)")
