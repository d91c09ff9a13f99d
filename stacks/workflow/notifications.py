"""The workflow's notifications as JSONata, merged from the summaries, the job run and the crawl.

Python composes the texts wherever it runs before the notification (`taxi_etl.summaries`). A message is one
expression, so that its keys keep their order, printed with line breaks for readers of e-mails.
"""

from collections.abc import Callable, Mapping

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from stacks.settings import Settings
from stacks.workflow import message_texts
from stacks.workflow.jsonata import or_null, record, render, sentence, text, with_execution_name
from taxi_etl.billing import COST_DIGITS, GLUE_MINIMUM_SECONDS, GLUE_USD_PER_DPU_HOUR, crawl_usd
from taxi_etl.engines import EngineChoice
from taxi_etl.names import CRAWLER, GLUE_JOB, physical_name
from taxi_etl.notifications import (
    CRAWLED,
    MEND,
    NOTHING_TO_DO,
    SCHEMA_VERSION,
    UNKNOWN_DATASET,
    Status,
    crawl_again,
    history_step,
    next_step,
)

_MARKER = "EXECUTION"
_SOURCE = {
    Status.VALIDATION_FAILED: "$validation",
    Status.FAILED: "$validation",
    Status.SUCCESS: "$summary",
    Status.PARTIAL_SUCCESS: "$summary",
}
"""The summary with the subject for a status: the validator's or the job's."""


def message_subject(status: Status) -> str:
    """The subject, composed by the validator or the job."""
    return render(_subject(status))


def attributes(status: Status) -> dict[str, tasks.MessageAttribute]:
    """The attributes for subscription filters: the status, and the datasets or `unknown`."""
    datasets = f"$string($count($summary.datasets) > 0 ? [$summary.datasets] : ['{UNKNOWN_DATASET}'])"
    return {
        "status": tasks.MessageAttribute(value=str(status), data_type=tasks.MessageAttributeDataType.STRING),
        "dataset": tasks.MessageAttribute(
            # A TaskInput, because the construct drops the data type of a plain string.
            value=sfn.TaskInput.from_text(render(datasets)),
            data_type=tasks.MessageAttributeDataType.STRING_ARRAY,
        ),
    }


Texts = dict[str, str]
"""The Message of SNS by protocol, rendered expressions; Step Functions writes the object as JSON text."""


def success(settings: Settings) -> Texts:
    """The texts about an execution that loaded all files."""
    see = _of_execution(history_step, settings)
    return _texts(
        Status.SUCCESS,
        default=_printed({**_success(Status.SUCCESS, _loaded(settings), settings), **_load(settings)}),
        email=_loaded_email("$summary.email.outcome", f"{text(f'{NOTHING_TO_DO} ')} & {see}", settings),
        detail="$summary.brief",
        settings=settings,
    )


def partial_success(settings: Settings) -> Texts:
    """The texts about an execution that loaded some files, or all without a crawl."""
    not_crawled = "' The tables are current, but the raw zone was not crawled: ' & " + sentence(
        "$crawl.error"
    )
    not_crawled = f"($crawl.state = 'FAILED' ? {not_crawled} : '')"
    crawl = text(f" {crawl_again(physical_name(CRAWLER, settings.environment))}")
    again, see = _of_execution(next_step, settings), _of_execution(history_step, settings)
    then = f"($summary.counts.failed > 0 ? {again} : {see}) & ($crawl.state = 'FAILED' ? {crawl} : '')"
    body = {
        **_success(Status.PARTIAL_SUCCESS, f"{_loaded(settings)} & {not_crawled}", settings),
        "nextStep": then,
        **_load(settings),
    }
    return _texts(
        Status.PARTIAL_SUCCESS,
        default=_printed(body),
        email=_loaded_email(f"$summary.email.outcome & {not_crawled}", then, settings),
        detail="$summary.brief",
        settings=settings,
    )


def validation_failure(settings: Settings) -> Texts:
    """The texts about rejected files, or about an input that could not be checked."""
    again, see = _of_execution(next_step, settings), _of_execution(history_step, settings)
    then = (
        f"($validation.counts.rejected > 0 ? {text(f'{MEND} ')} & {again} "
        f": $validation.counts.files = 0 ? {see} : {again})"
    )
    body = _failure(
        Status.VALIDATION_FAILED,
        "$validation.message",
        files="$validation.rejected",
        omitted="$validation.rejectedOmitted",
        next_step_text=then,
    )
    return _texts(
        Status.VALIDATION_FAILED,
        default=body,
        email=message_texts.email(
            "$validation.email.outcome", "$validation.email.files", message_texts.validation_facts(), then
        ),
        detail="$validation.brief",
        settings=settings,
    )


