"""EventBridge events for ended job runs.

MiniStack 1.5.33: Sends no event when a job run ends.
AWS: Sends "Glue Job State Change" for SUCCEEDED, FAILED, TIMEOUT and STOPPED.
Source: EventBridge user guide, "AWS Glue events"; AWS Glue developer guide, "Automating AWS Glue with
EventBridge".
Delete when: MiniStack's Glue runs jobs for real (`glue_jobs` is deleted) and sends this event.
"""

import json
from typing import Any

from ministack.services import eventbridge

from local_aws import glue_runs
from local_aws.patches import patching

_SEVERITIES = {"SUCCEEDED": "INFO", "STOPPED": "INFO", "TIMEOUT": "WARN", "FAILED": "ERROR"}


def apply() -> None:
    """Publish an event when a job run ends."""
    patching.attribute(eventbridge, "_put_events")
    glue_runs.publish_run_events(_publish_state_change)


def _publish_state_change(run: dict[str, Any]) -> None:
    state = run["JobRunState"]
    detail = {
        "jobName": run["JobName"],
        "severity": _SEVERITIES[state],
        "state": state,
        "jobRunId": run["Id"],
        "message": run.get("ErrorMessage") or f"Job run {state.lower()}",
    }
    entry = {"Source": "aws.glue", "DetailType": "Glue Job State Change", "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
