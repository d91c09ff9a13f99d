"""The state machine as a resource: its logs, tracing, timeout and permissions."""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.log_groups import log_group
from stacks.settings import Settings
from stacks.workflow.transitions import Parts, wire
from taxi_etl.engines import EngineChoice
from taxi_etl.names import STATE_MACHINE, physical_name

OTHER_STATES_MINUTES = 60
"""The longest time of validation, notifications and all retries together, without crawls; rounded up."""
POLL_SECONDS = 30
"""The longest time of one poll of the crawler, without the wait."""


class EtlWorkflow(Construct):
    """Validates files, loads them, catalogs them and notifies of the outcome."""

    state_machine: sfn.StateMachine

    def __init__(self, scope: Construct, construct_id: str, *, parts: Parts) -> None:
        super().__init__(scope, construct_id)
        settings = parts.settings
        name = physical_name(STATE_MACHINE, settings.environment)
        # This prefix keeps the account's resource policy for logs within its size limit.
        self.logs = log_group(self, "Logs", name=f"/aws/vendedlogs/states/{name}", settings=settings)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            comment="Loads taxi files: validates them, runs the Glue job, catalogs raw files, notifies",
            query_language=sfn.QueryLanguage.JSONATA,
            definition_body=sfn.DefinitionBody.from_chainable(wire(self, parts)),
            timeout=machine_timeout(settings),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=self.logs,
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        parts.lake.grant_read_runs(self.state_machine)
        parts.notifications.grant_publish(self.state_machine)


def machine_timeout(settings: Settings) -> Duration:
    """The machine's timeout: longer than all states together, so that a state's own timeout comes first."""
    crawl_minutes = settings.crawl_polls_max * (settings.crawl_poll_seconds + POLL_SECONDS) // 60
    return Duration.minutes(
        settings.glue_task_timeout_minutes
        + crawl_minutes
        + _small_batch_minutes(settings)
        + OTHER_STATES_MINUTES
    )


def _small_batch_minutes(settings: Settings) -> int:
    """The longest time of the function for small batches, rounded up; its retries are among the others'."""
    return settings.small_batch_timeout_seconds // 60 + 1 if settings.engine is EngineChoice.AUTO else 0