def job_failure(settings: Settings) -> Texts:
    """The texts about a job that loaded no file, or that left no result."""
    no_result = f"$validation.jobFailure.before & {sentence('$failure.Cause')} & $validation.jobFailure.after"
    then = _of_execution(next_step, settings)
    body = _failure(
        Status.FAILED,
        f"($exists($summary.message) ? $summary.message : {no_result}){_fallback(settings)}",
        files="$summary.files",
        omitted="$summary.filesOmitted",
        next_step_text=then,
        load=_load(settings),
    )
    return _texts(
        Status.FAILED,
        default=body,
        email=message_texts.email(
            f"($exists($summary.message) ? $summary.email.outcome : {no_result})",
            "($exists($summary.message) ? $summary.email.files : $validation.jobFailure.files)",
            message_texts.load_facts(job_cost(), settings),
            then,
        ),
        detail="($exists($summary.message) ? $summary.brief : $failure.Cause)",
        settings=settings,
    )


def job_cost() -> str:
    """US dollars of the job run, as `taxi_etl.billing` computes them; null where Glue reports too little."""
    seconds = f"($jobRun.ExecutionTime = 0 ? 0 : $max([$jobRun.ExecutionTime, {GLUE_MINIMUM_SECONDS}]))"
    known = "$exists($jobRun.ExecutionTime) and $exists($jobRun.MaxCapacity)"
    by_time = f"{known} ? {seconds} * $jobRun.MaxCapacity : null"
    dpu_seconds = f"($exists($jobRun.DPUSeconds) ? $jobRun.DPUSeconds : {by_time})"
    usd = f"$round($dpu / 3600 * {GLUE_USD_PER_DPU_HOUR}, {COST_DIGITS})"
    return f"($dpu := {dpu_seconds}; $dpu = null ? null : {usd})"


def crawl_cost() -> str:
    """US dollars that a crawl costs at least; null if none was started."""
    return f"($crawl.polls > 0 ? {crawl_usd()} : null)"


def _loaded_email(outcome: str, then: str, settings: Settings) -> str:
    facts = f"{message_texts.load_facts(job_cost(), settings)} & {message_texts.crawl_facts()}"
    return message_texts.email(outcome, "$summary.email.files", facts, then)


def _texts(status: Status, *, default: str, email: str, detail: str, settings: Settings) -> Texts:
    subject = _subject(status)
    texts = {"default": default, "email": render(email), "sms": render(message_texts.sms(subject, detail))}
    chat = {"https": render(message_texts.chat(subject, email))} if settings.chat_notifications else {}
    return {**texts, **chat}


def _subject(status: Status) -> str:
    return f"{_SOURCE[status]}.subjects.{status}"


def _loaded(settings: Settings) -> str:
    """The message of the load, the reason for a fallback, and the cost of a crawl if one ran."""
    crawled = f"($crawl.state = 'READY' ? {text(f' {CRAWLED}')} : '')"
    return f"$summary.message{_fallback(settings)} & {crawled}"


def _fallback(settings: Settings) -> str:
    """The reason why the Glue job loaded a small batch, to append to a text; empty if there was none."""
    if settings.engine is EngineChoice.GLUE:
        return ""
    return f" & {message_texts.fallback('$load.declined')}"


def _load(settings: Settings) -> dict[str, str]:
    """The fields about the engine, which only apps with `engine = auto` have."""
    if settings.engine is EngineChoice.GLUE:
        return {}
    return {
        "engine": "$load.engine",
        "declined": or_null("$load.declined"),
        "smallBatchCostUsd": or_null("$load.costUsd"),
    }


def _success(status: Status, message: str, settings: Settings) -> dict[str, str]:
    return {
        "status": text(status),
        "message": message,
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
        "crawlCostUsd": crawl_cost(),
        "filesOmitted": "$summary.filesOmitted",
        "manifest": "$validation.manifest",
    }


def _failure(
    status: Status,
    message: str,
    *,
    files: str,
    omitted: str,
    next_step_text: str,
    load: Mapping[str, str] | None = None,
) -> str:
    return _printed(
        {
            "status": text(status),
            "message": message,
            "bucket": or_null("$validation.bucket"),
            "key": or_null("$validation.key"),
            "error": "$failure",
            "timestamp": "$now()",
            "workflowExecutionId": "$states.context.Execution.Id",
            "schemaVersion": text(SCHEMA_VERSION),
            "files": files,
            "filesOmitted": omitted,
            "manifest": or_null("$validation.manifest"),
            "nextStep": next_step_text,
            **(load or {}),
        }
    )


def _of_execution(step: Callable[[str, str], str], settings: Settings) -> str:
    """The JSONata of a next step of `taxi_etl.notifications`, with the current execution's name."""
    return with_execution_name(step(settings.command, _MARKER), _MARKER)


def _printed(fields: dict[str, str]) -> str:
    return render(f"$string({record(fields)}, true)")
