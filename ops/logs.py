"""Where are the logs of a run? Addresses in the console, or where it does not reach, names of log groups."""

from urllib.parse import quote

from ops.deployment import Deployment
from ops.session import Session

_DOMAINS = {"cn-": "amazonaws.cn", "us-gov-": "amazonaws-us-gov.com"}


def links(session: Session, deployment: Deployment, execution_arn: str, job_run: str) -> dict[str, str]:
    """What to open to see more about an execution, by what it shows."""
    groups = {
        "validation log": f"/aws/lambda/{deployment.validate_function_name}",
        "closing log": f"/aws/lambda/{deployment.close_function_name}",
    }
    job_groups = {
        "job output": f"/aws-glue/jobs/{deployment.glue_job_name}/output",
        "job errors": f"/aws-glue/jobs/{deployment.glue_job_name}/error",
    }
    if session.endpoint_url:
        streams = {name: f"{group} {job_run}" for name, group in job_groups.items()} if job_run else {}
        return {**groups, **streams}
    console = f"https://{session.region}.console.{_domain(session.region)}"
    found = {
        "execution": f"{console}/states/home?region={session.region}#/v2/executions/details/{execution_arn}"
    }
    found |= {name: _log_address(console, session.region, group) for name, group in groups.items()}
    if job_run:
        found["job run"] = (
            f"{console}/gluestudio/home?region={session.region}#/job/{deployment.glue_job_name}/run/{job_run}"
        )
        found |= {
            name: _log_address(console, session.region, group, job_run) for name, group in job_groups.items()
        }
    return found


def _domain(region: str) -> str:
    """The console's domain in the partition of the region."""
    for prefix, domain in _DOMAINS.items():
        if region.startswith(prefix):
            return domain
    return "aws.amazon.com"


def _log_address(console: str, region: str, group: str, stream: str = "") -> str:
    address = f"{console}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{_escaped(group)}"
    return f"{address}/log-events$3FlogStreamNameFilter$3D{_escaped(stream)}" if stream else address


def _escaped(text: str) -> str:
    """The console's own escape: percent-encoded twice, with $ for the outer percent."""
    return quote(quote(text, safe=""), safe="").replace("%", "$")
