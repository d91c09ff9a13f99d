"""What does each state do? One function a state, named as the state; `etl_workflow` wires them.

The states' data is the execution's input all the way; findings are variables, set on every path:
$validation, $failure, $summary, $jobRun, $crawl. Nothing in them grows with the number of files.
"""

from aws_cdk import Duration
from aws_cdk import aws_glue as glue
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.raw_crawler import RawCrawler
from stacks.settings import Settings
from stacks.workflow import notifications
from stacks.workflow.glue_task import RunGlueJob
from stacks.workflow.jsonata import input_summary, job_run, render, with_execution_name
from stacks.workflow.lambda_task import InvokeFunction
from taxi_etl.names import RUNS_PREFIX, summary_key
from taxi_etl.notifications import (
    EXECUTION_FAILED,
    NOTIFICATION_FAILED,
    VALIDATION_FAILED,
    CrawlerState,
    Status,
)

API_TIMEOUT = sfn.Timeout.duration(Duration.seconds(30))
"""For calls that answer at once; without one a lost answer would hold the execution until its own timeout."""
LAMBDA_MARGIN_SECONDS = 15
"""A function's own timeout should speak first: it names the function."""
INPUT = "{% $states.input %}"
CRAWL_ASKED_FOR = "{'state': 'RUNNING', 'polls': $crawl.polls, 'since': $states.context.State.EnteredTime}"
"""$crawl when a crawl was asked for, or found running: only one begun from then on counts."""


def validate_input(scope: Construct, *, function: lambda_.Function, settings: Settings) -> InvokeFunction:
    """Which files can be loaded?"""
    found = "$states.result.Payload"
    shown = f"$join([{found}.rejected[[0..2]].(key & ': ' & $join([reasons.message], '; and '))], '; ')"
    more = f"({found}.counts.rejected > 3 ? '; and ' & ({found}.counts.rejected - 3) & ' more' : '')"
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
            "validation": render(found),
            "failure": {"Error": VALIDATION_FAILED, "Cause": render(f"{shown} & {more}")},
            "summary": render(input_summary()),
        },
        outputs=INPUT,
    )


def check_validation(scope: Construct) -> sfn.Choice:
    """Is there anything to load?"""
    return sfn.Choice.jsonata(scope, "CheckValidation")


def run_glue_etl_job(scope: Construct, *, job: glue.PySparkEtlJob, settings: Settings) -> RunGlueJob:
    """Load the valid files. The longest state by far, and the only one that costs more than cents."""
    state = "$states.result.JobRunState"
    message = "$states.result.ErrorMessage"
    return RunGlueJob(
        scope,
        "RunGlueETLJob",
        comment="Loads the manifest's files into the tables; waits in Glue's queue when others run",
        glue_job_name=job.job_name,
        arguments={"--manifest": "{% $validation.manifest %}"},
        waits_at_most=Duration.minutes(settings.glue_task_timeout_minutes),
        notify_delay_after=Duration.minutes(settings.job_timeout_minutes),
        assign={
            "jobRun": render(job_run("$states.result")),
            # Read only when the run ended in a state that did not raise, such as STOPPED.
            "failure": {
                "Error": render(f"'Glue.JobRun.' & {state}"),
                "Cause": render(f"$exists({message}) ? {message} : 'The job run ended ' & {state}"),
            },
        },
        outputs=INPUT,
    )


def check_glue_job_status(scope: Construct) -> sfn.Choice:
    """Did the run succeed? Not every other ending raises an error."""
    return sfn.Choice.jsonata(scope, "CheckGlueJobStatus")


def read_job_result(scope: Construct, *, bucket: s3.Bucket) -> tasks.CallAwsService:
    """What became of each file?"""
    marker = "EXECUTION"
    read = "$parse($states.result.Body)"
    no_file = "{'Error': 'NoFileLoaded', 'Cause': 'the job loaded no file and named no error'}"
    return tasks.CallAwsService.jsonata(
        scope,
        "ReadJobResult",
        comment="Reads the summary that the job wrote beside the manifest",
        service="s3",
        action="getObject",
        parameters={
            "Bucket": bucket.bucket_name,
            "Key": render(with_execution_name(summary_key(marker), marker)),
        },
        iam_action="s3:GetObject",
        iam_resources=[bucket.arn_for_objects(f"{RUNS_PREFIX}*")],
        task_timeout=API_TIMEOUT,
        assign={
            "summary": render(read),
            "failure": render(f"($read := {read}; $read.error ? $read.error : {no_file})"),
            "crawl": {"state": str(CrawlerState.SKIPPED), "polls": 0},
        },
        outputs=INPUT,
    )


def evaluate_result(scope: Construct) -> sfn.Choice:
    """Did any file load?"""
    return sfn.Choice.jsonata(scope, "EvaluateResult")


def is_catalog_update_needed(scope: Construct) -> sfn.Choice:
    """Must the raw zone be crawled? The settings' crawl policy says when."""
    return sfn.Choice.jsonata(scope, "IsCatalogUpdateNeeded")


