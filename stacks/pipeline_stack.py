"""The stateless stack: functions, job, crawler, workflow, notifications, alarms and dashboard."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Fn, Names, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.data_lake_stack import DataLakeStack
from stacks.finalizer_triggers import FinalizerTriggers
from stacks.functions import Functions
from stacks.job_roles import grant_load_files
from stacks.lake_formation import LakeFormation
from stacks.notifications import Notifications
from stacks.observability import ObservedParts, add_alarms, add_dashboard, add_log_queries
from stacks.raw_crawler import RawCrawler
from stacks.saved_queries import SavedQueries
from stacks.settings import Settings
from stacks.taxi_job import TaxiJob
from stacks.workflow.etl_workflow import EtlWorkflow
from stacks.workflow.transitions import Parts


class PipelineStack(Stack):
    """Everything that can be destroyed and created again without loss; `DataLakeStack` keeps the state."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, lake: DataLakeStack, **kwargs: Any
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="NYC taxi ETL: functions, job, crawler, workflow, notifications and alarms",
            termination_protection=settings.termination_protection,
            **kwargs,
        )
        # References to the data lake are text, from which CDK cannot see the order of deployment.
        self.add_stack_dependency(lake)
        self.settings = settings
        self.data = lake

        self.notifications = Notifications(self, "Notifications", settings=settings)
        self.job = TaxiJob(self, "Job", settings=settings, lake=lake.lake, catalog=lake.catalog)
        SavedQueries(self, "SavedQueries", database=lake.catalog.taxi_name)
        self.crawler = RawCrawler(self, "Crawler", settings=settings, lake=lake.lake, catalog=lake.catalog)
        functions = Functions(self, settings=settings, data=lake)
        self.validator = functions.validator()
        self.small_batch = functions.small_batch(self.job.optimizer_role)
        if settings.lake_formation:
            self._grant_in_lake_formation()
        self.workflow = EtlWorkflow(self, "Workflow", parts=self._workflow_parts())
        machine = self.workflow.state_machine
        self.orchestrator = functions.orchestrator(machine)
        self.finalizer = functions.finalizer(machine, self.notifications)
        self.finalizer_triggers = FinalizerTriggers(
            self,
            "Closer",
            settings=settings,
            finalizer=self.finalizer,
            state_machine=machine,
            job=self.job.job,
        )
        observed = self._observed_parts()
        self.alarms = add_alarms(self, observed, settings=settings, notifications=self.notifications)
        add_log_queries(self, observed, settings=settings)
        add_dashboard(self, observed, settings=settings, alarms=self.alarms)

        self._add_event_source()
        self._grant_permissions()
        self._add_outputs()

    def _workflow_parts(self) -> Parts:
        return Parts(
            settings=self.settings,
            validator=self.validator,
            small_batch=self.small_batch,
            job=self.job,
            crawler=self.crawler,
            lake=self.data.lake,
            notifications=self.notifications,
        )

    def _observed_parts(self) -> ObservedParts:
        return ObservedParts(
            orchestrator=self.orchestrator,
            validator=self.validator,
            small_batch=self.small_batch,
            finalizer=self.finalizer,
            finalizer_dead_letters=self.finalizer_triggers.dead_letters,
            workflow=self.workflow,
            events=self.data.events,
        )

    def _add_event_source(self) -> None:
        """Send batches of events to the orchestrator; SQS redelivers only those that it reports as failed."""
        settings, events = self.settings, self.data.events
        events.grant_receive(self.orchestrator)
        # The id that SqsEventSource would use: with another one, CloudFormation would create a second mapping
        # of the same queue before it deletes the first, which Lambda refuses.
        self.orchestrator.add_event_source_mapping(
            f"SqsEventSource:{Names.node_unique_id(events.queue.node)}",
            event_source_arn=events.arn,
            batch_size=settings.event_batch_size,
            max_batching_window=Duration.seconds(settings.event_batch_window_seconds),
            max_concurrency=settings.orchestrator_concurrency,
            report_batch_item_failures=True,
        )

    def _grant_permissions(self) -> None:
        """Grant the functions access to the bucket, the ledger, the workflow and the topic."""
        lake, ledger, machine = self.data.lake, self.data.ledger, self.workflow.state_machine
        lake.grant_read_raw(self.validator, versions=True)
        lake.grant_write_runs(self.validator)
        ledger.grant_claims(self.orchestrator)
        machine.grant_start_execution(self.orchestrator)
        ledger.grant_outcomes(self.finalizer)
        lake.grant_read_runs(self.finalizer)
        self.notifications.grant_publish(self.finalizer)
        machine.grant_start_execution(self.finalizer)
        machine.grant_execution(self.finalizer, "states:DescribeExecution")
        machine.grant(self.finalizer, "states:ListExecutions")
        self.job.grant_read_runs(self.finalizer)
        if self.small_batch:
            self._grant_load(self.small_batch)

    def _grant_load(self, function: lambda_.Function) -> None:
        """Grant the function for small batches what the Glue job may do with files and tables."""
        lake, catalog = self.data.lake, self.data.catalog
        assert function.role is not None
        grant_load_files(function, lake)
        catalog.grant_load(function)
        self.job.optimizer_role.grant_pass_role(function.role)

    def _grant_in_lake_formation(self) -> None:
        """Grant the engines, the optimizers and the crawler their databases in Lake Formation."""
        catalog = self.data.catalog
        governed = LakeFormation(self, "LakeFormation", settings=self.settings)
        governed.grant_load(self.job.role, catalog.taxi_name)
        if self.small_batch:
            assert isinstance(self.small_batch.role, iam.Role)
            governed.grant_load(self.small_batch.role, catalog.taxi_name)
        governed.grant_optimize(self.job.optimizer_role, catalog.taxi_name)
        governed.grant_crawl(self.crawler.role, catalog.raw_name)

    def _add_outputs(self) -> None:
        """Export the names that the command line reads."""
        if self.small_batch:
            CfnOutput(self, "SmallBatchFunctionName", value=self.small_batch.function_name)
        if self.settings.chat_notifications:
            CfnOutput(self, "ChatNotifications", value="https")
        for output, value in {
            "StateMachineArn": self.workflow.state_machine.state_machine_arn,
            "OrchestratorFunctionName": self.orchestrator.function_name,
            "ValidateFunctionName": self.validator.function_name,
            "CloseFunctionName": self.finalizer.function_name,
            "GlueJobName": self.job.job.job_name,
            "CrawlerName": self.crawler.name,
            "TopicArn": self.notifications.topic.topic_arn,
            "AlarmNames": Fn.join(",", [alarm.alarm_name for alarm in self.alarms.alarms]),
            "CloseDeadLetterQueueUrl": self.finalizer_triggers.dead_letters.queue_url,
        }.items():
            CfnOutput(self, output, value=value)
