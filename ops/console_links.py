"""Links to an execution, its job run and its logs in the AWS console; log group names for other endpoints."""

from urllib.parse import quote

from ops.deployment import Deployment
from ops.session import Session
from taxi_etl.console import console_url, execution_url

LABELS = {
    "execution": "execution",
    "validation log": "validator log",
    "small batch log": "small batch log",
    "closing log": "finalizer log",
    "job run": "job run",
    "job output": "job output",
    "job errors": "job errors",
}
"""The name of each link in output for people; the keys are those of the JSON document."""


def links(session: Session, deployment: Deployment, execution_arn: str, job_run: str) -> dict[str, str]:
    """Return the links for an execution by key of `LABELS`.

    Those of the job run exist only if there is one, that of small batches if the app has their function.
    """
    small = deployment.small_batch_function_name
    groups = {
        "validation log": f"/aws/lambda/{deployment.validate_function_name}",
        **({"small batch log": f"/aws/lambda/{small}"} if small else {}),
        "closing log": f"/aws/lambda/{deployment.close_function_name}",
    }
    job_groups = {
        "job output": f"/aws-glue/jobs/{deployment.glue_job_name}/output",
        "job errors": f"/aws-glue/jobs/{deployment.glue_job_name}/error",
    }
    if session.endpoint_url:
        streams = {name: f"{group} {job_run}" for name, group in job_groups.items()} if job_run else {}
        return {**groups, **streams}
    console = console_url(session.region, partition=execution_arn.split(":")[1])
    found = {"execution": execution_url(execution_arn)}
    found |= {name: _log_url(console, session.region, group) for name, group in groups.items()}
    if job_run:
        found["job run"] = (
            f"{console}/gluestudio/home?region={session.region}#/job/{deployment.glue_job_name}/run/{job_run}"
        )
        found |= {
            name: _log_url(console, session.region, group, job_run) for name, group in job_groups.items()
        }
    return found


def _log_url(console: str, region: str, group: str, stream: str = "") -> str:
    url = f"{console}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{_escaped(group)}"
    return f"{url}/log-events$3FlogStreamNameFilter$3D{_escaped(stream)}" if stream else url


def _escaped(text: str) -> str:
    """Escape as the console does: percent-encode twice, then write the outer percent sign as $."""
    return quote(quote(text, safe=""), safe="").replace("%", "$")
