"""Every transition of the state machine and every caught error."""

from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.lake_bucket import LakeBucket
from stacks.notifications import Notifications
from stacks.raw_crawler import RawCrawler
from stacks.settings import Settings
from stacks.taxi_job import TaxiJob
from stacks.workflow import conditions, jsonata, small_batches, states
from stacks.workflow.retries import add_retries

CRAWLER_RUNNING = "Glue.CrawlerRunningException"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of the pipeline that the workflow uses."""

    settings: Settings
    validator: lambda_.Function
    small_batch: lambda_.Function | None
    """The function for small batches; None if the Glue job loads all batches."""
    job: TaxiJob
    crawler: RawCrawler
    lake: LakeBucket
    notifications: Notifications


class SmallBatchStates:
    """The states of an app that loads small batches with a function, not yet connected."""

    def __init__(self, scope: Construct, function: lambda_.Function, settings: Settings) -> None:
        self.choose_engine = small_batches.choose_engine(scope)
        self.run_small_batch = small_batches.run_small_batch(scope, function=function, settings=settings)
        self.check_small_batch = small_batches.check_small_batch(scope)


class States:
    """All states, not yet connected."""

    def __init__(self, scope: Construct, parts: Parts) -> None:
        settings, topic = parts.settings, parts.notifications.topic
        self.validate_input = states.validate_input(scope, function=parts.validator, settings=settings)
        self.check_validation = states.check_validation(scope)
        self.small = SmallBatchStates(scope, parts.small_batch, settings) if parts.small_batch else None
        self.run_glue_etl_job = states.run_glue_etl_job(scope, job=parts.job.job, settings=settings)
        self.check_glue_job_status = states.check_glue_job_status(scope)
        self.read_job_result = states.read_job_result(scope, lake=parts.lake)
        self.evaluate_result = states.evaluate_result(scope)
        self.is_catalog_update_needed = states.is_catalog_update_needed(scope)
        self.run_crawler_update = states.run_crawler_update(scope, crawler=parts.crawler)
        self.wait_for_crawler = states.wait_for_crawler(scope, settings=settings)
        self.check_crawler_status = states.check_crawler_status(scope, crawler=parts.crawler)
        self.is_crawler_running = states.is_crawler_running(scope)
        self.handle_crawler_failure = states.handle_crawler_failure(scope)
        self.notify_validation_failure = states.notify_validation_failure(
            scope, topic=topic, settings=settings
        )
        self.notify_rejected_files = states.notify_rejected_files(scope, topic=topic, settings=settings)
        self.notify_glue_job_failure = states.notify_glue_job_failure(scope)
        self.notify_failure = states.notify_failure(scope, topic=topic, settings=settings)
        self.notify_success = states.notify_success(scope, topic=topic, settings=settings)
        self.notify_partial_success = states.notify_partial_success(scope, topic=topic, settings=settings)
        self.nothing_to_do = states.nothing_to_do(scope)
        self.validation_failed = states.validation_failed(scope)
        self.execution_failed = states.execution_failed(scope)
        self.notification_failed = states.notification_failed(scope)

    @property
    def tasks(self) -> tuple[sfn.TaskStateBase, ...]:
        """The states that call AWS, except for those that publish."""
        return (
            self.validate_input,
            *([self.small.run_small_batch] if self.small else []),
            self.run_glue_etl_job,
            self.read_job_result,
            self.run_crawler_update,
            self.check_crawler_status,
        )

    @property
    def publishes(self) -> tuple[sfn.TaskStateBase, ...]:
        """The states that publish notifications."""
        return (
            self.notify_validation_failure,
            self.notify_rejected_files,
            self.notify_failure,
            *self.success_publishes,
        )

    @property
    def success_publishes(self) -> tuple[sfn.TaskStateBase, ...]:
        """The states that publish after files were loaded."""
        return (self.notify_success, self.notify_partial_success)


def wire(scope: Construct, parts: Parts) -> sfn.IChainable:
    """Connect the states and return the first; docs/architecture.md has the diagram."""
    s = States(scope, parts)
    _validation(s)
    if s.small:
        _small_batch(s, s.small, parts.settings)
    _job(s)
    _catalog(s, parts.settings)
    _crawl(s, parts.settings)
    _endings(s)
    _caught(s)
    for task in (*s.tasks, *s.publishes):
        add_retries(task)
    return s.validate_input


def _validation(s: States) -> None:
    s.validate_input.next(s.check_validation)
    s.check_validation.when(_is(conditions.NONE_VALID_SOME_REJECTED), s.notify_validation_failure)
    s.check_validation.when(_is(conditions.NONE_VALID), s.nothing_to_do)
    s.check_validation.when(_is(conditions.SOME_REJECTED), s.notify_rejected_files)
    for choice in (s.check_validation, *([s.small.choose_engine] if s.small else [])):
        if s.small:
            choice.when(_is(small_batches.FITS), s.small.run_small_batch)
        choice.otherwise(s.run_glue_etl_job)
    s.notify_rejected_files.next(s.small.choose_engine if s.small else s.run_glue_etl_job)


def _small_batch(s: States, small: SmallBatchStates, settings: Settings) -> None:
    small.run_small_batch.next(small.check_small_batch)
    check, loaded = small.check_small_batch, conditions.SOME_LOADED
    check.when(_is(small_batches.NOT_LOADED), s.run_glue_etl_job)
    for condition, state in _after_load(s, settings):
        check.when(_is(jsonata.both(loaded, condition)), state)
    check.when(_is(loaded), s.notify_partial_success)
    _nothing_loaded(s, check)
    _catch(small.run_small_batch, s.run_glue_etl_job, {"load": small_batches.caught_load()})


def _job(s: States) -> None:
    s.run_glue_etl_job.next(s.check_glue_job_status)
    s.check_glue_job_status.when(_is(conditions.JOB_SUCCEEDED), s.read_job_result)
    s.check_glue_job_status.otherwise(s.notify_glue_job_failure)
    s.read_job_result.next(s.evaluate_result)
    s.evaluate_result.when(_is(conditions.SOME_LOADED), s.is_catalog_update_needed)
    _nothing_loaded(s, s.evaluate_result)


def _nothing_loaded(s: States, choice: sfn.Choice) -> None:
    """End a choice with what follows when no file was loaded."""
    choice.when(_is(conditions.SOME_FAILED), s.notify_glue_job_failure)
    choice.otherwise(s.nothing_to_do)


def _after_load(s: States, settings: Settings) -> tuple[tuple[str, sfn.TaskStateBase], ...]:
    """Which state follows under which condition when files were loaded; otherwise NotifyPartialSuccess."""
    return (
        (conditions.CRAWL_NEEDED[settings.crawl_policy], s.run_crawler_update),
        (conditions.ALL_LOADED, s.notify_success),
    )


def _catalog(s: States, settings: Settings) -> None:
    for condition, state in _after_load(s, settings):
        s.is_catalog_update_needed.when(_is(condition), state)
    s.is_catalog_update_needed.otherwise(s.notify_partial_success)


def _crawl(s: States, settings: Settings) -> None:
    s.run_crawler_update.next(s.wait_for_crawler)
    s.wait_for_crawler.next(s.check_crawler_status)
    s.check_crawler_status.next(s.is_crawler_running)
    running = s.is_crawler_running
    running.when(_is(conditions.crawl_undecided_too_long(settings.crawl_polls_max)), s.handle_crawler_failure)
    running.when(_is(conditions.CRAWL_RUNNING), s.wait_for_crawler)
    running.when(_is(conditions.CRAWL_STALE), s.run_crawler_update)
    running.when(_is(conditions.CRAWLED_AND_ALL_LOADED), s.notify_success)
    running.when(_is(conditions.CRAWLED), s.notify_partial_success)
    running.otherwise(s.handle_crawler_failure)
    s.handle_crawler_failure.next(s.notify_partial_success)


def _endings(s: States) -> None:
    s.notify_validation_failure.next(s.validation_failed)
    s.notify_glue_job_failure.next(s.notify_failure)
    s.notify_failure.next(s.execution_failed)


def _caught(s: States) -> None:
    _catch(
        s.validate_input,
        s.notify_validation_failure,
        {
            "validation": jsonata.caught_validation(),
            "failure": jsonata.caught_failure(),
            "summary": jsonata.input_summary(),
        },
    )
    _catch(
        s.run_glue_etl_job,
        s.notify_glue_job_failure,
        {"failure": jsonata.caught_failure(), "jobRun": jsonata.caught_job_run()},
    )
    unreadable = jsonata.caught_failure("the job ended, but its result cannot be read: ")
    _catch(s.read_job_result, s.notify_glue_job_failure, {"failure": unreadable})
    _catch(s.run_crawler_update, s.wait_for_crawler, {"crawl": states.CRAWL_REQUESTED}, CRAWLER_RUNNING)
    crawl_failed = {"crawl": f"$merge([$crawl, {{'error': {jsonata.caught_failure()}.Cause}}])"}
    _catch(s.run_crawler_update, s.handle_crawler_failure, crawl_failed)
    _catch(s.check_crawler_status, s.handle_crawler_failure, crawl_failed)
    for publish in s.publishes:
        # The finalizer notifies instead; this cause is all that it learns about a failure.
        lost = "''" if publish in s.success_publishes else "'; the notification was about: ' & $failure.Cause"
        publish.add_catch(s.notification_failed, outputs=jsonata.render(jsonata.caught_failure(after=lost)))


def _catch(
    state: sfn.TaskStateBase, handler: sfn.IChainable, assign: dict[str, str], error: str = "States.ALL"
) -> None:
    """Continue at `handler` with these variables assigned and the execution's input unchanged."""
    rendered = {name: jsonata.render(expression) for name, expression in assign.items()}
    state.add_catch(handler, errors=[error], assign=rendered, outputs=states.INPUT)


def _is(condition: str) -> sfn.Condition:
    return sfn.Condition.jsonata(condition)
