"""In which order? The state machine: every transition, every caught error, and what the machine may do."""

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.lake_bucket import LakeBucket
from stacks.log_groups import log_group
from stacks.notifications import Notifications
from stacks.raw_crawler import RawCrawler
from stacks.settings import Settings
from stacks.taxi_job import TaxiJob
from stacks.workflow import conditions, jsonata, states
from stacks.workflow.retries import add_retries
from taxi_etl.names import STATE_MACHINE, physical_name

CRAWLER_RUNNING = "Glue.CrawlerRunningException"
OTHER_STATES_MINUTES = 60
"""What validation, messages and all retries together take at most, crawls apart; rounded up."""
LOOK_SECONDS = 30
"""What one look at the crawler takes beside the wait."""


class EtlWorkflow(Construct):
    """`etl-pipeline-workflow`: validate, load, catalog, tell."""

    state_machine: sfn.StateMachine

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        validate: lambda_.Function,
        job: TaxiJob,
        crawler: RawCrawler,
        lake: LakeBucket,
        notifications: Notifications,
    ) -> None:
        super().__init__(scope, construct_id)
        name = physical_name(STATE_MACHINE, settings.environment)
        crawler_arn = Stack.of(self).format_arn(
            service="glue",
            resource="crawler",
            resource_name=crawler.name,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        start = self._wire(settings, validate, job, crawler, crawler_arn, lake, notifications)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            comment="Loads taxi files: validate, run the Glue job, keep the catalog current, tell the outcome",
            query_language=sfn.QueryLanguage.JSONATA,
            definition_body=sfn.DefinitionBody.from_chainable(start),
            timeout=machine_timeout(settings),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                # The prefix keeps the account's resource policy for logs within its size limit.
                destination=log_group(self, "Logs", name=f"/aws/vendedlogs/states/{name}", settings=settings),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        lake.grant_read_runs(self.state_machine)
        notifications.grant_publish(self.state_machine)

    def _wire(
        self,
        settings: Settings,
        validate: lambda_.Function,
        job: TaxiJob,
        crawler: RawCrawler,
        crawler_arn: str,
        lake: LakeBucket,
        notifications: Notifications,
    ) -> sfn.IChainable:
        """Every state and every way between them; docs/architecture shows the same as a picture."""
        topic = notifications.topic
        validate_input = states.validate_input(self, function=validate, settings=settings)
        check_validation = states.check_validation(self)
        run_glue_etl_job = states.run_glue_etl_job(self, job=job.job, settings=settings)
        check_glue_job_status = states.check_glue_job_status(self)
        read_job_result = states.read_job_result(self, bucket=lake.bucket)
        evaluate_result = states.evaluate_result(self)
        is_catalog_update_needed = states.is_catalog_update_needed(self)
        run_crawler_update = states.run_crawler_update(self, crawler=crawler)
        wait_for_crawler = states.wait_for_crawler(self, settings=settings)
        check_crawler_status = states.check_crawler_status(self, crawler=crawler, arn=crawler_arn)
        is_crawler_running = states.is_crawler_running(self)
        handle_crawler_failure = states.handle_crawler_failure(self)
        notify_validation_failure = states.notify_validation_failure(self, topic=topic, settings=settings)
        notify_rejected_files = states.notify_rejected_files(self, topic=topic, settings=settings)
        notify_glue_job_failure = states.notify_glue_job_failure(self)
        notify_failure = states.notify_failure(self, topic=topic, settings=settings)
        notify_success = states.notify_success(self, topic=topic, settings=settings)
        notify_partial_success = states.notify_partial_success(self, topic=topic, settings=settings)
        nothing_to_do = states.nothing_to_do(self)
        validation_failed = states.validation_failed(self)
        execution_failed = states.execution_failed(self)
        notification_failed = states.notification_failed(self)

        # The way forward
        validate_input.next(check_validation)
        check_validation.when(_is(conditions.NONE_VALID_SOME_REJECTED), notify_validation_failure)
        check_validation.when(_is(conditions.NONE_VALID), nothing_to_do)
        check_validation.when(_is(conditions.SOME_REJECTED), notify_rejected_files)
        check_validation.otherwise(run_glue_etl_job)
        notify_rejected_files.next(run_glue_etl_job)
        run_glue_etl_job.next(check_glue_job_status)
        check_glue_job_status.when(_is(conditions.JOB_SUCCEEDED), read_job_result)
        check_glue_job_status.otherwise(notify_glue_job_failure)
        read_job_result.next(evaluate_result)
        evaluate_result.when(_is(conditions.SOME_LOADED), is_catalog_update_needed)
        evaluate_result.when(_is(conditions.SOME_FAILED), notify_glue_job_failure)
        evaluate_result.otherwise(nothing_to_do)

        # The raw zone's crawl
        is_catalog_update_needed.when(_is(conditions.CRAWL_NEEDED[settings.crawl_policy]), run_crawler_update)
        is_catalog_update_needed.when(_is(conditions.ALL_LOADED), notify_success)
        is_catalog_update_needed.otherwise(notify_partial_success)
        run_crawler_update.next(wait_for_crawler)
        wait_for_crawler.next(check_crawler_status)
        check_crawler_status.next(is_crawler_running)
        is_crawler_running.when(
            _is(conditions.crawl_undecided_too_long(settings.crawl_polls_max)), handle_crawler_failure
        )
        is_crawler_running.when(_is(conditions.CRAWL_RUNNING), wait_for_crawler)
        is_crawler_running.when(_is(conditions.CRAWL_STALE), run_crawler_update)
        is_crawler_running.when(_is(conditions.CRAWLED_AND_ALL_LOADED), notify_success)
        is_crawler_running.when(_is(conditions.CRAWLED), notify_partial_success)
        is_crawler_running.otherwise(handle_crawler_failure)
        handle_crawler_failure.next(notify_partial_success)

        # The endings
        notify_validation_failure.next(validation_failed)
        notify_glue_job_failure.next(notify_failure)
        notify_failure.next(execution_failed)

        # What is caught, and where it goes
        validate_input.add_catch(
            notify_validation_failure,
            assign={
                "validation": jsonata.render(jsonata.input_validation()),
                "failure": jsonata.render(jsonata.caught_failure()),
                "summary": jsonata.render(jsonata.input_summary()),
            },
            outputs=states.INPUT,
        )
        run_glue_etl_job.add_catch(
            notify_glue_job_failure,
            assign={
                "failure": jsonata.render(jsonata.caught_failure()),
                "jobRun": jsonata.render(jsonata.caught_job_run()),
            },
            outputs=states.INPUT,
        )
        read_job_result.add_catch(
            notify_glue_job_failure,
            assign={
                "failure": jsonata.render(
                    jsonata.caught_failure("the job ended, but its result cannot be read: ")
                )
            },
            outputs=states.INPUT,
        )
        run_crawler_update.add_catch(
            wait_for_crawler,
            errors=[CRAWLER_RUNNING],
            assign={"crawl": states.crawl_asked_for()},
            outputs=states.INPUT,
        )
        for state in (run_crawler_update, check_crawler_status):
            error = f"'error': {jsonata.caught_failure()}.Cause"
            state.add_catch(
                handle_crawler_failure,
                assign={"crawl": jsonata.render(f"$merge([$crawl, {{{error}}}])")},
                outputs=states.INPUT,
            )
        publishes = (
            notify_validation_failure,
            notify_rejected_files,
            notify_failure,
            notify_success,
            notify_partial_success,
        )
        for publish in publishes:
            publish.add_catch(notification_failed)
        for task in (
            validate_input,
            run_glue_etl_job,
            read_job_result,
            run_crawler_update,
            check_crawler_status,
        ):
            add_retries(task)
        for publish in publishes:
            add_retries(publish)
        return validate_input


def machine_timeout(settings: Settings) -> Duration:
    """Longer than all states together, so that a state's own timeout, which says more, comes first."""
    crawl_minutes = settings.crawl_polls_max * (settings.crawl_poll_seconds + LOOK_SECONDS) // 60
    return Duration.minutes(settings.glue_task_timeout_minutes + crawl_minutes + OTHER_STATES_MINUTES)


def _is(condition: str) -> sfn.Condition:
    return sfn.Condition.jsonata(condition)
