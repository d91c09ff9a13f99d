"""Saved CloudWatch Logs Insights queries."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.settings import Settings
from taxi_etl.names import STATE_MACHINE, physical_name

ERRORS = logs.QueryString(
    fields=["@timestamp", "service", "message", "exception_name", "exception"],
    filter_statements=['level = "ERROR" or level = "CRITICAL" or @message like /Task timed out/'],
    sort="@timestamp desc",
    limit=100,
)
OUTCOMES = logs.QueryString(
    fields=["@timestamp", "execution", "outcome", "counts.files", "counts.failed"],
    filter_statements=['message = "closed"'],
    sort="@timestamp desc",
    limit=200,
)
FAILED_STATES = logs.QueryString(
    fields=["@timestamp", "execution_arn", "type", "details.error", "details.cause"],
    filter_statements=["type like /Failed|TimedOut|Aborted/"],
    sort="@timestamp desc",
    limit=100,
)
USAGE = logs.QueryString(
    filter_statements=['@type = "REPORT"'],
    stats_statements=[
        "count(*) as calls, sum(@billedDuration) / 1000 as seconds, max(@duration) as slowestMs, "
        "max(@maxMemoryUsed) / 1000 / 1000 as mostMemoryMb by bin(1h), @log"
    ],
)
JOB_COSTS = logs.QueryString(
    filter_statements=['message = "job run ended"'],
    stats_statements=["count(*) as runs, sum(cost_usd) as usd, max(cost_usd) as most by bin(1d)"],
)


class LogQueries(Construct):
    """Queries in a folder that has the state machine's name."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        functions: Mapping[str, logs.ILogGroup],
        workflow: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self._folder = physical_name(STATE_MACHINE, settings.environment)
        groups = list(functions.values())
        finalizer = [functions["close"]]
        self._save("Errors", "errors of the functions", groups, ERRORS)
        self._save("Endings", "how executions ended", finalizer, OUTCOMES)
        self._save("FailedStates", "states of the workflow that failed", [workflow], FAILED_STATES)
        self._save("Usage", "time and memory of the functions by hour", groups, USAGE)
        self._save("Costs", "what job runs cost by day", finalizer, JOB_COSTS)

    def _save(
        self, construct_id: str, title: str, groups: Sequence[logs.ILogGroup], query: logs.QueryString
    ) -> None:
        logs.QueryDefinition(
            self,
            construct_id,
            query_definition_name=f"{self._folder}/{title}",
            query_string=query,
            log_groups=groups,
        )
