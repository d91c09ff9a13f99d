"""What does the workflow tell people? Its notifications as JSONata, in the keys and words of the core.

A message is one expression, so that its keys keep their order, printed for people to read in an e-mail.
"""

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from stacks.settings import Settings
from stacks.workflow.jsonata import or_null, record, render, text, with_execution_name
from taxi_etl.messages import SCHEMA_VERSION, UNKNOWN_DATASET, Status, next_step, subject
from taxi_etl.names import GLUE_JOB, physical_name
from taxi_etl.prices import GLUE_MINIMUM_SECONDS, GLUE_USD_PER_DPU_HOUR

_MARKER = "EXECUTION"
EARLIER_ROWS_STAY = " Rows of earlier versions stay as they are."


def message_subject(status: Status) -> str:
    """The subject: outcome, then the file or the count."""
    before, after = subject(status, "\0").split("\0")
    assert not after
    return render(f"{text(before)} & $validation.label")


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
    counts = "$summary.counts"
    superseded = f"({counts}.superseded + $validation.counts.superseded)"
    words = (
        f"'Loaded ' & ({counts}.loaded = $validation.counts.files ? $validation.label "
        f": {counts}.loaded & ' of ' & $validation.counts.files & ' files') & ': ' "
        "& $summary.rows.written & ' rows written, ' & $summary.rows.quarantined & ' quarantined' "
        f"& ({superseded} > 0 ? '. Left to newer versions: ' & {superseded} : '')"
    )
    if status is Status.PARTIAL_SUCCESS:
        words += (
            f" & ({counts}.failed > 0 ? '. Failed: ' & {counts}.failed & ' (' & $failure.Cause & ')' : '')"
            " & ($validation.counts.rejected > 0 ? '. Rejected, as reported before: ' "
            "& $validation.counts.rejected : '')"
            " & ($crawl.state = 'FAILED' ? '. The tables are current, but the raw zone was not crawled: ' "
            "& $crawl.error : '')"
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
        }
    )


def validation_failure_message(settings: Settings) -> str:
    """The message about files that cannot be loaded, or an input that could not be judged."""
    rejected = "$validation.counts.rejected"
    words = (
        f"({rejected} > 0 ? 'Cannot load ' & ({rejected} = $validation.counts.files ? $validation.label "
        f": {rejected} & ' of ' & $validation.counts.files & ' files') & ': ' : 'Validation failed: ') "
        f"& $failure.Cause & {text('.' + EARLIER_ROWS_STAY)}"
    )
    return _failure(
        Status.VALIDATION_FAILED,
        words,
        files=f"({rejected} > 0 ? $validation.rejected : $summary.files)",
        omitted=f"({rejected} > 0 ? $validation.rejectedOmitted : $summary.filesOmitted)",
        settings=settings,
    )


def job_failure_message(settings: Settings) -> str:
    """The message about a job that loaded nothing."""
    words = f"'The job loaded nothing: ' & $failure.Cause & {text('.' + EARLIER_ROWS_STAY)}"
    return _failure(
        Status.FAILED, words, files="$summary.files", omitted="$summary.filesOmitted", settings=settings
    )


def job_cost() -> str:
    """US dollars of the run: its DPU seconds where Glue counts them (auto scaling), else time by capacity."""
    by_time = f"$max([$jobRun.ExecutionTime, {GLUE_MINIMUM_SECONDS}]) * $jobRun.MaxCapacity"
    known = "$exists($jobRun.ExecutionTime) and $exists($jobRun.MaxCapacity)"
    dpu_seconds = f"($exists($jobRun.DPUSeconds) ? $jobRun.DPUSeconds : {known} ? {by_time} : null)"
    return f"($dpu := {dpu_seconds}; $dpu = null ? null : $round($dpu / 3600 * {GLUE_USD_PER_DPU_HOUR}, 4))"


def _failure(status: Status, words: str, *, files: str, omitted: str, settings: Settings) -> str:
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
            "nextStep": with_execution_name(next_step(settings.command, _MARKER), _MARKER),
        }
    )


def _printed(fields: dict[str, str]) -> str:
    return render(f"$string({record(fields)}, true)")
