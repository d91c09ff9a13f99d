"""Reads the facts of reports from AWS."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from ops import console_links, file_outcomes, history
from ops.deployment import Deployment
from ops.execution_list import executions
from ops.output import now
from ops.pipeline_status import pipeline_status
from ops.report.execution import ExecutionFacts
from ops.report.overview import MONTHS, OverviewFacts
from ops.report.quarantined_rows import quarantined_rows
from ops.session import Session
from stores.execution_documents import ExecutionDocuments
from taxi_etl.identity import FileVersion
from taxi_etl.metrics import Metric
from taxi_etl.names import METRICS_NAMESPACE

QUEUED_FILES = 5
"""How many of an execution's files have their upload times read; the first of a batch waited longest."""
UPLOAD_TRIGGER = "s3"
_DAY = 86_400


def execution_facts(session: Session, deployment: Deployment, name: str) -> ExecutionFacts:
    """Read the facts about an execution. Raises CliError if it does not exist."""
    execution = history.describe(session, deployment, name)
    events = history.events(session, execution.arn)
    files = file_outcomes.outcomes_in(session, deployment, execution)
    result = ExecutionDocuments(session.client("s3"), deployment.bucket_name).result(execution.name)
    trigger = _trigger(execution.input)
    versions = history.input_files(execution.input)
    job_run = history.job_run_id(events)
    return ExecutionFacts(
        execution=execution,
        events=events,
        definition=_definition(session, execution.arn),
        files=files,
        result=result,
        queued=_uploaded(session, versions) if trigger == UPLOAD_TRIGGER else None,
        trigger=trigger,
        rows=quarantined_rows(session, deployment, result) if result else (),
        links=console_links.links(session, deployment, execution.arn, job_run),
        now=now(),
    )


def overview_facts(session: Session, deployment: Deployment, since: datetime) -> OverviewFacts:
    """Read the facts about the pipeline; the period of the executions begins at `since`."""
    present = now()
    earliest = present - timedelta(days=31 * MONTHS)
    return OverviewFacts(
        environment=session.target.environment,
        since=since,
        now=present,
        executions=list(executions(session, deployment, since=since)),
        status=pipeline_status(session, deployment),
        job_runs=list(_job_runs(session, deployment, earliest)),
        small_batch_costs=_small_batch_costs(session, deployment, earliest, present),
    )


def _trigger(text: str) -> str:
    """Return the trigger in an execution's input, empty if a manual input has none."""
    try:
        return str(json.loads(text).get("trigger", ""))
    except (ValueError, AttributeError):
        return ""


def _definition(session: Session, arn: str) -> dict[str, Any]:
    found = session.client("stepfunctions").describe_state_machine_for_execution(executionArn=arn)
    definition: dict[str, Any] = json.loads(found["definition"])
    return definition


def _uploaded(session: Session, versions: Sequence[FileVersion]) -> datetime | None:
    """Return when the first of these files was uploaded; None if S3 has none of them any more."""
    found: list[datetime] = []
    for version in versions[:QUEUED_FILES]:
        place = {"Bucket": version.bucket, "Key": version.key, "VersionId": version.version_id}
        try:
            found.append(session.client("s3").head_object(**place)["LastModified"])
        except ClientError:
            continue  # deleted or not readable by the operator; only the bar of the queue is missing
    return min(found, default=None)


def _job_runs(session: Session, deployment: Deployment, earliest: datetime) -> Iterator[dict[str, Any]]:
    """Yield the job runs since then; Glue lists the newest first and keeps about 90 days."""
    pages = session.client("glue").get_paginator("get_job_runs")
    for page in pages.paginate(JobName=deployment.glue_job_name):
        for run in page["JobRuns"]:
            if run["StartedOn"] >= earliest:
                yield run


def _small_batch_costs(
    session: Session, deployment: Deployment, earliest: datetime, latest: datetime
) -> dict[str, float]:
    """Return the cost of the function for small batches by month, empty if the app has none."""
    if not deployment.small_batch_function_name:
        return {}
    points = session.client("cloudwatch").get_metric_statistics(
        Namespace=METRICS_NAMESPACE,
        MetricName=str(Metric.SMALL_BATCH_COST_USD),
        Dimensions=[{"Name": "service", "Value": deployment.small_batch_function_name}],
        StartTime=earliest,
        EndTime=latest,
        Period=_DAY,
        Statistics=["Sum"],
    )["Datapoints"]
    costs: dict[str, float] = {}
    for point in points:
        month = point["Timestamp"].strftime("%Y-%m")
        costs[month] = costs.get(month, 0.0) + point["Sum"]
    return costs
