"""Repairs findings of `taxi-etl reconcile` through the orchestrator and the finalizer; starts nothing itself.

Repeating a repair is safe: the orchestrator starts no claimed file twice, and the finalizer closes an
execution once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ops import function_invocation, history, orchestrator
from ops.deployment import Deployment
from ops.orchestrator import Started
from ops.session import Session
from taxi_etl.consistency.facts import Finding, Repair
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import Trigger


@dataclass
class Repaired:
    """What a repair did: the executions started or rolled forward, and those closed."""

    started: list[Started] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def repair(session: Session, deployment: Deployment, findings: Sequence[Finding]) -> Repaired:
    """Repair all findings that need no person's decision. Raises CliError of the first that fails."""
    done = Repaired()
    for name in sorted({each.execution for each in findings if each.repair is Repair.CLOSE}):
        if _close(session, deployment, name):
            done.closed.append(name)
    starts = _versions(findings, Repair.START)
    replays = _versions(findings, Repair.REPLAY) - starts

    def start(files: Sequence[FileVersion]) -> list[Started]:
        return orchestrator.start(session, deployment, files, Trigger.BACKFILL)

    def replay(files: Sequence[FileVersion]) -> list[Started]:
        return orchestrator.replay_files(session, deployment, files)

    done.started += _in_calls(starts, start)
    done.started += _in_calls(replays, replay)
    if any(each.repair is Repair.REPLAY_HELD for each in findings):
        done.started += orchestrator.replay_held(session, deployment)
    return done


def _versions(findings: Iterable[Finding], kind: Repair) -> set[FileVersion]:
    return {each.version for each in findings if each.repair is kind and each.version}


def _in_calls(
    versions: Iterable[FileVersion], call: Callable[[Sequence[FileVersion]], list[Started]]
) -> list[Started]:
    """Send file versions to the orchestrator, those of each bucket in calls that it completes in time."""
    by_bucket: dict[str, list[FileVersion]] = defaultdict(list)
    for version in sorted(versions, key=lambda each: each.identity):
        by_bucket[version.bucket].append(version)
    started: list[Started] = []
    for files in by_bucket.values():
        for part in orchestrator.calls(files):
            started += call(part)
    return started


def _close(session: Session, deployment: Deployment, name: str) -> bool:
    """Send the finalizer the ending of an execution again, as EventBridge does; return whether it closed.

    Raises CliError with the finalizer's error.
    """
    detail = {"name": name, "status": history.describe(session, deployment, name).status}
    event = {"source": "aws.states", "detail": detail}
    title = f"finalizer of execution {name}"
    return bool(function_invocation.invoke(session, title, deployment.close_function_name, event)["closed"])
