"""Notifications that the finalizer publishes for endings that the workflow could not report."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lambdas.close_execution.finalizer import Finalizer
from lambdas.executions import Description
from stores.execution_documents import ExecutionDocuments
from stores.ledger import Ledger
from taxi_etl.names import manifest_key, result_key

from .workflow_notifications import (
    BUCKET,
    EXECUTIONS,
    FHV,
    GREEN,
    LOADED_YELLOW,
    NO_PARQUET,
    OUT_OF_DISK,
    YELLOW,
    ZIP,
    Outcome,
    died,
    refused,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

from fakes.dynamodb import FakeTable
from fakes.s3 import Buckets

NOW = datetime(2026, 1, 2, 3, 10, tzinfo=UTC)
RUNTIME_CAUSE = (
    "An error occurred while executing the state 'EvaluateResult' (entered at the event id #14). "
    "The JSONata expression '$summary.counts.loaded > 0' specified for the field 'Choices[0]/Condition' "
    "returned an unexpected result type."
)


@dataclass
class Ended:
    """An ended execution and the documents it left; `validated` is whether it left a manifest."""

    outcome: Outcome
    status: str
    error: str = ""
    cause: str = ""
    validated: bool = True
    text: str = ""


@dataclass
class Topic:
    """A fake SNS client that records what is published."""

    published: list[dict[str, Any]] = field(default_factory=list)

    def publish(self, **arguments: Any) -> None:
        self.published.append(arguments)


def finalizer_notifications(ended: Ended, command: str) -> list[dict[str, Any]]:
    """The notifications of the finalizer; `command` is its setting."""
    name, s3, topic = ended.outcome.name, Buckets(), Topic()
    if ended.validated:
        s3.upload(BUCKET, manifest_key(name), ended.outcome.manifest.dumps().encode(), "m1")
    if hasattr(ended.outcome, "result"):
        s3.upload(BUCKET, result_key(name), ended.outcome.result.dumps().encode(), "r1")
    finalizer = Finalizer(
        ledger=Ledger(FakeTable(), "ledger"),
        documents=ExecutionDocuments(s3, BUCKET),
        sns=topic,
        topic_arn="arn:aws:sns:eu-west-1:123456789012:etl-pipeline-notifications",
        command=command,
        clock=lambda: NOW,
    )
    text = ended.text or ended.outcome.given.dumps()
    started = "2026-01-02T03:00:00.000Z"
    described = Description(
        f"{EXECUTIONS}:{name}", name, ended.status, text, started, ended.error, ended.cause
    )
    assert finalizer.close(described, lifetime_ms=60_000)
    return topic.published


def unpublished(state: str, outcome: Outcome) -> Callable[[Mapping[str, Any]], Ended]:
    """The ending of an execution that cannot publish its notification in this state."""

    def end(definition: Mapping[str, Any]) -> Ended:
        denied = refused("User is not authorized to perform: SNS:Publish", "Sns")
        execution = outcome.raising(state, "SNS.AuthorizationErrorException", denied).execute(definition)
        assert execution.published == []
        return Ended(outcome, execution.status, execution.error, execution.cause)

    return end


FINALIZER_OUTCOMES: Mapping[str, Callable[[Mapping[str, Any]], Ended]] = {
    "finalizer_timed_out": lambda _: Ended(
        Outcome(YELLOW, GREEN, rejected={ZIP: NO_PARQUET}).resulting(LOADED_YELLOW), "TIMED_OUT"
    ),
    "finalizer_aborted": lambda _: Ended(
        Outcome(YELLOW), "ABORTED", "Maintenance", "stopped by ann for maintenance", validated=False
    ),
    "finalizer_failure_in_a_choice": lambda _: Ended(
        Outcome(YELLOW).resulting(LOADED_YELLOW), "FAILED", "States.Runtime", RUNTIME_CAUSE
    ),
    "finalizer_input_is_invalid": lambda _: Ended(Outcome(), "ABORTED", validated=False, text='"nonsense"'),
    "finalizer_success_unpublished": unpublished("NotifySuccess", Outcome(YELLOW).resulting(LOADED_YELLOW)),
    "finalizer_rejection_unpublished": unpublished(
        "NotifyRejectedFiles", Outcome(YELLOW, rejected={ZIP: NO_PARQUET})
    ),
    "finalizer_dead_batch_unpublished": unpublished(
        "NotifyFailure", Outcome(YELLOW, FHV).raising("RunGlueETLJob", *died("FAILED", OUT_OF_DISK))
    ),
    "nothing_published_again": lambda definition: _announced(
        definition, Outcome(YELLOW, FHV).raising("RunGlueETLJob", *died("FAILED", OUT_OF_DISK))
    ),
}
"""The endings by name of their golden file."""


def _announced(definition: Mapping[str, Any], outcome: Outcome) -> Ended:
    execution = outcome.execute(definition)
    assert len(execution.published) == 1
    return Ended(outcome, execution.status, execution.error, execution.cause)
