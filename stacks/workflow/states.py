"""The workflow's states, one function per state and named as the state; `transitions` connects them.

Each state passes the execution's input on. Results are in variables that every path sets before a state
reads them: $validation, $failure, $summary, $jobRun, $crawl, and $load with `engine = auto`. Their size is
bounded.
"""

from aws_cdk import Duration
from aws_cdk import aws_glue as glue
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.lake_bucket import LakeBucket
from stacks.raw_crawler import RawCrawler
from stacks.settings import Settings
from stacks.workflow import notifications
from stacks.workflow.glue_task import RunGlueJob
from stacks.workflow.jsonata import input_summary, job_run, render, with_execution_name
from stacks.workflow.lambda_task import InvokeFunction
from taxi_etl.engines import Engine, EngineChoice
from taxi_etl.names import RUNS_PREFIX, summary_key
from taxi_etl.notifications import (
    EXECUTION_FAILED,
    NOTIFICATION_FAILED,
    VALIDATION_FAILED,
    CrawlerState,
    Status,
)

API_TIMEOUT = sfn.Timeout.duration(Duration.seconds(30))
"""Timeout of short calls; without it a lost response would stall the execution until its own timeout."""
LAMBDA_MARGIN_SECONDS = 15
"""Lets the function's own timeout come first, because its error names the function."""
INPUT = "{% $states.input %}"
NO_CRAWL = {"state": str(CrawlerState.SKIPPED), "polls": 0}
"""$crawl before a crawl is requested."""
CRAWL_REQUESTED = "{'state': 'RUNNING', 'polls': $crawl.polls, 'since': $states.context.State.EnteredTime}"
"""$crawl when a crawl was requested or is running; only a crawl started from then on counts."""


def validate_input(scope: Construct, *, function: lambda_.Function, settings: Settings) -> InvokeFunction:
    """Invoke the validator."""
    return InvokeFunction(
        scope,
        "ValidateInput",
        comment="Checks every file by its first and last bytes; writes the manifest",
        function=function,
        payload=sfn.TaskInput.from_object(
            {
                "input": INPUT,
                "execution": {
                    "name": "{% $states.context.Execution.Name %}",
                    "arn": "{% $states.context.Execution.Id %}",
                },
            }
        ),
        task_timeout=sfn.Timeout.duration(
            Duration.seconds(settings.validate_timeout_seconds + LAMBDA_MARGIN_SECONDS)
        ),
        assign={
            "validation": "{% $states.result.Payload %}",
            "failure": "{% $states.result.Payload.failure %}",
            "summary": render(input_summary()),
            # The engine that loads the batch, unless the function for small batches does.
            **({"load": {"engine": str(Engine.GLUE)}} if settings.engine is EngineChoice.AUTO else {}),
        },
        outputs=INPUT,
    )


def check_validation(scope: Construct) -> sfn.Choice:
    """Choose by whether there are valid or rejected files."""
    return sfn.Choice.jsonata(scope, "CheckValidation")


def run_glue_etl_job(scope: Construct, *, job: glue.PySparkEtlJob, settings: Settings) -> RunGlueJob:
    """Run the Glue job for the valid files; by far the longest and most expensive state."""
    state = "$states.result.JobRunState"
    message = "$states.result.ErrorMessage"
    return RunGlueJob(
        scope,
        "RunGlueETLJob",
        comment="Loads the manifest's files into the tables; queued by Glue while other runs are active",
        glue_job_name=job.job_name,
        arguments={"--manifest": "{% $validation.manifest %}"},
        task_timeout=Duration.minutes(settings.glue_task_timeout_minutes),
        notify_delay_after=Duration.minutes(settings.job_timeout_minutes),
        assign={
            "jobRun": render(job_run("$states.result")),
            # Read only when the job run ended without success and without an error, such as STOPPED.
            "failure": {
                "Error": render(f"'Glue.JobRun.' & {state}"),
                "Cause": render(f"$exists({message}) ? {message} : 'The job run ended ' & {state}"),
            },
        },
        outputs=INPUT,
    )


