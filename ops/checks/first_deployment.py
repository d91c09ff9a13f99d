"""Checks that only a real account can make, after its first deployment and its first load.

`docs/first-deployment.md` explains each of them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from ops.checks.finding import Check, Finding, Level, Scope, expect
from taxi_etl.metrics import Metric
from taxi_etl.names import METRICS_NAMESPACE

CONCURRENT_EXECUTIONS_MIN = 12
"""Two for events, one for each of some executions, one for the finalizer."""
RECENT = timedelta(hours=6)
"""How far back to look for traces of the first load."""
PART = "first load"
LOAD = "load a small file, taxi-etl sample and taxi-etl upload FILE --wait, then verify again"
SEND = "send what docs/first-deployment.md names"


def capacity(scope: Scope) -> Iterator[Finding]:
    """Check the account's limit of concurrent functions, which is ten in some new accounts."""
    if scope.session.is_local:
        yield _unknown_here("account", "concurrent functions")
        return
    limit = scope.session.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    yield expect(
        "account",
        "concurrent functions",
        limit >= CONCURRENT_EXECUTIONS_MIN,
        f"it allows {limit}, not {CONCURRENT_EXECUTIONS_MIN}; events and executions will be throttled",
        "request more: Service Quotas, AWS Lambda, Concurrent executions",
        otherwise=Level.WARNING,
    )


def first_load(scope: Scope) -> Iterator[Finding]:
    """Check that a job run succeeded and left logs, metrics and traces."""
    glue = scope.session.client("glue")
    runs = glue.get_job_runs(JobName=scope.deployment.glue_job_name, MaxResults=20)["JobRuns"]
    succeeded = next((run for run in runs if run["JobRunState"] == "SUCCEEDED"), None)
    problem = f"the last one ended {runs[0]['JobRunState']}" if runs else "none was started"
    remedy = f"read the job's error log and {SEND}" if runs else LOAD
    yield expect(PART, "job run", succeeded is not None, problem, remedy)
    if succeeded is None:
        return
    billed = "DPUSeconds" in succeeded or {"ExecutionTime", "MaxCapacity"} <= succeeded.keys()
    problem = "Glue reported neither DPUSeconds nor a time with a capacity, so costs are unknown"
    yield expect(PART, "job run's cost", billed, problem, SEND, otherwise=Level.WARNING)
    yield from _logs(scope)
    yield from _metrics(scope)
    yield from _traces(scope)


CHECKS: Sequence[tuple[str, Check]] = (("account", capacity), (PART, first_load))


def _logs(scope: Scope) -> Iterator[Finding]:
    """Check that each part wrote a log: a missing one means a missing permission."""
    deployment = scope.deployment
    functions = (
        deployment.orchestrator_function_name,
        deployment.validate_function_name,
        deployment.close_function_name,
    )
    machine = deployment.state_machine_arn.rpartition(":")[2]
    for prefix in (
        *(f"/aws/lambda/{name}" for name in functions),
        f"/aws/vendedlogs/states/{machine}",
        f"/aws-glue/jobs/{deployment.glue_job_name}",
    ):
        problem = "it holds no log: the part may lack a permission, or logs elsewhere"
        yield expect(PART, f"logs {prefix}", _has_log(scope, prefix), problem, SEND)


def _has_log(scope: Scope, prefix: str) -> bool:
    """Whether a group with this name, or below it, holds a log."""
    logs = scope.session.client("logs")
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        for group in page["logGroups"]
        if group["logGroupName"] == prefix or group["logGroupName"].startswith(f"{prefix}/")
    ]
    return any(logs.describe_log_streams(logGroupName=group, limit=1)["logStreams"] for group in groups)


def _metrics(scope: Scope) -> Iterator[Finding]:
    """Check the finalizer's metrics. EventBridge's event about the end of a job run brings its cost."""
    cloudwatch = scope.session.client("cloudwatch")
    service = {"Name": "service", "Value": scope.deployment.close_function_name}
    for metric, source in (
        (Metric.FILES_LOADED, "the finalizer recorded no load"),
        (Metric.JOB_COST_USD, "EventBridge delivered no end of a job run"),
    ):
        found = cloudwatch.list_metrics(
            Namespace=METRICS_NAMESPACE, MetricName=str(metric), Dimensions=[service]
        )
        problem = f"{source}, or CloudWatch has not listed it yet, which takes up to 15 minutes"
        yield expect(PART, f"metric {metric}", bool(found["Metrics"]), problem, f"wait, then {SEND}")


def _traces(scope: Scope) -> Iterator[Finding]:
    if scope.session.is_local:
        yield _unknown_here(PART, "traces")
        return
    now = datetime.now(UTC)
    machine = scope.deployment.state_machine_arn.rpartition(":")[2]
    pages = (
        scope.session.client("xray")
        .get_paginator("get_trace_summaries")
        .paginate(StartTime=now - RECENT, EndTime=now, FilterExpression=f'service("{machine}")')
    )
    traced = any(page["TraceSummaries"] for page in pages)
    problem = "the workflow sent none in the last six hours; without a load since then, there is none"
    yield expect(PART, "traces", traced, problem, f"{LOAD}, or {SEND}", otherwise=Level.WARNING)


def _unknown_here(part: str, check: str) -> Finding:
    return Finding(part, check, Level.UNKNOWN, "the local account does not have this; AWS does")
