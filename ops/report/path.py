"""The path of an execution through its state machine, and the times of its phases."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ops.history import SMALL_BATCH_STATE, Step
from ops.report.documents import PathState, Phase

Definition = Mapping[str, Any]

EVENT_QUEUE = "Event queue"
GLUE_QUEUE = "Glue queue and start"
JOB_RUN = "Job run"
PHASES = {
    SMALL_BATCH_STATE: "Small batch",
    "lambda:invoke": "Validation",
    "glue:startJobRun.sync": JOB_RUN,
    "aws-sdk:glue:startCrawler": "Crawl",
    "aws-sdk:glue:getCrawler": "Crawl",
    "sns:publish": "Notification",
}
"""The phase of a state, by its name or by the API that it calls."""


def entered_states(definition: Definition, steps: Sequence[Step]) -> list[PathState]:
    """Return the states that were entered, in the order of their first visits."""
    visits: dict[str, list[Step]] = {}
    successors: dict[str, set[str]] = {}
    for place, step in enumerate(steps):
        visits.setdefault(step.state, []).append(step)
        successors.setdefault(step.state, set()).update(each.state for each in steps[place + 1 : place + 2])
    return [
        _path_state(definition["States"].get(name, {}), found, successors[name])
        for name, found in visits.items()
    ]


def states_not_entered(definition: Definition, steps: Sequence[Step]) -> list[str]:
    """Return the names of all other states, in the order of the definition."""
    entered = {step.state for step in steps}
    return [name for name in definition["States"] if name not in entered]


def _path_state(state: Mapping[str, Any], visits: Sequence[Step], successors: set[str]) -> PathState:
    failed = next((step for step in reversed(visits) if step.error), visits[-1])
    seconds = [step.seconds for step in visits if step.seconds is not None]
    return PathState(
        name=visits[0].state,
        type=state.get("Type", ""),
        action=_action(state),
        entered=visits[0].entered,
        visits=len(visits),
        attempts=sum(step.attempts for step in visits),
        seconds=sum(seconds) if len(seconds) == len(visits) else None,
        error=failed.error,
        cause=failed.cause,
        not_taken=tuple(dict.fromkeys(_not_taken(state, successors))),
    )


def _action(state: Mapping[str, Any]) -> str:
    """Return the API that a task calls, such as `lambda:invoke`."""
    return str(state.get("Resource", "")).rpartition(":::")[2]


def _not_taken(state: Mapping[str, Any], taken: set[str]) -> Iterator[str]:
    transitions = [*state.get("Choices", ()), {"Next": state.get("Default")}, state]
    yield from (each["Next"] for each in transitions if each.get("Next") and each["Next"] not in taken)


def timeline(
    definition: Definition,
    steps: Sequence[Step],
    *,
    queued: datetime | None,
    started: datetime,
    job_seconds: float | None,
    now: datetime,
) -> list[Phase]:
    """Return the phases from the first upload (`queued`, None if unknown) to the last notification.

    Visits of one phase are joined, so that a crawl includes the waits between its polls. The last
    `job_seconds` of the job run's state are the run itself, what is before them is Glue's queue.
    """
    found = [_phase(EVENT_QUEUE, queued, started, now)] if queued and queued < started else []
    for step in steps:
        state = definition["States"].get(step.state, {})
        name = PHASES.get(step.state) or PHASES.get(_action(state), "")
        if found and name == found[-1].name:
            found[-1] = _phase(name, found[-1].started, step.left, now)
        elif name == JOB_RUN and step.left and job_seconds is not None:
            begun = max(step.entered, step.left - timedelta(seconds=job_seconds))
            found += [_phase(GLUE_QUEUE, step.entered, begun, now), _phase(name, begun, step.left, now)]
        elif name:
            found.append(_phase(name, step.entered, step.left, now))
    return found


def _phase(name: str, started: datetime, ended: datetime | None, now: datetime) -> Phase:
    return Phase(name, started, ended, ((ended or now) - started).total_seconds())
