"""Alarms, saved log queries and the dashboard of the pipeline."""

from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.alarm_rules import AlarmSources
from stacks.alarms import Alarms
from stacks.dashboard import Dashboard
from stacks.event_queue import EventQueue
from stacks.log_queries import LogQueries
from stacks.notifications import Notifications
from stacks.settings import Settings
from stacks.workflow.etl_workflow import EtlWorkflow


@dataclass(frozen=True, kw_only=True)
class ObservedParts:
    """The parts of the pipeline that are observed."""

    orchestrator: lambda_.Function
    validator: lambda_.Function
    small_batch: lambda_.Function | None
    """None if the Glue job loads all batches."""
    finalizer: lambda_.Function
    finalizer_dead_letters: sqs.Queue
    workflow: EtlWorkflow
    events: EventQueue


def add_alarms(
    scope: Construct, parts: ObservedParts, *, settings: Settings, notifications: Notifications
) -> Alarms:
    """Alarms on executions, the job, files, queues, functions and the time since the last file."""
    sources = AlarmSources(
        settings=settings,
        state_machine=parts.workflow.state_machine,
        events=parts.events.name,
        dead_letters={
            "EventDeadLetters": parts.events.dead_letters_name,
            "CloseDeadLetters": parts.finalizer_dead_letters.queue_name,
        },
        functions={
            "Orchestrator": parts.orchestrator,
            "Validate": parts.validator,
            "Close": parts.finalizer,
        },
        small_batch=parts.small_batch,
    )
    return Alarms(scope, "Alarms", topic=notifications.topic, sources=sources)


def add_log_queries(scope: Construct, parts: ObservedParts, *, settings: Settings) -> LogQueries:
    """Saved queries of the functions' and the workflow's logs."""
    return LogQueries(
        scope,
        "LogQueries",
        settings=settings,
        functions={
            "orchestrator": parts.orchestrator.log_group,
            "validate": parts.validator.log_group,
            "close": parts.finalizer.log_group,
            **({"small batches": parts.small_batch.log_group} if parts.small_batch else {}),
        },
        workflow=parts.workflow.logs,
    )


def add_dashboard(scope: Construct, parts: ObservedParts, *, settings: Settings, alarms: Alarms) -> Dashboard:
    """The dashboard, with all alarms on top."""
    return Dashboard(
        scope,
        "Dashboard",
        settings=settings,
        state_machine=parts.workflow.state_machine,
        queue=parts.events.name,
        functions=(parts.orchestrator, parts.validator, parts.finalizer),
        small_batch=parts.small_batch,
        alarms=alarms,
    )