def check_glue_job_status(scope: Construct) -> sfn.Choice:
    """Choose by the job run's state; not every unsuccessful ending raises an error."""
    return sfn.Choice.jsonata(scope, "CheckGlueJobStatus")


def read_job_result(scope: Construct, *, lake: LakeBucket) -> tasks.CallAwsService:
    """Read the job's summary.json."""
    marker = "EXECUTION"
    return tasks.CallAwsService.jsonata(
        scope,
        "ReadJobResult",
        comment="Reads the job's summary, which is next to the manifest",
        service="s3",
        action="getObject",
        parameters={
            "Bucket": lake.name,
            "Key": render(with_execution_name(summary_key(marker), marker)),
        },
        iam_action="s3:GetObject",
        iam_resources=[f"{lake.arn}/{RUNS_PREFIX}*"],
        task_timeout=API_TIMEOUT,
        assign={
            "summary": "{% $parse($states.result.Body) %}",
            "failure": "{% $parse($states.result.Body).error %}",
            "crawl": NO_CRAWL,
        },
        outputs=INPUT,
    )


def evaluate_result(scope: Construct) -> sfn.Choice:
    """Choose by whether files loaded or failed."""
    return sfn.Choice.jsonata(scope, "EvaluateResult")


def is_catalog_update_needed(scope: Construct) -> sfn.Choice:
    """Choose by the settings' crawl policy whether to crawl the raw files."""
    return sfn.Choice.jsonata(scope, "IsCatalogUpdateNeeded")


def run_crawler_update(scope: Construct, *, crawler: RawCrawler) -> tasks.GlueStartCrawlerRun:
    """Start a crawl; a crawl that started earlier may have missed this execution's files."""
    return tasks.GlueStartCrawlerRun.jsonata(
        scope,
        "RunCrawlerUpdate",
        comment="Catalogs new datasets and columns of the raw files",
        crawler_name=crawler.name,
        task_timeout=API_TIMEOUT,
        assign={"crawl": render(CRAWL_REQUESTED)},
        outputs=INPUT,
    )


def wait_for_crawler(scope: Construct, *, settings: Settings) -> sfn.Wait:
    """Wait between two polls of the crawler."""
    seconds = Duration.seconds(settings.crawl_poll_seconds)
    return sfn.Wait.jsonata(scope, "WaitForCrawler", time=sfn.WaitTime.duration(seconds))


def check_crawler_status(scope: Construct, *, crawler: RawCrawler) -> tasks.CallAwsService:
    """Poll the crawler; READY counts only with a successful crawl that started late enough."""
    found = "$states.result.Crawler"
    started = f"{found}.LastCrawl.StartTime"
    # SDK integrations send times as text, Glue's own API as epoch seconds.
    started_millis = f"($type({started}) = 'number' ? {started} * 1000 : $toMillis({started}))"
    # Glue's times have no fractions, so the second in which RunCrawlerUpdate was entered counts.
    fresh = (
        f"($exists({started}) ? {started_millis} >= $floor($toMillis($crawl.since) / 1000) * 1000 : false)"
    )
    state = (
        f"({found}.State in ['RUNNING', 'STOPPING'] ? 'RUNNING' : {found}.State != 'READY' ? 'FAILED' "
        f": $not({fresh}) ? 'STALE' : {found}.LastCrawl.Status = 'SUCCEEDED' ? 'READY' : 'FAILED')"
    )
    error = (
        f"($exists({found}.LastCrawl.ErrorMessage) ? {found}.LastCrawl.ErrorMessage "
        f": 'the last crawl ended ' & {found}.LastCrawl.Status)"
    )
    return tasks.CallAwsService.jsonata(
        scope,
        "CheckCrawlerStatus",
        service="glue",
        action="getCrawler",
        parameters={"Name": crawler.name},
        iam_action="glue:GetCrawler",
        iam_resources=[crawler.arn],
        task_timeout=API_TIMEOUT,
        assign={
            "crawl": render(
                f"($state := {state}; $merge([$crawl, {{'state': $state, 'polls': $crawl.polls + 1}}, "
                f"$state = 'FAILED' ? {{'error': {error}}} : {{}}]))"
            )
        },
        outputs=INPUT,
    )