def run_crawler_update(scope: Construct, *, crawler: RawCrawler) -> tasks.GlueStartCrawlerRun:
    """Start a crawl; one that began before this state was entered may have missed our files."""
    return tasks.GlueStartCrawlerRun.jsonata(
        scope,
        "RunCrawlerUpdate",
        comment="Catalogs the raw zone's new datasets and columns",
        crawler_name=crawler.name,
        task_timeout=API_TIMEOUT,
        assign={"crawl": render(CRAWL_ASKED_FOR)},
        outputs=INPUT,
    )


def wait_for_crawler(scope: Construct, *, settings: Settings) -> sfn.Wait:
    """Give the crawler time."""
    seconds = Duration.seconds(settings.crawl_poll_seconds)
    return sfn.Wait.jsonata(scope, "WaitForCrawler", time=sfn.WaitTime.duration(seconds))


def check_crawler_status(scope: Construct, *, crawler: RawCrawler) -> tasks.CallAwsService:
    """How far is the crawl? READY counts only with a successful crawl that began late enough."""
    found = "$states.result.Crawler"
    started = f"{found}.LastCrawl.StartTime"
    # Text, as the SDK integrations send times, or epoch seconds, as Glue's own API does.
    started_millis = f"($type({started}) = 'number' ? {started} * 1000 : $toMillis({started}))"
    # The second in which RunCrawlerUpdate was entered: Glue's times have no fractions.
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
    """Wait on, start ours, or be done?"""
    return sfn.Choice.jsonata(scope, "IsCrawlerRunning")


def handle_crawler_failure(scope: Construct) -> sfn.Pass:
    """The tables are current without a crawl: a failed one makes the success partial, no more."""
    gave_up = "'no crawl was finished after ' & $crawl.polls & ' looks'"
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
    """No file can be loaded."""
    return _publish(
        scope,
        "NotifyValidationFailure",
        Status.VALIDATION_FAILED,
        notifications.validation_failure_message(settings),
        topic,
    )


def notify_rejected_files(scope: Construct, *, topic: sns.Topic, settings: Settings) -> tasks.SnsPublish:
    """Some files cannot be loaded; the others go on."""
    return _publish(
        scope,
        "NotifyRejectedFiles",
        Status.VALIDATION_FAILED,
        notifications.validation_failure_message(settings),
        topic,
    )


def notify_glue_job_failure(scope: Construct) -> sfn.Pass:
    """Where everything meets that kept the job from loading; $failure says what it was."""
    return sfn.Pass.jsonata(scope, "NotifyGlueJobFailure")


def notify_failure(scope: Construct, *, topic: sns.Topic, settings: Settings) -> tasks.SnsPublish:
    """The job loaded nothing."""
    return _publish(scope, "NotifyFailure", Status.FAILED, notifications.job_failure_message(settings), topic)


def notify_success(scope: Construct, *, topic: sns.Topic, settings: Settings) -> tasks.SnsPublish:
    """Every file is loaded."""
    return _publish(
        scope, "NotifySuccess", Status.SUCCESS, notifications.success_message(Status.SUCCESS, settings), topic
    )


def notify_partial_success(scope: Construct, *, topic: sns.Topic, settings: Settings) -> tasks.SnsPublish:
    """Some files are loaded, or all of them without a crawl."""
    return _publish(
        scope,
        "NotifyPartialSuccess",
        Status.PARTIAL_SUCCESS,
        notifications.success_message(Status.PARTIAL_SUCCESS, settings),
        topic,
    )


def nothing_to_do(scope: Construct) -> sfn.Succeed:
    """Newer versions of all files have events of their own."""
    return sfn.Succeed.jsonata(scope, "NothingToDo")


def validation_failed(scope: Construct) -> sfn.Fail:
    """The ending after NotifyValidationFailure."""
    return _fail(scope, "ValidationFailed", VALIDATION_FAILED, "$failure.Cause")


def execution_failed(scope: Construct) -> sfn.Fail:
    """The ending after NotifyFailure."""
    return _fail(scope, "ExecutionFailed", EXECUTION_FAILED, "$failure.Error & ': ' & $failure.Cause")


def notification_failed(scope: Construct) -> sfn.Fail:
    """The ending when a message could not be published; the closer tells people another way."""
    return _fail(scope, "NotificationFailed", NOTIFICATION_FAILED, "$states.input.Cause")


def _publish(scope: Construct, name: str, status: Status, message: str, topic: sns.Topic) -> tasks.SnsPublish:
    return tasks.SnsPublish.jsonata(
        scope,
        name,
        topic=topic,
        subject=notifications.message_subject(status),
        message=sfn.TaskInput.from_text(message),
        message_attributes=notifications.attributes(status),
        task_timeout=API_TIMEOUT,
        outputs=INPUT,
    )


def _fail(scope: Construct, name: str, error: str, cause: str) -> sfn.Fail:
    return sfn.Fail.jsonata(scope, name, error=error, cause=render(cause))
