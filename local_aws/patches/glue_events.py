"""Who hears that a job run has ended? EventBridge, as for any run that ends, whoever started it.

AWS sends "Glue Job State Change" for SUCCEEDED, FAILED, TIMEOUT and STOPPED. The emulator sends none.
Source: EventBridge user guide, "AWS Glue events"; AWS Glue developer guide, "Automating AWS Glue with
EventBridge".
"""

import json
from typing import Any

from ministack.services import eventbridge

from local_aws import glue_runs
from local_aws.patches import patching

_SEVERITIES = {"SUCCEEDED": "INFO", "STOPPED": "INFO", "TIMEOUT": "WARN", "FAILED": "ERROR"}


def apply() -> None:
    """Tell of each run's end."""
    patching.attribute(eventbridge, "_put_events")
    glue_runs.publish_run_events(_tell)


def _tell(run: dict[str, Any]) -> None:
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