def is_crawler_running(scope: Construct) -> sfn.Choice:
    """Choose whether to wait, start another crawl, or finish."""
    return sfn.Choice.jsonata(scope, "IsCrawlerRunning")


def handle_crawler_failure(scope: Construct) -> sfn.Pass:
    """Record the failed crawl; the tables are current without it, so the success is only partial."""
    gave_up = "'no crawl finished after ' & $crawl.polls & ' polls'"
    return sfn.Pass.jsonata(
        scope,
        "HandleCrawlerFailure",
        assign={
            "crawl": render(
                f"$merge([$crawl, {{'state': '{CrawlerState.FAILED}', "
                f"'error': $exists($crawl.error) ? $crawl.error : {gave_up}}}])"
            )
        },
    )


def notify_validation_failure(scope: Construct, *, topic: sns.Topic, settings: Settings) -> tasks.SnsPublish:
    """Publish that no file can be loaded, or that validation failed."""
    return _publish(
        scope,
        "NotifyValidationFailure",
        Status.VALIDATION_FAILED,
        notifications.validation_failure(settings),
        topic,
    )


def notify_rejected_files(scope: Construct, *, topic: sns.Topic, settings: Settings) -> tasks.SnsPublish:
    """Publish which files are rejected, before the others are loaded."""
    return _publish(
        scope,
        "NotifyRejectedFiles",
        Status.VALIDATION_FAILED,
        notifications.validation_failure(settings),
        topic,
    )


def notify_glue_job_failure(scope: Construct) -> sfn.Pass:
    """Joins all paths on which the job loaded nothing; $failure is the error."""
    return sfn.Pass.jsonata(scope, "NotifyGlueJobFailure")


def notify_failure(scope: Construct, *, topic: sns.Topic, settings: Settings) -> tasks.SnsPublish:
    """Publish that the job loaded nothing."""
    return _publish(scope, "NotifyFailure", Status.FAILED, notifications.job_failure(settings), topic)


def notify_success(scope: Construct, *, topic: sns.Topic, settings: Settings) -> tasks.SnsPublish:
    """Publish that every file is loaded."""
    return _publish(scope, "NotifySuccess", Status.SUCCESS, notifications.success(settings), topic)


def notify_partial_success(scope: Construct, *, topic: sns.Topic, settings: Settings) -> tasks.SnsPublish:
    """Publish that some files are loaded, or all without a crawl."""
    return _publish(
        scope,
        "NotifyPartialSuccess",
        Status.PARTIAL_SUCCESS,
        notifications.partial_success(settings),
        topic,
    )


def nothing_to_do(scope: Construct) -> sfn.Succeed:
    """End without a notification: newer versions of all files have their own events."""
    return sfn.Succeed.jsonata(scope, "NothingToDo")


def validation_failed(scope: Construct) -> sfn.Fail:
    """Fail after NotifyValidationFailure."""
    return _fail(scope, "ValidationFailed", VALIDATION_FAILED, "$failure.Cause")


def execution_failed(scope: Construct) -> sfn.Fail:
    """Fail after NotifyFailure."""
    return _fail(scope, "ExecutionFailed", EXECUTION_FAILED, "$failure.Error & ': ' & $failure.Cause")


def notification_failed(scope: Construct) -> sfn.Fail:
    """Fail because a notification could not be published; the finalizer then publishes it."""
    return _fail(scope, "NotificationFailed", NOTIFICATION_FAILED, "$states.input.Cause")


def _publish(
    scope: Construct, name: str, status: Status, texts: notifications.Texts, topic: sns.Topic
) -> tasks.SnsPublish:
    return tasks.SnsPublish.jsonata(
        scope,
        name,
        topic=topic,
        subject=notifications.message_subject(status),
        message=sfn.TaskInput.from_object(texts),
        message_per_subscription_type=True,
        message_attributes=notifications.attributes(status),
        task_timeout=API_TIMEOUT,
        outputs=INPUT,
    )


def _fail(scope: Construct, name: str, error: str, cause: str) -> sfn.Fail:
    return sfn.Fail.jsonata(scope, name, error=error, cause=render(cause))
