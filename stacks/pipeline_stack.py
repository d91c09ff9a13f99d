"""What does the work? The stateless stack: functions, job, crawler, topic, workflow and alarms."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Fn, Names, Stack
from constructs import Construct

from stacks import functions
from stacks.alarms import FIVE_MINUTES, Alarms, WatchedMetric
from stacks.dashboard import Dashboard
from stacks.data_lake_stack import DataLakeStack
from stacks.finalizer_triggers import FinalizerTriggers
from stacks.log_queries import LogQueries
from stacks.notifications import Notifications
from stacks.raw_crawler import RawCrawler
from stacks.settings import Settings
from stacks.taxi_job import TaxiJob
from stacks.workflow.etl_workflow import EtlWorkflow
from stacks.workflow.transitions import Parts


class PipelineStack(Stack):
    """Can be destroyed and made again without loss: everything that must be kept is in the other stack."""

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
        self.settings = settings
        self.data = lake

        self.notifications = Notifications(self, "Notifications", settings=settings)
        self.job = TaxiJob(self, "Job", settings=settings, lake=lake.lake, catalog=lake.catalog)
        self.crawler = RawCrawler(self, "Crawler", settings=settings, lake=lake.lake, catalog=lake.catalog)
        code = functions.FunctionCode(self, "Code", settings=settings)
        self.validate = functions.validate_input(self, "ValidateInput", code=code, bucket=lake.lake.bucket)
        parts = Parts(
            settings=settings,
            validate=self.validate,
            job=self.job,
            crawler=self.crawler,
            lake=lake.lake,
            notifications=self.notifications,
        )
        self.workflow = EtlWorkflow(self, "Workflow", parts=parts)
        machine = self.workflow.state_machine
        self.orchestrator = functions.orchestrator(
            self, "Orchestrator", code=code, state_machine=machine, ledger=lake.ledger.table
        )
        self.close = functions.close_execution(
            self,
            "CloseExecution",
            code=code,
            state_machine=machine,
            ledger=lake.ledger.table,
            bucket=lake.lake.bucket,
            topic=self.notifications.topic,
        )
        self.closer = FinalizerTriggers(
            self, "Closer", settings=settings, closer=self.close, state_machine=machine, job=self.job.job
        )
        self.alarms = Alarms(
            self,
            "Alarms",
            topic=self.notifications.topic,
            watched=WatchedMetric(
                settings=settings,
                state_machine=machine,
                job_failures=self.job.metric_failures(FIVE_MINUTES),
                events=lake.events.queue,
                dead_letters={
                    "EventDeadLetters": lake.events.dead_letters,
                    "CloseDeadLetters": self.closer.dead_letters,
                },
                functions={
                    "OrchestratorErrors": self.orchestrator,
                    "ValidateErrors": self.validate,
                    "CloseErrors": self.close,
                },
            ),
        )
        LogQueries(
            self,
            "LogQueries",
            settings=settings,
            functions={
                "orchestrator": self.orchestrator.log_group,
                "validate": self.validate.log_group,
                "close": self.close.log_group,
            },
            workflow=self.workflow.logs,
        )
        Dashboard(
            self,
            "Dashboard",
            settings=settings,
            state_machine=machine,
            queue=lake.events.queue,
            functions=(self.orchestrator, self.validate, self.close),
            alarms=self.alarms,
        )
        self._receive_events()
        self._grant()
        self._outputs()

    def _receive_events(self) -> None:
        """Batches of events reach the orchestrator; only those it names as failed come again."""
        settings, events = self.settings, self.data.events
        events.grant_receive(self.orchestrator)
        # Named as SqsEventSource would: under another id CloudFormation would make a second mapping of the
        # same queue before it removes the first, which Lambda refuses.
        self.orchestrator.add_event_source_mapping(
            f"SqsEventSource:{Names.node_unique_id(events.queue.node)}",
            event_source_arn=events.queue.queue_arn,
            batch_size=settings.event_batch_size,
            max_batching_window=Duration.seconds(settings.event_batch_window_seconds),
            max_concurrency=settings.orchestrator_concurrency,
            report_batch_item_failures=True,
        )

    def _grant(self) -> None:
        """Who may do what with whom, where the parts meet."""
        lake, ledger, machine = self.data.lake, self.data.ledger, self.workflow.state_machine
        lake.grant_read_raw(self.validate, versions=True)
        lake.grant_write_runs(self.validate)
        ledger.grant_claims(self.orchestrator)
        machine.grant_start_execution(self.orchestrator)
        ledger.grant_outcomes(self.close)
        lake.grant_read_runs(self.close)
        self.notifications.grant_publish(self.close)
        machine.grant_start_execution(self.close)
        machine.grant_execution(self.close, "states:DescribeExecution")
        machine.grant(self.close, "states:ListExecutions")
        self.job.grant_look(self.close)

    def _outputs(self) -> None:
        """What the command line reads."""
        for output, value in {
            "StateMachineArn": self.workflow.state_machine.state_machine_arn,
            "OrchestratorFunctionName": self.orchestrator.function_name,
            "ValidateFunctionName": self.validate.function_name,
            "CloseFunctionName": self.close.function_name,
            "GlueJobName": self.job.job.job_name,
            "CrawlerName": self.crawler.name,
            "TopicArn": self.notifications.topic.topic_arn,
            "AlarmNames": Fn.join(",", [alarm.alarm_name for alarm in self.alarms.alarms]),
            "CloseDeadLetterQueueUrl": self.closer.dead_letters.queue_url,
        }.items():
            CfnOutput(self, output, value=value)
